"""The figures draw the numbers they are given, and nothing outside them changes."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PathCollection, QuadMesh
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ser_lib import diagrams, plots
from ser_lib.corpora.base import EMOTIONS, PAPER_EMOTIONS
from tests.figures import assert_house_style

RNG = np.random.default_rng(0)

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
    four = [plots.EMOTION_COLOURS[name] for name in PAPER_EMOTIONS]
    assert min(gap(pair, blindness) for pair in combinations(four, 2)) > 25
    every = plots.EMOTION_COLOURS.values()
    assert min(gap(pair, blindness) for pair in combinations(every, 2)) > 16
    assert min(gap(pair, blindness) for pair in combinations(plots.SERIES_COLOURS, 2)) > 9
    roles = diagrams.ROLE_COLOURS.values()
    assert min(gap(pair, blindness) for pair in combinations(roles, 2)) > 25


def test_every_emotion_has_a_colour_and_a_marker_of_its_own() -> None:
    assert set(plots.EMOTION_COLOURS) == set(plots.EMOTION_MARKERS) == set(EMOTIONS)
    assert len(set(plots.EMOTION_COLOURS.values())) == len(EMOTIONS)
    assert len(set(plots.EMOTION_MARKERS.values())) == len(EMOTIONS)


def examples() -> dict[str, Figure]:
    names = ("anger", "sadness")
    signals = {name: RNG.normal(size=16000).astype(np.float32) for name in names}
    bands = {name: RNG.normal(size=(128, 32)) for name in names}
    cepstra = {name: RNG.normal(size=(40, 32)) for name in names}
    roles = pd.DataFrame([["train", "validate", "test"]], index=["1"], columns=["a", "b", "c"])
    accuracies = pd.DataFrame({"S": [50.0, 70.0], "S+C": [60.0, 65.0]}, index=["a", "b"])
    return {
        "emotion_counts": plots.emotion_counts({"anger": 3, "sadness": 5}),
        "side_by_side": plots.side_by_side(signals, 16000, bands, cepstra),
        "mel_filters": plots.mel_filters(np.arange(5.0), np.arange(5.0) ** 0.5, np.eye(5)[1:4]),
        "envelopes": plots.envelopes(np.arange(8.0), {"3 kept": np.ones(8)}),
        "kernels_on": diagrams.kernels_on(
            np.ones((40, 188)), [(4, 6), (10, 12)], hop_seconds=0.032
        ),
        "network_diagram": diagrams.network_diagram(40, 188, [(4, 6), (6, 8)], 4),
        "residual_diagram": diagrams.residual_diagram(
            length=390, filters=6, kernel=5, units=200, classes=8
        ),
        "pooling": diagrams.pooling(
            np.arange(16.0).reshape(4, 4), np.ones((2, 2)), [(1, 1), (3, 3)]
        ),
        "around_centers": diagrams.around_centers(
            np.array([[0.0, 1.0], [2.0, 3.0]]), names, {"anger": (0, 0), "sadness": (2, 2)}
        ),
        "curves": plots.curves({"a": [3.0, 2.0], "b": [1.0, 0.5]}, xlabel="step", ylabel="loss"),
        "pictures": diagrams.pictures({"input": np.eye(4), "mean": np.zeros((4, 4))}, 6.0),
        "fold_map": diagrams.fold_map(roles),
        "speaker_dots": plots.speaker_dots(accuracies, chance=25.0),
        "confusion": plots.confusion(np.array([[3, 1], [0, 4]]), names),
    }


def test_figures_keep_the_house_style() -> None:
    assert_house_style(examples)


def test_residual_diagram_computes_the_sizes_and_numbers_eleven_layers() -> None:
    figure = diagrams.residual_diagram(length=100, filters=3, kernel=11, units=20, classes=4)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts.count("3 × 90") == 7
    assert {"100", "270", "4", "shortcut"} <= set(texts)
    assert texts.count("20") == 2
    assert {str(number) for number in range(1, 12)} <= set(texts)
    assert "12" not in texts


def test_emotion_counts_draws_the_counts() -> None:
    (axes,) = plots.emotion_counts({"sadness": 5, "anger": 3}).axes
    bars = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert [bar.get_width() for bar in bars] == [5, 3]
    assert to_rgb(bars[1].get_facecolor()) == to_rgb(plots.EMOTION_COLOURS["anger"])


def test_side_by_side_shares_scales() -> None:
    signals = {"anger": np.array([0.0, 0.5, -0.5, 0.0]), "sadness": np.array([0.1, -0.1])}
    bands = {"anger": np.zeros((128, 3)), "sadness": np.full((128, 2), -100.0)}
    cepstra = {"anger": np.ones((40, 3)), "sadness": np.full((40, 2), 2.0)}
    figure = plots.side_by_side(signals, 2, bands, cepstra)
    first, second = figure.axes[0:6:3][:2], figure.axes[1:6:3][:2]
    np.testing.assert_array_equal(first[1].lines[0].get_ydata(), signals["sadness"])
    np.testing.assert_array_equal(first[0].lines[0].get_xdata(), [0, 0.5, 1, 1.5])
    assert first[0].get_ylim() == first[1].get_ylim()
    assert first[0].get_xlim() == (0, 2.0)
    clims = {axes.images[0].get_clim() for axes in second}
    assert clims == {(-80.0, 0.0)}
    np.testing.assert_array_equal(second[1].images[0].get_array(), bands["sadness"])
    assert second[1].images[0].get_extent()[:2] == [0.0, 1.0]


def test_mel_filters_draws_each_filter_with_its_peak_at_one() -> None:
    bank = np.array([[0, 0.2, 0.1], [0, 0, 4.0]])
    curve, filters = plots.mel_filters(np.arange(3.0), np.array([0, 5.0, 6.0]), bank).axes
    np.testing.assert_array_equal(curve.lines[0].get_ydata(), [0, 5, 6])
    np.testing.assert_allclose(filters.lines[0].get_ydata(), [np.nan, 1, 0.5])
    np.testing.assert_allclose(filters.lines[1].get_ydata(), [np.nan, np.nan, 1])


def test_kernels_are_drawn_at_their_true_size() -> None:
    (axes,) = diagrams.kernels_on(np.zeros((40, 100)), [(4, 6), (10, 12)], hop_seconds=0.5).axes
    sizes = [(patch.get_height(), patch.get_width()) for patch in axes.patches]
    assert sizes == [(4, 3.0), (10, 6.0)]
    assert axes.images[0].get_extent() == [0.0, 50.0, -0.5, 39.5]


def test_network_diagram_names_every_size() -> None:
    (axes,) = diagrams.network_diagram(40, 188, [(4, 6), (6, 8), (8, 10), (10, 12)], 7).axes
    words = " ".join(text.get_text() for text in axes.texts).replace("\n", " ")
    for part in ("input 40 × 188", "4 × 6", "10 × 12", "3,200 numbers", "softmax 7", "loss C"):
        assert part in words


def test_pooling_marks_the_winners_and_prints_every_number() -> None:
    values = np.arange(16.0).reshape(4, 4)
    left, right = diagrams.pooling(values, np.array([[5.0, 7], [13, 15]]), [(1, 1), (3, 3)]).axes
    assert [patch.get_xy() for patch in left.patches] == [(0.5, 0.5), (2.5, 2.5)]
    assert [text.get_text() for text in left.texts] == [f"{value:g}" for value in range(16)]
    assert [text.get_text() for text in right.texts] == ["5", "7", "13", "15"]


def test_around_centers_joins_each_point_to_its_own_center() -> None:
    points = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 4.0]])
    centers = {"anger": (1.0, 1.0), "sadness": (5.0, 5.0)}
    figure = diagrams.around_centers(points, ["anger", "anger", "sadness"], centers)
    axes = figure.axes[0]
    ends = [tuple(map(tuple, line.get_xydata())) for line in axes.lines]
    assert ends == [((0, 1), (1, 1)), ((2, 3), (1, 1)), ((4, 4), (5, 5))]
    clouds = [item for item in axes.collections if isinstance(item, PathCollection)]
    np.testing.assert_array_equal(clouds[0].get_offsets(), points[:2])


def test_pictures_share_one_scale() -> None:
    figure = diagrams.pictures({"input": np.eye(4), "mean": np.full((4, 4), 0.5)}, 6.0)
    first, second, _ = figure.axes
    assert [axes.get_title() for axes in (first, second)] == ["input", "mean"]
    np.testing.assert_array_equal(first.images[0].get_array(), np.eye(4))
    assert first.images[0].get_clim() == second.images[0].get_clim() == (0, 1)
    with pytest.raises(ValueError, match=r"\(4, 4\), \(4, 5\)"):
        diagrams.pictures({"a": np.zeros((4, 4)), "b": np.zeros((4, 5))}, 6.0)


def test_curves_start_at_one() -> None:
    (axes,) = plots.curves({"a": [3.0, 2.0]}, xlabel="epoch", ylabel="loss", log=True).axes
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), [[1, 3], [2, 2]])
    assert axes.get_yscale() == "log"
    assert axes.get_legend() is None


def test_fold_map_colours_the_roles() -> None:
    roles = pd.DataFrame(
        [["train", "validate", "test"], ["train", "test", "validate"]], columns=["a", "b", "c"]
    )
    (axes,) = diagrams.fold_map(roles).axes
    (mesh,) = (item for item in axes.collections if isinstance(item, QuadMesh))
    np.testing.assert_array_equal(np.ravel(mesh.get_array()), [0, 1, 2, 0, 2, 1])
    assert [text.get_text() for text in axes.texts] == ["V", "T", "T", "V"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b", "c"]


def test_speaker_dots_draws_one_line_a_speaker_and_the_mean() -> None:
    table = pd.DataFrame({"S": [50.0, 70.0], "S+C": [60.0, 65.0]}, index=["a", "b"])
    (axes,) = plots.speaker_dots(table, chance=25.0).axes
    heights = [list(line.get_ydata()) for line in axes.lines]
    assert heights == [[50, 60], [70, 65], [25.0, 25.0]]
    (means,) = (item for item in axes.collections if isinstance(item, LineCollection))
    assert [segment[0][1] for segment in means.get_segments()] == [60, 62.5]


def test_confusion_prints_counts_and_shades_shares() -> None:
    figure = plots.confusion(np.array([[3, 1], [0, 0]]), ("anger", "sadness"))
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["3", "1", "0", "0"]
    (mesh,) = (item for item in axes.collections if isinstance(item, QuadMesh))
    np.testing.assert_allclose(np.ravel(mesh.get_array()), [75, 25, 0, 0])


def test_refusals_name_the_value() -> None:
    with pytest.raises(ValueError, match="'envy'"):
        plots.emotion_counts({"envy": 2})
    with pytest.raises(ValueError, match="same emotions"):
        plots.side_by_side({"anger": np.zeros(3)}, 2, {}, {})
    with pytest.raises(ValueError, match="'judge'"):
        diagrams.fold_map(pd.DataFrame([["judge"]]))
    with pytest.raises(ValueError, match=r"2 emotions .* \(3, 3\)"):
        plots.confusion(np.zeros((3, 3), dtype=int), ("anger", "sadness"))
    with pytest.raises(ValueError, match="no center for emotion 'fear'"):
        diagrams.around_centers(np.zeros((1, 2)), ["fear"], {})
