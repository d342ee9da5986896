"""The figures draw the numbers they are given, and say what is missing."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from ser_lib import plots
from ser_lib.evidence.effects import Effect
from ser_lib.statistics import Interval
from tests.figures import assert_house_style

WAITING = Effect(3, 30, smallest=0.02)


def effect(estimate: float, speakers: list[float] | None = None) -> Effect:
    interval = Interval(estimate, estimate - 0.03, estimate + 0.05)
    own = pd.Series(speakers) if speakers else None
    return Effect(30, 30, interval, own, smallest=0.02)


def curve(*values: float) -> pd.DataFrame:
    mean = np.array(values)
    columns = {"mean": mean, "low": mean - 0.1, "high": mean + 0.1}
    return pd.DataFrame(columns, index=range(1, len(values) + 1))


def examples() -> dict[str, Figure]:
    empty = curve()
    return {
        "pulls": plots.ablations.pulls(
            {"anger": 0.7, "sadness": -0.7}, np.arange(4.0) - 1, np.eye(4) - 0.5, 6.0
        ),
        "learning_curves": plots.ablations.learning_curves(
            {
                "loss": {"S": curve(1.0, 0.5), "S+A (running: 3 of 30 runs)": empty},
                "accuracy": {"S": curve(0.3, 0.6)},
                "error": {"A": curve(0.2, 0.1)},
            },
            log=("loss",),
        ),
        "differences": plots.ablations.differences(
            {"one": effect(0.01, [0.0, 0.1]), "two": WAITING}, printed={"one": 4.2}
        ),
        "forest": plots.ablations.forest(
            {
                "EMO-DB": {"one": effect(0.01, [0.0, 0.1]), "two": WAITING},
                "RAVDESS": {"one": WAITING},
            },
            printed={"EMO-DB": {"one": 4.2, "two": 4.9}},
        ),
        "sweep": plots.ablations.sweep(
            {"S+C": {0.1: effect(0.7), 1.0: WAITING, 4.0: effect(0.6)}},
            xlabel="weight",
            reference=("S", effect(0.65)),
            marks={4.0: "printed"},
            second_axis=(64, "another scale"),
        ),
    }


def test_figures_keep_the_house_style() -> None:
    assert_house_style(examples)


def words(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(matplotlib.text.Text))


def test_pulls_have_the_lengths_that_they_are_given() -> None:
    bars, numbers, image, _ = examples()["pulls"].axes
    assert [bar.get_width() for bar in bars.patches] == [0.7, -0.7]
    assert [bar.get_height() for bar in numbers.patches] == [-1, 0, 1, 2]
    np.testing.assert_array_equal(image.images[0].get_array(), np.eye(4) - 0.5)
    with pytest.raises(ValueError, match="no colour for emotion 'awe'"):
        plots.ablations.pulls({"awe": 1.0}, np.ones(2), np.ones((2, 2)), 1.0)


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
            plots.ablations.learning_curves(panels)


def test_differences_are_in_points_with_speakers_interval_and_printed_gain() -> None:
    figure = examples()["differences"]
    (axes,) = figure.axes
    interval = next(line for line in axes.lines if list(line.get_ydata()) == [0, 0])
    np.testing.assert_allclose(interval.get_xdata(), [-2.0, 6.0])
    clouds = [item for item in axes.collections if isinstance(item, PathCollection)]
    places = [np.asarray(cloud.get_offsets())[:, 0].tolist() for cloud in clouds]
    assert places == [[0.0, 10.0], [pytest.approx(1.0)], [4.2]]
    assert "running: 3 of 30 runs" in words(figure)
    band = axes.patches[0].get_path().get_extents(axes.patches[0].get_patch_transform())
    assert (band.x0, band.x1) == (-2.0, 2.0)
    only_waiting = plots.ablations.differences({"two": WAITING})
    assert not only_waiting.legends
    with pytest.raises(ValueError, match="0 effects"):
        plots.ablations.differences({})
    with pytest.raises(ValueError, match=r"printed gain of \['other'\]"):
        plots.ablations.differences({"one": WAITING}, printed={"other": 1.0})


def test_a_sweep_has_both_scales_its_marks_and_what_is_missing() -> None:
    figure = examples()["sweep"]
    axes = figure.axes[0]
    bars = axes.containers[0]
    np.testing.assert_allclose(bars.lines[0].get_xdata(), [0.1, 4.0])
    np.testing.assert_allclose(bars.lines[0].get_ydata(), [70.0, 60.0])
    segments = bars.lines[2][0].get_segments()
    np.testing.assert_allclose(np.array(segments)[:, :, 1], [[67, 75], [57, 65]])
    text = words(figure)
    assert "running: 3 of 30 runs" in text
    for part in ("printed", "another scale", "6.4", "64", "256"):
        assert part in text
    several = {"S": {1.0: WAITING}, "S+C": {1.0: WAITING}}
    waiting = plots.ablations.sweep(several, xlabel="share", reference=("all", WAITING))
    for part in ("S: running: 3", "S+C: running: 3", "all (running: 3 of 30 runs)"):
        assert part in words(waiting)
    assert waiting.axes[0].get_ylim() == (0, 100)
    for series in ({}, {"S": {}}, {"S": {0.0: WAITING}}):
        with pytest.raises(ValueError, match="must be positive"):
            plots.ablations.sweep(series, xlabel="share")


def test_a_forest_has_a_panel_each_and_no_speakers() -> None:
    upper, lower = examples()["forest"].axes
    assert [axes.get_title(loc="left") for axes in (upper, lower)] == ["EMO-DB", "RAVDESS"]
    points = [c.get_offsets().tolist() for c in upper.collections if isinstance(c, PathCollection)]
    assert points == [[[1.0, 0.0]], [[4.2, 0.22]], [[4.9, 1.22]]]
    assert [text.get_text() for text in upper.texts] == ["running: 3 of 30 runs"]
    assert [label.get_text() for label in lower.get_yticklabels()] == ["one"]
    for panels in ({}, {"EMO-DB": {}}):
        with pytest.raises(ValueError, match="effects in every panel"):
            plots.ablations.forest(panels, printed={})
