"""The figures' common style: colours and markers of emotions, and the figure that all draw on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

EMOTION_COLOURS = {
    "anger": "#C84A00",
    "boredom": "#C4C4C4",
    "calm": "#56B4E9",
    "disgust": "#009E73",
    "excitement": "#9A3CF0",
    "fear": "#A0256B",
    "frustration": "#5A2A00",
    "happiness": "#E8B800",
    "neutral": "#3B3B3B",
    "sadness": "#0072B2",
    "surprise": "#CC79A7",
}
"""One colour per emotion, apart for colour-blind readers as well."""

EMOTION_MARKERS = {
    "anger": "^",
    "boredom": "_",
    "calm": "v",
    "disgust": "X",
    "excitement": ">",
    "fear": "P",
    "frustration": "<",
    "happiness": "o",
    "neutral": "s",
    "sadness": "D",
    "surprise": "*",
}
"""One marker per emotion: no figure tells emotions apart by colour alone."""

SERIES_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#882255")
SERIES_DASHES = ("-", "--", ":", "-.")
GREY = "#6B6B6B"

_STYLE = {
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.dpi": 110,
    "font.size": 11.0,
    "axes.titlesize": 12.0,
    "axes.labelsize": 11.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.constrained_layout.use": True,
}


@contextmanager
def new_figure(width: float, height: float) -> Iterator[Figure]:
    """Give a figure in the book's style, closed at the end so that a notebook shows it once."""
    with plt.style.context(["default", _STYLE]):
        figure = plt.figure(figsize=(width, height))
        try:
            yield figure
        finally:
            plt.close(figure)


def check_emotions(emotions: Sequence[str]) -> None:
    """Raise ``ValueError`` for an emotion that has no colour."""
    unknown = sorted(set(emotions) - set(EMOTION_COLOURS))
    if unknown:
        raise ValueError(
            f"no colour for emotion {', '.join(map(repr, unknown))}; known: "
            f"{', '.join(EMOTION_COLOURS)}"
        )
