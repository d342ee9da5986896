"""Colours and markers tell emotions and series apart, for colour-blind readers too."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from ser_lib.corpora.base import EMOTIONS, PAPER_EMOTIONS
from ser_lib.plots import diagrams, style

# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def lab(colour: str, blindness: np.ndarray) -> np.ndarray:
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(blindness @ linear, 0, 1)
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    xyz = to_xyz @ linear / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def gap(pair: tuple[str, str], blindness: str) -> float:
    matrix = BLINDNESS[blindness]
    return float(np.linalg.norm(lab(pair[0], matrix) - lab(pair[1], matrix)))


@pytest.mark.parametrize("blindness", BLINDNESS)
def test_colours_are_apart_for_every_eye(blindness: str) -> None:
    four = [style.EMOTION_COLOURS[name] for name in PAPER_EMOTIONS]
    assert min(gap(pair, blindness) for pair in combinations(four, 2)) > 25
    every = style.EMOTION_COLOURS.values()
    assert min(gap(pair, blindness) for pair in combinations(every, 2)) > 16
    assert min(gap(pair, blindness) for pair in combinations(style.SERIES_COLOURS, 2)) > 9
    roles = diagrams.ROLE_COLOURS.values()
    assert min(gap(pair, blindness) for pair in combinations(roles, 2)) > 25


def test_every_emotion_has_a_colour_and_a_marker_of_its_own() -> None:
    assert set(style.EMOTION_COLOURS) == set(style.EMOTION_MARKERS) == set(EMOTIONS)
    assert len(set(style.EMOTION_COLOURS.values())) == len(EMOTIONS)
    assert len(set(style.EMOTION_MARKERS.values())) == len(EMOTIONS)
