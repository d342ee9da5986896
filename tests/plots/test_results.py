"""The figures of answers draw the numbers they are given."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, QuadMesh
from matplotlib.figure import Figure

from ser_lib import plots
from tests.figures import assert_house_style


def curve(*values: float) -> pd.DataFrame:
    mean = np.array(values)
    columns = {"mean": mean, "low": mean - 0.1, "high": mean + 0.1}
    return pd.DataFrame(columns, index=range(1, len(values) + 1))


def examples() -> dict[str, Figure]:
    names = ("anger", "sadness")
    accuracies = pd.DataFrame({"S": [50.0, 70.0], "S+C": [60.0, 65.0]}, index=["a", "b"])
    return {
        "curves": plots.results.curves(
            {"a": [3.0, 2.0], "b": [1.0, 0.5]}, xlabel="step", ylabel="loss"
        ),
        "speaker_dots": plots.results.speaker_dots(accuracies, chance=25.0),
        "confusion": plots.results.confusion(np.array([[3, 1], [0, 4]]), names),
        "confusions": plots.results.confusions(
            {"S": np.eye(2, dtype=int), "S+C": np.full((2, 2), 3)}, names
        ),
        "epochs": plots.results.epochs(
            {"one": {"A": [4.0, 2.0, 1.0], "S+A": [3.0, 1.0, 1.0]}, "two": "running", "three": {}},
            {"one": {"mean input": 0.5}, "two": {"mean input": 0.7}},
            ylabel="error",
        ),
        "learning_curves": plots.results.learning_curves(
            {
                "loss": {"S": curve(1.0, 0.5), "S+A (running: 3 of 30 runs)": curve()},
                "accuracy": {"S": curve(0.3, 0.6)},
                "error": {"A": curve(0.2, 0.1)},
            },
            log=("loss",),
        ),
    }


def test_figures_keep_the_house_style() -> None:
    assert_house_style(examples)


def test_curves_start_at_one() -> None:
    (axes,) = plots.results.curves({"a": [3.0, 2.0]}, xlabel="epoch", ylabel="loss", log=True).axes
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), [[1, 3], [2, 2]])
    assert axes.get_yscale() == "log"
    assert axes.get_legend() is None


def test_speaker_dots_draws_one_line_a_speaker_and_the_mean() -> None:
    table = pd.DataFrame({"S": [50.0, 70.0], "S+C": [60.0, 65.0]}, index=["a", "b"])
    (axes,) = plots.results.speaker_dots(table, chance=25.0).axes
    heights = [list(line.get_ydata()) for line in axes.lines]
    assert heights == [[50, 60], [70, 65], [25.0, 25.0]]
    (means,) = (item for item in axes.collections if isinstance(item, LineCollection))
    assert [segment[0][1] for segment in means.get_segments()] == [60, 62.5]


def test_confusion_prints_counts_and_shades_shares() -> None:
    figure = plots.results.confusion(np.array([[3, 1], [0, 0]]), ("anger", "sadness"))
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["3", "1", "0", "0"]
    (mesh,) = (item for item in axes.collections if isinstance(item, QuadMesh))
    np.testing.assert_allclose(np.ravel(mesh.get_array()), [75, 25, 0, 0])


def test_confusions_share_one_bar():
    figure = examples()["confusions"]
    meshes = [c for axes in figure.axes for c in axes.collections if isinstance(c, QuadMesh)]
    assert np.allclose(meshes[0].get_array(), 100 * np.eye(2))
    assert np.allclose(meshes[1].get_array(), 50)
    assert len(figure.axes) == 3  # two matrices and the bar
    with pytest.raises(ValueError, match="2 emotions"):
        plots.results.confusions({"S": np.eye(3, dtype=int)}, ["anger", "sadness"])


def test_epochs_start_at_one_and_a_missing_panel_has_a_note():
    one, two, three, unused = examples()["epochs"].axes
    assert [list(line.get_xdata()) for line in one.lines[:2]] == [[1, 2, 3]] * 2
    assert list(one.lines[0].get_ydata()) == [4.0, 2.0, 1.0]
    assert [line.get_ydata()[0] for line in (one.lines[2], two.lines[0])] == [0.5, 0.7]
    assert [text.get_text() for text in two.texts] == ["running"]
    assert not three.lines
    assert not unused.axison


def test_a_matrix_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"2 emotions .* \(3, 3\)"):
        plots.results.confusion(np.zeros((3, 3), dtype=int), ("anger", "sadness"))


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.results.confusions({}, ["anger"]),
        lambda: plots.results.epochs({}, {}, ylabel="error"),
        lambda: plots.results.epochs({"one": {"A": []}}, {}, ylabel="error"),
    ],
)
def test_nothing_to_draw_is_refused(draw):
    with pytest.raises(ValueError, match=r"no confusion|nothing to draw"):
        draw()


def test_learning_curves_keep_a_label_in_all_panels_and_name_what_is_missing() -> None:
    figure = examples()["learning_curves"]
    loss, accuracy, error = figure.axes
    np.testing.assert_array_equal(loss.lines[0].get_ydata(), [1.0, 0.5])
    np.testing.assert_array_equal(loss.lines[0].get_xdata(), [1, 2])
    assert len(loss.lines[1].get_ydata()) == 0
    assert len(loss.collections) == 1  # no band where there is no curve
    assert loss.lines[0].get_color() == accuracy.lines[0].get_color()
    assert error.lines[0].get_color() != accuracy.lines[0].get_color()
    assert (loss.get_yscale(), accuracy.get_yscale()) == ("log", "linear")
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["S", "S+A (running: 3 of 30 runs)", "A"]
    for panels in ({}, {"loss": {}}, {"loss": {str(n): curve(1.0) for n in range(5)}}):
        with pytest.raises(ValueError, match="1 to 4 curves can be drawn"):
            plots.results.learning_curves(panels)
