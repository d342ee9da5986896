"""The figures beside the tables draw the numbers they are given."""

import numpy as np
import pytest
from matplotlib.collections import QuadMesh

from ser_lib import table_plots
from tests.figures import assert_house_style


def examples():
    return {
        "confusions": table_plots.confusions(
            {"S": np.eye(2, dtype=int), "S+C": np.full((2, 2), 3)}, ["anger", "sadness"]
        ),
        "epochs": table_plots.epochs(
            {"one": {"A": [4.0, 2.0, 1.0], "S+A": [3.0, 1.0, 1.0]}, "two": "running", "three": {}},
            {"one": {"mean input": 0.5}, "two": {"mean input": 0.7}},
            ylabel="error",
        ),
    }


def test_figures_keep_the_house_style():
    assert_house_style(examples)


def test_confusions_share_one_bar():
    figure = examples()["confusions"]
    meshes = [c for axes in figure.axes for c in axes.collections if isinstance(c, QuadMesh)]
    assert np.allclose(meshes[0].get_array(), 100 * np.eye(2))
    assert np.allclose(meshes[1].get_array(), 50)
    assert len(figure.axes) == 3  # two matrices and the bar
    with pytest.raises(ValueError, match="2 emotions"):
        table_plots.confusions({"S": np.eye(3, dtype=int)}, ["anger", "sadness"])


def test_epochs_start_at_one_and_a_missing_panel_has_a_note():
    one, two, three, unused = examples()["epochs"].axes
    assert [list(line.get_xdata()) for line in one.lines[:2]] == [[1, 2, 3]] * 2
    assert list(one.lines[0].get_ydata()) == [4.0, 2.0, 1.0]
    assert [line.get_ydata()[0] for line in (one.lines[2], two.lines[0])] == [0.5, 0.7]
    assert [text.get_text() for text in two.texts] == ["running"]
    assert not three.lines
    assert not unused.get_visible()


@pytest.mark.parametrize(
    "draw",
    [
        lambda: table_plots.confusions({}, ["anger"]),
        lambda: table_plots.epochs({}, {}, ylabel="error"),
        lambda: table_plots.epochs({"one": {"A": []}}, {}, ylabel="error"),
    ],
)
def test_nothing_to_draw_is_refused(draw):
    with pytest.raises(ValueError, match=r"no confusion|nothing to draw"):
        draw()
