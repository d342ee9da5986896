"""The figures of angles draw the numbers they are given."""

import numpy as np
import pytest

from ser_lib import plots
from ser_lib.angles import angle_matrix
from tests.figures import assert_house_style

FOUR = ["anger", "happiness", "neutral", "sadness"]
EIGHT = ["anger", "calm", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"]


def matrix(count, dim, seed=0):
    return angle_matrix(np.random.default_rng(seed).normal(size=(count, dim))).numpy()


def texts(axes):
    return [text.get_text() for text in axes.texts]


def examples():
    eight = matrix(8, 20)
    two = {"a": (matrix(2, 3), FOUR[:2]), "b": (eight, EIGHT)}
    return {
        "intervals": plots.angles.angle_heat_maps(
            {"a": (eight, EIGHT)}, {"a": (0.9 * eight, eight)}
        ),
        "two maps": plots.angles.angle_heat_maps(two),
        "histogram": plots.angles.angle_histogram({"a": [1, 2]}, xlabel="angle"),
        "arrows": plots.angles.arrows(
            {"a": (1, 2), "b": (-1, -1)}, FOUR[:2], chords=[("a", "b")], circle=True
        ),
    }


def test_figures_keep_the_house_style():
    assert_house_style(examples)


def test_the_heat_map_shows_each_pair_once_with_its_interval():
    angles = np.array([[0, 50.4, 80], [50.4, 0, 70], [80, 70, 0]])
    panels = {"a": (angles, FOUR[:3]), "b": (angles / 2, FOUR[1:])}
    figure = plots.angles.angle_heat_maps(panels, dict.fromkeys("ab", (0.5 * angles, angles)))
    first, second = (axes for axes in figure.axes if axes.get_title())
    assert texts(first) == ["50°\n25 to 50", "80°\n40 to 80", "70°\n35 to 70"]
    assert [text.get_text() for text in second.get_xticklabels()] == FOUR[1:3]
    assert [text.get_text() for text in second.get_yticklabels()] == FOUR[2:]
    (alone, _) = plots.angles.angle_heat_maps({"b": panels["b"]}).axes
    assert texts(alone) == ["25°", "40°", "35°"]
    for axes in (first, second, alone):  # one scale for all, with 90 in its middle
        assert axes.collections[0].get_clim() == pytest.approx((25.2, 154.8))


def test_histograms_have_area_one():
    figure = plots.angles.angle_histogram({"a": [10, 11, 90], "b": [180, 0]}, xlabel="angle")
    for patch in figure.axes[0].patches:
        x, y = patch.get_xy().T
        assert abs(np.trapezoid(y, x)) == pytest.approx(1)


def test_arrows_go_from_the_origin_to_their_numbers():
    vectors = {"long": (3.0, 1.0), "short": (-1.0, 0.5)}
    figure = plots.angles.arrows(vectors, FOUR[:2], chords=[("long", "short")])
    drawn = [line.get_xydata().tolist() for line in figure.axes[0].lines]
    assert [[3.0, 1.0], [-1.0, 0.5]] in drawn
    for label, tip in vectors.items():
        assert [[0.0, 0.0], list(tip)] in drawn
        (text,) = (t for t in figure.axes[0].texts if t.get_text() == label)
        assert text.xy == tip


RIGHT = [[0, 90], [90, 0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plots.angles.arrows({"a": (1, 2)}, ["envy"]), "'envy'"),
        (lambda: plots.angles.arrows({"a": (1, 2)}, FOUR), "4 emotions for 1 vectors"),
        (lambda: plots.angles.angle_heat_maps({}), "one or more"),
        (
            lambda: plots.angles.angle_heat_maps({"a": (np.ones((3, 2)), ["anger", "fear"])}),
            r"angles of shape \(3, 2\)",
        ),
        (lambda: plots.angles.angle_heat_maps({"a": (RIGHT, FOUR)}), r"expected \(4, 4\)"),
        (lambda: plots.angles.angle_heat_maps({"a": (RIGHT, FOUR[:2])}, {}), "for the same"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ValueError, match=message):
        call()
