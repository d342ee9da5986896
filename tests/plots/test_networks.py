"""Figures of paper 2's networks draw the numbers they are given, and say what is missing."""

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from ser_lib import plots
from ser_lib.evidence import effects
from ser_lib.evidence.effects import Effect
from ser_lib.statistics import Interval
from tests.claims.test_printed import DRAWS, SIZE, evidence, records_of
from tests.figures import assert_house_style

WAITING = Effect(2, 6)


def ours(estimate: float) -> Effect:
    return Effect(6, 6, Interval(estimate, estimate - 0.05, estimate + 0.1))


def examples() -> dict[str, Figure]:
    two = {"short": np.eye(13, 30), "long": np.zeros((13, 30))}
    strips = {"short": np.ones((1, 390)), "long": np.zeros((1, 390))}
    return {
        "readings": plots.networks.readings({"mfcc_13x30": two, "mean_390": strips}),
        "by_layers": plots.networks.by_layers(
            {
                "FC-x": {6: ours(0.4), 7: ours(0.5), 8: WAITING, 9: WAITING},
                "ResNet-x": {10: WAITING, 11: WAITING},
                "GRU-x": {6: ours(0.3)},
                "RNN-x": {6: ours(0.3)},
            },
            {"FC-x": (7, 47.22), "ResNet-x": (11, 61.11)},
        ),
        "luck": plots.networks.luck(
            {"one": np.array([36, 36, 30, 40]), "best": np.array([[40, 42]])},
            72,
            true=0.5,
            printed={"best": 61.11},
        ),
    }


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text)]


def test_figures_keep_the_house_style() -> None:
    assert_house_style(examples)


def test_readings_share_one_scale_and_name_the_utterances() -> None:
    figure = examples()["readings"]
    images = [axes.images[0] for axes in figure.axes if axes.images]
    np.testing.assert_array_equal(images[0].get_array(), np.eye(13, 30))
    assert {image.get_clim() for image in images} == {(-3.0, 3.0)}
    said = words(figure)
    assert {"short\nmfcc_13x30", "long\nmfcc_13x30", "mean_390"} <= set(said)
    assert {"13", "30", "390"} <= set(said)
    one = {"short": np.eye(2)}
    for vectors in ({}, {"a": {}}, {"a": one, "b": {"long": np.eye(2)}}):
        with pytest.raises(ValueError, match="same utterances"):
            plots.networks.readings(vectors)


def test_by_layers_draws_what_is_whole_and_counts_the_rest() -> None:
    figure = examples()["by_layers"]
    fc, residual = figure.axes[:2]
    bars = fc.containers[0]
    np.testing.assert_allclose(bars.lines[0].get_xdata(), [6, 7])
    np.testing.assert_allclose(bars.lines[0].get_ydata(), [40.0, 50.0])
    segments = np.array(bars.lines[2][0].get_segments())
    np.testing.assert_allclose(segments[:, :, 1], [[35, 50], [45, 60]])
    assert "running: 4 of 12 runs" in [text.get_text() for text in fc.texts]
    assert "running: 4 of 12 runs" in [text.get_text() for text in residual.texts]
    assert not residual.containers
    np.testing.assert_allclose(residual.collections[0].get_offsets(), [[11, 61.11]])
    assert [axes.get_title() for axes in figure.axes[:4]] == ["FC-x", "ResNet-x", "GRU-x", "RNN-x"]
    assert not figure.axes[2].texts
    assert [axes.axison for axes in figure.axes] == [True] * 4 + [False] * 2
    for families, printed in (({}, {}), ({"a": {}}, {}), ({"a": {6: WAITING}}, {"b": (6, 1.0)})):
        with pytest.raises(ValueError, match="families to draw"):
            plots.networks.by_layers(families, printed)


def test_by_layers_appears_with_the_records() -> None:
    """From records to the figure: FC-7 and FC-8 are whole, of FC-9 four of ten draws are there."""
    parts = [records_of(share, model="fc", layers=x) for x, share in ((7, 0.75), (8, 0.5))]
    proof = evidence(*parts, records_of(0.5, model="fc", layers=9, folds=4))
    found = {
        x: effects.accuracy(
            proof, {"corpus": "fake", "model": "fc", "layers": x, "seeds": [0]}, "accuracy_overall"
        )
        for x in (7, 8, 9)
    }
    (axes,) = plots.networks.by_layers({"FC-x": found}, {}).axes
    drawn = axes.containers[0].lines[0]
    np.testing.assert_allclose(drawn.get_xdata(), [7, 8])
    more = sum(fold % 3 for fold in range(DRAWS)) / DRAWS  # what the fake adds by draw
    expected = [100 * (share * SIZE + more) / SIZE for share in (0.75, 0.5)]
    np.testing.assert_allclose(drawn.get_ydata(), expected)
    assert [text.get_text() for text in axes.texts] == ["running: 4 of 10 runs"]


def test_luck_draws_shares_of_tests() -> None:
    figure = examples()["luck"]
    one, best = figure.axes
    assert [bar.get_height() for bar in one.patches] == [25.0, 50.0, 25.0]
    centers = [bar.get_x() + bar.get_width() / 2 for bar in best.patches]
    np.testing.assert_allclose(centers, [100 * 40 / 72, 100 * 42 / 72])
    assert [line.get_xdata()[0] for line in (one.lines[0], best.lines[0])] == [50.0, 50.0]
    assert not one.collections
    assert best.collections[0].get_offsets()[0, 0] == 61.11
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["true accuracy of all", "printed by the paper"]
    for drawn in ({}, {"one": np.array([])}, {"one": np.array([73])}, {"one": np.array([-1])}):
        with pytest.raises(ValueError, match="must be from 0 to 72"):
            plots.networks.luck(drawn, 72, true=0.5, printed={})
