"""The figures of effects draw the numbers they are given, and say what is missing."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from ser_lib import plots
from ser_lib.evidence import effects
from ser_lib.evidence.effects import Effect
from ser_lib.statistics import Interval
from tests.fake_records import DRAWS, SIZE, records_of, vector_evidence
from tests.figures import assert_house_style

WAITING = Effect(3, 30, smallest=0.02)


def effect(estimate: float, speakers: list[float] | None = None) -> Effect:
    interval = Interval(estimate, estimate - 0.03, estimate + 0.05)
    own = pd.Series(speakers) if speakers else None
    return Effect(30, 30, interval, own, smallest=0.02)


def ours(estimate: float) -> Effect:
    return Effect(6, 6, Interval(estimate, estimate - 0.05, estimate + 0.1))


def examples() -> dict[str, Figure]:
    speakers = pd.Series([0.4, 0.6])
    whole = Effect(6, 6, Interval(0.5, 0.4, 0.6), speakers, form="{:.1f}")
    given = {"speakers": whole, "random": Effect(3, 30)}
    return {
        "differences": plots.effects.differences(
            {"one": effect(0.01, [0.0, 0.1]), "two": WAITING}, printed={"one": 4.2}
        ),
        "forest": plots.effects.forest(
            {
                "EMO-DB": {"one": effect(0.01, [0.0, 0.1]), "two": WAITING},
                "RAVDESS": {"one": WAITING},
            },
            printed={"EMO-DB": {"one": 4.2, "two": 4.9}},
        ),
        "sweep": plots.effects.sweep(
            {"S+C": {0.1: effect(0.7), 1.0: WAITING, 4.0: effect(0.6)}},
            xlabel="weight",
            reference=("S", effect(0.65)),
            marks={4.0: "printed"},
            second_axis=(64, "another scale"),
        ),
        "accuracies": plots.effects.accuracies(given, printed={"the poster": 91.67}),
        "by_layers": plots.effects.by_layers(
            {
                "FC-x": {6: ours(0.4), 7: ours(0.5), 8: WAITING, 9: WAITING},
                "ResNet-x": {10: WAITING, 11: WAITING},
                "GRU-x": {6: ours(0.3)},
                "RNN-x": {6: ours(0.3)},
            },
            {"FC-x": (7, 47.22), "ResNet-x": (11, 61.11)},
        ),
    }


def test_figures_keep_the_house_style() -> None:
    assert_house_style(examples)


def words(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(matplotlib.text.Text))


def test_differences_are_in_points_with_speakers_interval_and_printed_gain() -> None:
    figure = examples()["differences"]
    (axes,) = figure.axes
    (interval,) = (line for line in axes.lines if list(line.get_ydata()) == [0, 0])
    np.testing.assert_allclose(interval.get_xdata(), [-2.0, 6.0])
    clouds = [item for item in axes.collections if isinstance(item, PathCollection)]
    places = [np.asarray(cloud.get_offsets())[:, 0].tolist() for cloud in clouds]
    assert places == [[0.0, 10.0], [pytest.approx(1.0)], [4.2]]
    assert "running: 3 of 30 runs" in words(figure)
    bands = [c.get_paths()[0].get_extents() for c in axes.collections if c.get_zorder() == 0]
    assert [(band.x0, band.x1) for band in bands] == [(-2.0, 2.0)] * 2
    assert [text.get_text() for text in axes.texts] == ["running: 3 of 30 runs", "one", "two"]
    assert [text.get_position() for text in axes.texts[1:]] == [(0.0, -0.38), (0.0, 0.62)]
    only_waiting = plots.effects.differences({"two": WAITING})
    assert not only_waiting.legends
    with pytest.raises(ValueError, match="0 effects"):
        plots.effects.differences({})
    with pytest.raises(ValueError, match=r"printed gain of \['other'\]"):
        plots.effects.differences({"one": WAITING}, printed={"other": 1.0})


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
    waiting = plots.effects.sweep(several, xlabel="share", reference=("all", WAITING))
    for part in ("S: running: 3", "S+C: running: 3", "all (running: 3 of 30 runs)"):
        assert part in words(waiting)
    assert waiting.axes[0].get_ylim() == (0, 100)
    for series in ({}, {"S": {}}, {"S": {0.0: WAITING}}):
        with pytest.raises(ValueError, match="must be positive"):
            plots.effects.sweep(series, xlabel="share")


def test_a_forest_has_a_panel_each_and_no_speakers() -> None:
    upper, lower = examples()["forest"].axes
    assert [axes.get_title(loc="left") for axes in (upper, lower)] == ["EMO-DB", "RAVDESS"]
    points = [c.get_offsets().tolist() for c in upper.collections if isinstance(c, PathCollection)]
    assert points == [[[1.0, 0.0]], [[4.2, 0.22]], [[4.9, 1.22]]]
    assert [text.get_text() for text in upper.texts] == ["running: 3 of 30 runs", "one", "two"]
    assert [text.get_text() for text in lower.texts] == ["running: 3 of 30 runs", "one"]
    for panels in ({}, {"EMO-DB": {}}):
        with pytest.raises(ValueError, match="effects in every panel"):
            plots.effects.forest(panels, printed={})


def test_accuracies_and_what_is_missing():
    figure = examples()["accuracies"]
    lines = [line.get_xdata() for line in figure.axes[0].lines]
    assert np.allclose(lines[0], [40, 60])
    assert np.allclose(lines[1], [40, 60])
    assert np.allclose(lines[2], [91.67, 91.67])
    assert figure.axes[0].collections[0].get_offsets().tolist() == [[50, 0]]
    assert [text.get_text() for text in figure.axes[0].texts] == [
        "running: 3 of 30 runs",
        "the poster",
        "speakers",
        "random",
    ]
    with pytest.raises(ValueError, match="0 effects"):
        plots.effects.accuracies({})


def test_by_layers_draws_what_is_whole_and_counts_the_rest() -> None:
    figure = examples()["by_layers"]
    fc, residual = figure.axes[:2]
    bars = fc.containers[0]
    np.testing.assert_allclose(bars.lines[0].get_xdata(), [6, 7])
    np.testing.assert_allclose(bars.lines[0].get_ydata(), [40.0, 50.0])
    segments = np.array(bars.lines[2][0].get_segments())
    np.testing.assert_allclose(segments[:, :, 1], [[35, 50], [45, 60]])
    assert "running: 6 of 60 runs" in [text.get_text() for text in fc.texts]
    assert "running: 6 of 60 runs" in [text.get_text() for text in residual.texts]
    assert not residual.containers
    np.testing.assert_allclose(residual.collections[0].get_offsets(), [[11, 61.11]])
    assert [axes.get_title() for axes in figure.axes[:4]] == ["FC-x", "ResNet-x", "GRU-x", "RNN-x"]
    assert not figure.axes[2].texts
    assert [axes.axison for axes in figure.axes] == [True] * 4 + [False] * 2
    for families, printed in (({}, {}), ({"a": {}}, {}), ({"a": {6: WAITING}}, {"b": (6, 1.0)})):
        with pytest.raises(ValueError, match="families to draw"):
            plots.effects.by_layers(families, printed)


def test_by_layers_appears_with_the_records() -> None:
    """From records to the figure: FC-7 and FC-8 are whole, of FC-9 four of ten draws are there."""
    parts = [records_of(share, model="fc", layers=x) for x, share in ((7, 0.75), (8, 0.5))]
    proof = vector_evidence(*parts, records_of(0.5, model="fc", layers=9, folds=4))
    found = {
        x: effects.accuracy(
            proof, {"corpus": "fake", "model": "fc", "layers": x, "seeds": [0]}, "accuracy_overall"
        )
        for x in (7, 8, 9)
    }
    (axes,) = plots.effects.by_layers({"FC-x": found}, {}).axes
    drawn = axes.containers[0].lines[0]
    np.testing.assert_allclose(drawn.get_xdata(), [7, 8])
    more = sum(fold % 3 for fold in range(DRAWS)) / DRAWS  # what the fake adds by draw
    expected = [100 * (share * SIZE + more) / SIZE for share in (0.75, 0.5)]
    np.testing.assert_allclose(drawn.get_ydata(), expected)
    assert [text.get_text() for text in axes.texts] == ["running: 4 of 10 runs"]
