"""Figures of what test sets and luck do to an accuracy: possible sizes, draws, the best of many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from ser_lib.plots.style import GREY, SERIES_COLOURS, handles_of, new_figure, outer_legend
from ser_lib.statistics import attainable

if TYPE_CHECKING:
    from numpy.typing import NDArray


def possible_sizes(figures: Sequence[str], *, largest: int, stated: int) -> Figure:
    """Which sizes of a test set could give each printed figure, and which could give all.

    Args:
        figures: percentages as printed.
        largest: size up to which to look.
        stated: size that the source states, marked above the rows.

    Raises:
        ValueError: as for :func:`ser_lib.statistics.attainable`.
    """
    sizes = np.arange(1, largest + 1)
    with new_figure(9.0, 1.4 + 0.35 * (len(figures) + 1)) as figure:
        axes = figure.add_subplot()
        for row, printed in enumerate(figures):
            fits = [size for size in sizes if attainable([printed], int(size))]
            axes.plot(fits, np.full(len(fits), row), "|", color=GREY, markersize=9)
        together = [size for size in sizes if attainable(figures, int(size))]
        row = len(figures)
        axes.plot(together, np.full(len(together), row), "o", color=SERIES_COLOURS[0])
        top = axes.get_xaxis_transform()
        axes.plot(
            stated, 1.03, "v", color=SERIES_COLOURS[1], markersize=8, transform=top, clip_on=False
        )
        right = stated > largest / 2
        axes.annotate(
            f"stated: {stated}",
            (stated, 1.03),
            (-8 if right else 8, 0),
            xycoords=top,
            textcoords="offset points",
            ha="right" if right else "left",
            va="center",
        )
        axes.set_yticks(range(row + 1), [*(f"{printed} %" for printed in figures), "all"])
        axes.set(ylim=(row + 0.9, -0.6), xlim=(0, largest + 1), xlabel="utterances in the test set")
    return figure


def draws(right: npt.ArrayLike, size: int, *, printed: int, note: str = "") -> Figure:
    """Accuracies of many random test sets of one size, against a printed one.

    Args:
        right: right answers in each test set; empty while the runs are missing.
        size: utterances in each.
        printed: right answers that the printed accuracy implies.
        note: written in the place of the bars if there are none.

    Raises:
        ValueError: a count does not lie between 0 and ``size``.
    """
    counts = np.asarray(right, dtype=int)
    if counts.size and not (counts.min() >= 0 and counts.max() <= size):
        raise ValueError(f"right answers {counts.min()} to {counts.max()}, the size is {size}")
    with new_figure(9.0, 4.2) as figure:
        axes = figure.add_subplot()
        values, heights = np.unique(counts, return_counts=True)
        axes.bar(100 * values / size, heights, width=80 / size, color=SERIES_COLOURS[0])
        if not counts.size:
            axes.text(0.5, 0.5, note, transform=axes.transAxes, ha="center", color=GREY)
            axes.yaxis.set_visible(False)
            axes.spines["left"].set_visible(False)
        axes.axvline(100 * printed / size, color=SERIES_COLOURS[1], linestyle="--")
        axes.text(
            100 * printed / size,
            1.01,
            f"printed: {printed} of {size}",
            transform=axes.get_xaxis_transform(),
            ha="right",
        )
        axes.set(xlim=(20, 100), xlabel="overall accuracy (%)", ylabel="test sets")
    return figure


def luck(
    best: Mapping[str, NDArray[Any]], size: int, *, true: float, printed: Mapping[str, float]
) -> Figure:
    """How often the best of several equally good networks shows which accuracy, a panel each.

    Args:
        best: title -> right answers of the best in each simulated test, of ``size``.
        size: utterances of the test.
        true: accuracy of all the networks, in [0, 1]: a line.
        printed: title -> accuracy that a paper prints, in per cent: a triangle.

    Raises:
        ValueError: there is nothing to draw, or a count is not one of 0 to ``size``.
    """
    counts = [count for drawn in best.values() for count in np.asarray(drawn).ravel().tolist()]
    if not counts or min(counts) < 0 or max(counts) > size:
        raise ValueError(f"{len(counts)} counts of right answers, all must be from 0 to {size}")
    with new_figure(8.0, 0.9 + 1.4 * len(best)) as figure:
        column = figure.subplots(len(best), 1, squeeze=False, sharex=True)[:, 0]
        for axes, (title, drawn) in zip(column, best.items(), strict=True):
            values, often = np.unique(np.asarray(drawn), return_counts=True)
            shares = 100 * often / often.sum()
            axes.bar(100 * values / size, shares, width=90 / size, color=SERIES_COLOURS[0])
            axes.axvline(100 * true, color="black", linewidth=1.6, label="true accuracy of all")
            if title in printed:
                axes.scatter(
                    printed[title], 0.92 * shares.max(), marker="v", s=80, color=SERIES_COLOURS[1],
                    label="printed by the paper", zorder=3,
                )  # fmt: skip
            axes.set(title=title, ylabel="% of tests")
        column[-1].set_xlabel(f"accuracy on {size} utterances (%)")
        outer_legend(figure, handles_of(column), ncols=2)
    return figure
