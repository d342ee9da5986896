"""Figures of what networks answered: accuracies, confusions, curves by epoch."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from ser_lib.plots.style import (
    GREY,
    SERIES_COLOURS,
    SERIES_DASHES,
    handles_of,
    new_figure,
    outer_legend,
    panel_grid,
)

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


def curves(
    series: Mapping[str, Sequence[float]], *, xlabel: str, ylabel: str, log: bool = False
) -> Figure:
    """Named curves against their index, which starts at 1; colour and dash tell them apart."""
    with new_figure(8.0, 3.6) as figure:
        axes = figure.add_subplot()
        for index, (label, values) in enumerate(series.items()):
            _draw_curve(axes, index, label, values)
        if log:
            axes.set_yscale("log")
        axes.set(xlabel=xlabel, ylabel=ylabel)
        if len(series) > 1:
            axes.legend(frameon=False)
    return figure


def speaker_dots(accuracies: pd.DataFrame, *, chance: float | None = None) -> Figure:
    """One dot per speaker and model, one speaker's dots joined, the mean as a bar.

    Args:
        accuracies: (speakers, models) in percent; index and columns are the labels.
        chance: a dashed line, in percent.
    """
    with new_figure(8.0, 4.4) as figure:
        axes = figure.add_subplot()
        places = np.arange(accuracies.shape[1])
        for number, (_, row) in enumerate(accuracies.iterrows()):
            shifted = places + 0.012 * (number - len(accuracies) / 2)
            axes.plot(
                shifted,
                row.to_numpy(dtype=float),
                color="#B5B5B5",
                linewidth=1,
                marker="o",
                markersize=7,
                markerfacecolor=SERIES_COLOURS[0],
                markeredgecolor="white",
            )
        means = accuracies.to_numpy(dtype=float).mean(axis=0)
        axes.hlines(means, places - 0.18, places + 0.18, color=SERIES_COLOURS[1], linewidth=4)
        if chance is not None:
            axes.axhline(chance, color=GREY, linestyle="--", linewidth=1.2)
            axes.annotate("chance", (places[-1] + 0.45, chance), ha="right", va="bottom")
        axes.set_xticks(places, list(map(str, accuracies.columns)))
        axes.set_xlim(-0.5, places[-1] + 0.5)
        axes.set_ylabel("class accuracy of one speaker (%)")
    return figure


def confusion(counts: NDArray[Any], emotions: Sequence[str]) -> Figure:
    """Confusion matrix: the number in each cell is a count, the shade its share of the row.

    Args:
        counts: (classes, classes), truth in rows.
        emotions: names of the classes.

    Raises:
        ValueError: the matrix is not classes x classes.
    """
    with new_figure(6.4, 5.0) as figure:
        axes = figure.add_subplot()
        _draw_confusion(axes, counts, emotions, bar=True)
        axes.set(xlabel="the network said", ylabel="the recording is labelled")
    return figure


def confusions(panels: Mapping[str, NDArray[Any]], emotions: Sequence[str]) -> Figure:
    """Confusion matrices side by side, each as in :func:`confusion`.

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
            _draw_confusion(axes, counts, emotions, bar=axes is row[-1])
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
        grid = panel_grid(figure, len(panels), 2, sharex=True, sharey=True)
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
                _draw_curve(axes, index, name, values)
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
        handles = handles_of(grid.ravel())
        outer_legend(figure, handles, above=True, ncols=min(len(handles), 3))
    return figure


def learning_curves(
    panels: Mapping[str, Mapping[str, pd.DataFrame]], *, log: Collection[str] = ()
) -> Figure:
    """Measures against the epoch, a panel each: the mean of the runs, and their middle half.

    Args:
        panels: label of the vertical axis -> label of the curve -> ``mean``, ``low`` and ``high``
            indexed by epoch (:func:`ser_lib.evidence.effects.by_epoch`); a curve without
            rows has only its label. A label has one colour and dash in all panels.
        log: panels with a logarithmic axis.

    Raises:
        ValueError: there is no panel, or more curves than there are colours.
    """
    labels = list(dict.fromkeys(label for curves in panels.values() for label in curves))
    if not panels or not 0 < len(labels) <= len(SERIES_COLOURS):
        raise ValueError(
            f"{len(panels)} panels of {len(labels)} curves; at least one panel and 1 to "
            f"{len(SERIES_COLOURS)} curves can be drawn"
        )
    with new_figure(max(6.0, 3.4 * len(panels)), 3.8) as figure:
        grid = figure.subplots(1, len(panels), squeeze=False)[0]
        handles: dict[str, Any] = {}
        for axes, (title, curves) in zip(grid, panels.items(), strict=True):
            for label, values in curves.items():
                number = labels.index(label)
                colour, dash = SERIES_COLOURS[number], SERIES_DASHES[number]
                (handles[label],) = axes.plot(
                    values.index, values["mean"], color=colour, linestyle=dash, linewidth=2
                )
                if len(values):
                    band = (values["low"].astype(float), values["high"].astype(float))
                    axes.fill_between(values.index, *band, color=colour, alpha=0.15, linewidth=0)
            if title in log:
                axes.set_yscale("log")
            axes.set(xlabel="epoch", ylabel=title)
        in_order = {label: handles[label] for label in labels}
        outer_legend(figure, in_order, ncols=2 if max(map(len, labels)) > 20 else 4)
    return figure


def _draw_curve(axes: Axes, index: int, label: str, values: Sequence[float]) -> None:
    """A curve that starts at 1; its number gives it colour and dash."""
    axes.plot(
        np.arange(1, len(values) + 1),
        values,
        color=SERIES_COLOURS[index % len(SERIES_COLOURS)],
        linestyle=SERIES_DASHES[index % len(SERIES_DASHES)],
        linewidth=2,
        label=label,
    )


def _draw_confusion(
    axes: Axes, counts: NDArray[Any], emotions: Sequence[str], *, bar: bool
) -> None:
    """A confusion matrix, with or without the bar that explains its shades."""
    if counts.shape != (len(emotions), len(emotions)):
        raise ValueError(f"{len(emotions)} emotions do not fit a matrix of shape {counts.shape}")
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    sns.heatmap(
        100 * shares,
        annot=counts,
        fmt="d",
        cmap="Blues",
        vmin=0,
        vmax=100,
        square=True,
        linewidths=1,
        xticklabels=list(emotions),
        yticklabels=list(emotions),
        cbar=bar,
        cbar_kws={"label": "% of the recordings in the row"} if bar else None,
        ax=axes,
    )
    axes.tick_params(length=0, labelrotation=0)
