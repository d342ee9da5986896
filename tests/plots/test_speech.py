"""The figures of recordings and features draw the numbers they are given."""

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ser_lib import plots
from ser_lib.plots.style import EMOTION_COLOURS
from tests.figures import assert_house_style

RNG = np.random.default_rng(0)


def examples() -> dict[str, Figure]:
    names = ("anger", "sadness")
    signals = {name: RNG.normal(size=16000).astype(np.float32) for name in names}
    bands = {name: RNG.normal(size=(128, 32)) for name in names}
    cepstra = {name: RNG.normal(size=(40, 32)) for name in names}
    cubes = {"short": np.eye(13, 30), "long": np.zeros((13, 30))}
    strips = {"short": np.ones((1, 390)), "long": np.zeros((1, 390))}
    return {
        "emotion_counts": plots.speech.emotion_counts({"anger": 3, "sadness": 5}),
        "side_by_side": plots.speech.side_by_side(signals, 16000, bands, cepstra),
        "mel_filters": plots.speech.mel_filters(
            np.arange(5.0), np.arange(5.0) ** 0.5, np.eye(5)[1:4]
        ),
        "envelopes": plots.speech.envelopes(np.arange(8.0), {"3 kept": np.ones(8)}),
        "pictures": plots.speech.pictures({"input": np.eye(4), "mean": np.zeros((4, 4))}, 6.0),
        "readings": plots.speech.readings({"mfcc_13x30": cubes, "mean_390": strips}),
    }


def test_figures_keep_the_house_style() -> None:
    assert_house_style(examples)


def test_emotion_counts_draws_the_counts() -> None:
    (axes,) = plots.speech.emotion_counts({"sadness": 5, "anger": 3}).axes
    bars = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert [bar.get_width() for bar in bars] == [5, 3]
    assert to_rgb(bars[1].get_facecolor()) == to_rgb(EMOTION_COLOURS["anger"])


def test_side_by_side_shares_scales() -> None:
    signals = {"anger": np.array([0.0, 0.5, -0.5, 0.0]), "sadness": np.array([0.1, -0.1])}
    bands = {"anger": np.zeros((128, 3)), "sadness": np.full((128, 2), -100.0)}
    cepstra = {"anger": np.ones((40, 3)), "sadness": np.full((40, 2), 2.0)}
    figure = plots.speech.side_by_side(signals, 2, bands, cepstra)
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
    curve, filters = plots.speech.mel_filters(np.arange(3.0), np.array([0, 5.0, 6.0]), bank).axes
    np.testing.assert_array_equal(curve.lines[0].get_ydata(), [0, 5, 6])
    np.testing.assert_allclose(filters.lines[0].get_ydata(), [np.nan, 1, 0.5])
    np.testing.assert_allclose(filters.lines[1].get_ydata(), [np.nan, np.nan, 1])


def test_refusals_name_the_value() -> None:
    with pytest.raises(ValueError, match="'envy'"):
        plots.speech.emotion_counts({"envy": 2})
    with pytest.raises(ValueError, match="same emotions"):
        plots.speech.side_by_side({"anger": np.zeros(3)}, 2, {}, {})


def test_pictures_share_one_scale() -> None:
    figure = plots.speech.pictures({"input": np.eye(4), "mean": np.full((4, 4), 0.5)}, 6.0)
    first, second, _ = figure.axes
    assert [axes.get_title() for axes in (first, second)] == ["input", "mean"]
    np.testing.assert_array_equal(first.images[0].get_array(), np.eye(4))
    assert first.images[0].get_clim() == second.images[0].get_clim() == (0, 1)
    with pytest.raises(ValueError, match=r"\(4, 4\), \(4, 5\)"):
        plots.speech.pictures({"a": np.zeros((4, 4)), "b": np.zeros((4, 5))}, 6.0)


def test_readings_share_one_scale_and_name_the_utterances() -> None:
    figure = examples()["readings"]
    images = [axes.images[0] for axes in figure.axes if axes.images]
    np.testing.assert_array_equal(images[0].get_array(), np.eye(13, 30))
    assert {image.get_clim() for image in images} == {(-3.0, 3.0)}
    said = [text.get_text() for text in figure.findobj(matplotlib.text.Text)]
    assert {"short\nmfcc_13x30", "long\nmfcc_13x30", "mean_390"} <= set(said)
    assert {"13", "30", "390"} <= set(said)
    one = {"short": np.eye(2)}
    for vectors in ({}, {"a": {}}, {"a": one, "b": {"long": np.eye(2)}}):
        with pytest.raises(ValueError, match="same utterances"):
            plots.speech.readings(vectors)
