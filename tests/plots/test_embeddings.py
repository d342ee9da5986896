"""The figures of embeddings draw the numbers they are given."""

import numpy as np
import pytest
from matplotlib.collections import PathCollection

from ser_lib import plots
from tests.figures import assert_house_style

NAMES = ("anger", "sadness")
POINTS = np.array([[0.0, 1.0], [2.0, 3.0], [1.0, 1.0]])
CENTERS = np.array([[0.5, 0.5], [2.0, 2.0]])


def drawn(axes):
    return [np.asarray(c.get_offsets()) for c in axes.collections if isinstance(c, PathCollection)]


def examples():
    panel = (POINTS, CENTERS)
    return {
        "three": plots.embeddings.embeddings(
            {"a": panel, "b": panel, "c": panel}, [0, 1, 0], NAMES
        ),
        "four": plots.embeddings.embeddings(dict.fromkeys("abcd", panel), [0, 1, 0], NAMES),
        "maps": plots.embeddings.maps(
            dict.fromkeys("abc", (POINTS, ["anger", "sadness", "anger"]))
        ),
        "around_centers": plots.embeddings.around_centers(
            np.array([[0.0, 1.0], [2.0, 3.0]]), NAMES, {"anger": (0, 0), "sadness": (2, 2)}
        ),
    }


def test_figures_keep_the_house_style():
    assert_house_style(examples)


def test_embeddings_draws_points_by_class_and_a_ring_at_each_center():
    other = (POINTS + 1, CENTERS + 1)
    figure = plots.embeddings.embeddings({"a": (POINTS, CENTERS), "b": other}, [0, 1, 0], NAMES)
    for shift, axes in enumerate(figure.axes[:2]):
        anger, sadness, *rings = drawn(axes)
        np.testing.assert_array_equal(anger, POINTS[[0, 2]] + shift)
        np.testing.assert_array_equal(sadness, POINTS[[1]] + shift)
        np.testing.assert_array_equal(np.concatenate(rings), CENTERS + shift)
    assert [axes.get_title() for axes in figure.axes[:2]] == ["a", "b"]


def test_maps_draw_each_panel_with_its_own_emotions_and_no_numbers():
    one = (POINTS, ["anger", "sadness", "anger"])
    figure = plots.embeddings.maps({"a": one, "b": (POINTS[:1] + 1, ["sadness"])})
    left, right = figure.axes
    np.testing.assert_array_equal(drawn(left)[0], POINTS[[0, 2]])
    np.testing.assert_array_equal(drawn(left)[1], POINTS[[1]])
    np.testing.assert_array_equal(drawn(right)[0], POINTS[:1] + 1)
    assert [axes.get_title() for axes in figure.axes] == ["a", "b"]
    assert not [*left.get_xticks(), *left.get_yticks()]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["anger", "sadness"]


def test_refusals_name_the_value():
    with pytest.raises(ValueError, match="'envy'"):
        plots.embeddings.embeddings({"a": (POINTS, CENTERS)}, [0, 1, 0], ("anger", "envy"))
    with pytest.raises(ValueError, match=r"'a'.*\(3, 2\).*expected \(2, 2\)"):
        plots.embeddings.embeddings({"a": (POINTS, CENTERS)}, [0, 1], NAMES)
    with pytest.raises(ValueError, match="no panel"):
        plots.embeddings.embeddings({}, [0], NAMES)
    with pytest.raises(ValueError, match="no panel"):
        plots.embeddings.maps({})
    with pytest.raises(ValueError, match="'envy'"):
        plots.embeddings.maps({"a": (POINTS[:1], ["envy"])})
    with pytest.raises(ValueError, match=r"'a'.*\(3, 2\).*expected \(2, 2\)"):
        plots.embeddings.maps({"a": (POINTS, ["anger", "sadness"])})


def test_around_centers_joins_each_point_to_its_own_center() -> None:
    points = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 4.0]])
    centers = {"anger": (1.0, 1.0), "sadness": (5.0, 5.0)}
    figure = plots.embeddings.around_centers(points, ["anger", "anger", "sadness"], centers)
    axes = figure.axes[0]
    ends = [tuple(map(tuple, line.get_xydata())) for line in axes.lines]
    assert ends == [((0, 1), (1, 1)), ((2, 3), (1, 1)), ((4, 4), (5, 5))]
    clouds = [item for item in axes.collections if isinstance(item, PathCollection)]
    np.testing.assert_array_equal(clouds[0].get_offsets(), points[:2])
