"""Figures beside a table of results: differences with intervals, confusions, curves by epoch.

They keep to the rules of :mod:`ser_lib.plots`. A condition whose runs are not all there has a note
in the place of its numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from ser_lib.intervals import Interval
from ser_lib.plots import GREY, SERIES_COLOURS, draw_confusion, new_figure

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DASHES = ("-", "--", ":", "-.")


@dataclass(frozen=True)
class Line:
    """One line of a forest plot."""

    label: str
    interval: Interval | None
    """Of the difference; nothing while runs are missing."""
    printed: float | None = None
    """What the paper prints, in the same unit."""
    note: str = ""
    """What stands in the place of an interval that is not there."""


def forest(
    panels: Mapping[str, Sequence[Line]], *, smallest: float, xlabel: str, scale: float = 1.0
) -> Figure:
    """Differences as squares on their intervals, printed ones as diamonds, a panel below another.

    The band is what lies within the smallest effect on both sides of zero.

    Args:
        panels: title -> lines, from above.
        smallest: half the width of the band, in the unit of the lines.
        xlabel: name of the axis.
        scale: factor from the unit of the lines to that of the axis, such as 100 for points.

    Raises:
        ValueError: there are no lines.
    """
    if not panels or not all(panels.values()):
        raise ValueError(f"a forest plot needs lines in every panel, got {dict(panels)}")
    counts = [len(lines) for lines in panels.values()]
    with new_figure(8.0, 1.0 + sum(0.34 * count + 0.45 for count in counts)) as figure:
        grid = figure.subplots(
            len(panels), 1, sharex=True, squeeze=False, height_ratios=[n + 0.6 for n in counts]
        )
        for axes, (title, lines) in zip(grid[:, 0], panels.items(), strict=True):
            axes.axvspan(-scale * smallest, scale * smallest, color="#E3E3E3", linewidth=0)
            axes.axvline(0, color=GREY, linewidth=1)
            for place, line in enumerate(lines):
                if line.interval is None:
                    axes.text(0.01, place, line.note, transform=axes.get_yaxis_transform(),
                              va="center", color=GREY, fontstyle="italic")  # fmt: skip
                else:
                    ends = (scale * line.interval.low, scale * line.interval.high)
                    axes.plot(ends, (place, place), color=SERIES_COLOURS[0], linewidth=2)
                    axes.plot(scale * line.interval.estimate, place, "s", markersize=7,
                              color=SERIES_COLOURS[0], label="here")  # fmt: skip
                if line.printed is not None:
                    axes.plot(scale * line.printed, place, "D", markersize=7, fillstyle="none",
                              color=SERIES_COLOURS[1], label="printed")  # fmt: skip
            axes.set_yticks(range(len(lines)), [line.label for line in lines])
            axes.set_ylim(len(lines) - 0.4, -0.6)
            axes.tick_params(axis="y", length=0)
            axes.set_title(title, loc="left", fontweight="bold", fontsize=11)
        grid[-1, 0].set_xlabel(xlabel)
        _legend_above(figure, grid.ravel())
    return figure


def confusions(panels: Mapping[str, NDArray[Any]], emotions: Sequence[str]) -> Figure:
    """Confusion matrices side by side, each as in :func:`ser_lib.plots.confusion`.

    Args:
        panels: title -> counts (classes, classes), truth in rows.
        emotions: names of the classes.

    Raises:
        ValueError: there is none, or one is not classes x classes.
    """
    if not panels:
        raise ValueError("no confusion matrix to draw")
    with new_figure(1.0 + 3.9 * len(panels), 4.6) as figure:
        row = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
        for axes, (title, counts) in zip(row, panels.items(), strict=True):
            draw_confusion(axes, counts, emotions, bar=axes is row[-1])
            axes.set(title=title, xlabel="the network said", ylabel="")
        row[0].set_ylabel("the recording is labelled")
    return figure


def epochs(
    panels: Mapping[str, Mapping[str, Sequence[float]] | str],
    levels: Mapping[str, Mapping[str, float]],
    *,
    ylabel: str,
) -> Figure:
    """Curves against the epoch on a logarithmic axis, two panels a row, with horizontal levels.

    Args:
        panels: title -> curves by name, or a note where there are none yet.
        levels: title -> heights of horizontal lines, by name.
        ylabel: name of the vertical axis, which all panels share.

    Raises:
        ValueError: there is no panel, or a curve is empty.
    """
    drawn = [curve for p in panels.values() if not isinstance(p, str) for curve in p.values()]
    if not panels or not all(len(curve) for curve in drawn):
        raise ValueError(f"nothing to draw in {dict(panels)}")
    rows = -(-len(panels) // 2)
    with new_figure(9.0, 0.8 + 2.5 * rows) as figure:
        grid = figure.subplots(rows, 2, sharex=True, sharey=True, squeeze=False)
        for axes in grid.ravel()[len(panels) :]:
            axes.set_visible(False)
        for axes, (title, curves) in zip(grid.ravel(), panels.items(), strict=False):
            axes.set_title(title, fontsize=11)
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_formatter(NullFormatter())
            if isinstance(curves, str):
                axes.text(0.5, 0.5, curves, transform=axes.transAxes, ha="center", va="center",
                          color=GREY, fontstyle="italic")  # fmt: skip
                curves = {}
            for index, (name, values) in enumerate(curves.items()):
                axes.plot(
                    np.arange(1, len(values) + 1),
                    values,
                    color=SERIES_COLOURS[index % len(SERIES_COLOURS)],
                    linestyle=_DASHES[index % len(_DASHES)],
                    linewidth=2,
                    label=name,
                )
            for index, (name, height) in enumerate(levels.get(title, {}).items()):
                axes.axhline(height, color="black", linewidth=1, label=name,
                             linestyle=((0, (6, 3)), (0, (1, 2)))[index % 2])  # fmt: skip
        grid[0, 0].set_xlim(0, max(map(len, drawn), default=0) + 1)
        if not drawn:
            grid[0, 0].set_xticks([])
        for axes in grid[-1]:
            axes.set_xlabel("epoch")
        for axes in grid[:, 0]:
            axes.set_ylabel(ylabel)
        _legend_above(figure, grid.ravel())
    return figure


def _legend_above(figure: Figure, grid: Sequence[Any] | NDArray[Any]) -> None:
    """One legend for all panels: each name once."""
    handles: dict[str, Any] = {}
    for axes in grid:
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(name, handle)
    if handles:
        figure.legend(handles.values(), handles, loc="outside upper center", frameon=False,
                      ncols=min(len(handles), 3))  # fmt: skip
