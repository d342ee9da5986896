"""Figures of test sets and luck: what is drawn is what was given."""

import numpy as np
import pytest

from ser_lib import plots
from tests.figures import assert_house_style

FIGURES = ["47.22", "58.33", "55.56", "56.94", "54.16", "61.11", "91.67"]


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def examples():
    return {
        "sizes": plots.chance.possible_sizes(FIGURES, largest=300, stated=216),
        "draws": plots.chance.draws([40, 41, 41, 50], 72, printed=66),
        "no draws": plots.chance.draws([], 72, printed=66, note="running: 1 of 100 runs"),
        "luck": plots.chance.luck(
            {"one": np.array([36, 36, 30, 40]), "best": np.array([[40, 42]])},
            72,
            true=0.5,
            printed={"best": 61.11},
        ),
    }


def test_figures_keep_the_house_style() -> None:
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
        plots.chance.draws([0, 73], 72, printed=66)


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
            plots.chance.luck(drawn, 72, true=0.5, printed={})
