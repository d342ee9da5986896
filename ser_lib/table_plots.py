"""Figures beside a table of results: confusions side by side, curves by epoch with levels.

They keep to the rules of :mod:`ser_lib.plots`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from ser_lib.plots import GREY, SERIES_COLOURS, draw_confusion, new_figure

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DASHES = ("-", "--", ":", "-.")


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
