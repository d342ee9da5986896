"""Figures of test sets: what is drawn is what was given."""

import numpy as np
import pandas as pd
import pytest

from ser_lib import plots
from ser_lib.evidence.effects import Effect
from ser_lib.statistics import Interval
from tests.figures import assert_house_style

FIGURES = ["47.22", "58.33", "55.56", "56.94", "54.16", "61.11", "91.67"]


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def examples():
    speakers = pd.Series([0.4, 0.6])
    whole = Effect(6, 6, Interval(0.5, 0.4, 0.6), speakers, form="{:.1f}")
    given = {"speakers": whole, "random": Effect(3, 30)}
    return {
        "sizes": plots.protocols.possible_sizes(FIGURES, largest=300, stated=216),
        "draws": plots.protocols.draws([40, 41, 41, 50], 72, printed=66),
        "no draws": plots.protocols.draws([], 72, printed=66, note="running: 1 of 100 runs"),
        "accuracies": plots.protocols.accuracies(given, printed={"the poster": 91.67}),
    }


def test_figures_keep_the_house_style():
    assert_house_style(examples)


def test_sizes_that_fit_all_are_marked():
    figure = examples()["sizes"]
    lines = figure.axes[0].lines
    assert lines[len(FIGURES)].get_xdata().tolist() == [72, 144, 216, 288]
    assert set(lines[6].get_xdata()) >= {12, 24, 36, 72}  # 91.67 % are 11 of 12
    assert texts(figure) == ["stated: 216"]


def test_draws_are_counted():
    figure, empty = examples()["draws"], examples()["no draws"]
    axes = figure.axes[0]
    assert [bar.get_height() for bar in axes.patches] == [1, 2, 1]
    assert axes.lines[0].get_xdata()[0] == pytest.approx(91.67, abs=0.01)
    assert "running: 1 of 100 runs" in texts(empty)
    assert axes.yaxis.get_visible()
    assert not empty.axes[0].yaxis.get_visible()
    with pytest.raises(ValueError, match="0 to 73, the size is 72"):
        plots.protocols.draws([0, 73], 72, printed=66)


def test_accuracies_and_what_is_missing():
    figure = examples()["accuracies"]
    lines = [line.get_xdata() for line in figure.axes[0].lines]
    assert np.allclose(lines[0], [40, 60])
    assert np.allclose(lines[1], [40, 60])
    assert np.allclose(lines[2], [50])
    assert np.allclose(lines[3], [91.67, 91.67])
    assert texts(figure) == ["running: 3 of 30 runs", "the poster"]
    with pytest.raises(ValueError, match="0 effects"):
        plots.protocols.accuracies({})
