"""Figures of effects: differences, accuracies and sweeps, each number with its interval.

Where runs are missing they say so in the place of the number, as
:class:`ser_lib.evidence.effects.Effect` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.transforms import blended_transform_factory

from ser_lib.evidence.effects import Effect
from ser_lib.plots.style import (
    BAND,
    GREY,
    NOTE_BOX,
    SERIES_COLOURS,
    handles_of,
    new_figure,
    outer_legend,
    panel_grid,
)
from ser_lib.statistics import Interval

ROWS_WIDTH = 5.4
"""Inches of a figure of rows: a phone shows it whole (``ser.css``), its letters still readable."""


def differences(
    effects: Mapping[str, Effect], *, printed: Mapping[str, float] | None = None
) -> Figure:
    """Differences in class accuracy, a row each: every speaker, the pooled estimate, its interval.

    Args:
        effects: label -> difference (:func:`ser_lib.evidence.effects.difference`); the smallest
            effect that counts is shaded.
        printed: label -> gain that a paper prints, in percentage points.

    Raises:
        ValueError: there is no effect, or a printed gain has no row.
    """
    printed = printed or {}
    strange = sorted(set(printed) - set(effects))
    if not effects or strange:
        raise ValueError(
            f"{len(effects)} effects to draw; no row for the printed gain of {strange}"
        )
    with new_figure(ROWS_WIDTH, 1.6 + 0.64 * len(effects)) as figure:
        axes = figure.add_subplot()
        handles: dict[str, Any] = {}
        _differences(axes, effects, printed, handles, speakers=True)
        left, right = axes.get_xlim()
        axes.set_xlim(min(left, -6.0), max(right, 6.0))
        axes.set_xlabel("difference in class accuracy (points)")
        outer_legend(figure, handles, ncols=2)
    return figure


def forest(
    panels: Mapping[str, Mapping[str, Effect]],
    *,
    printed: Mapping[str, Mapping[str, float]],
    metric: str = "class accuracy",
) -> Figure:
    """Many differences in accuracy, as in :func:`differences` but without the speakers.

    Args:
        panels: title -> label -> difference; the panels stand one below another.
        printed: title -> label -> gain that a paper prints, in percentage points.
        metric: what the differences are of, for the axis.

    Raises:
        ValueError: a panel has no effect, or there is none.
    """
    if not panels or not all(panels.values()):
        raise ValueError(f"a forest needs effects in every panel; panels are {list(panels)}")
    counts = [len(effects) for effects in panels.values()]
    with new_figure(ROWS_WIDTH, 1.2 + sum(0.5 * count + 0.45 for count in counts)) as figure:
        grid = figure.subplots(len(panels), 1, sharex=True, squeeze=False, height_ratios=counts)
        handles: dict[str, Any] = {}
        for axes, (title, effects) in zip(grid[:, 0], panels.items(), strict=True):
            _differences(axes, effects, printed.get(title, {}), handles, speakers=False)
            axes.set_title(title, loc="left", fontweight="bold")
        axes.set_xlabel(f"difference in {metric} (points)")
        outer_legend(figure, handles, above=True, ncols=2)
    return figure


def accuracies(
    effects: Mapping[str, Effect], *, printed: Mapping[str, float] | None = None
) -> Figure:
    """Overall accuracies, a row each: every speaker or draw, the pooled estimate, its interval.

    Args:
        effects: label -> accuracy (:func:`ser_lib.evidence.effects.accuracy`).
        printed: name -> accuracy that a paper prints, in per cent: a line across all rows.

    Raises:
        ValueError: there is no effect.
    """
    if not effects:
        raise ValueError("0 effects to draw, at least one is needed")
    with new_figure(ROWS_WIDTH, 1.5 + 0.62 * len(effects)) as figure:
        axes = figure.add_subplot()
        for row, effect in enumerate(effects.values()):
            if effect.interval is None:
                _note(axes, row, str(effect))
            else:
                if effect.speakers is not None:
                    places = np.full(len(effect.speakers), row + 0.18)
                    axes.plot(100 * effect.speakers, places, "|", color=GREY, markersize=7)
                _interval(axes, row, effect.interval)
        for name, accuracy in (printed or {}).items():
            axes.axvline(accuracy, color=SERIES_COLOURS[1], linestyle="--", zorder=1)
            axes.text(
                accuracy, 1.01, name, transform=axes.get_xaxis_transform(), ha="center", va="bottom"
            )
        _name_rows(axes, effects)
        axes.set(xlim=(20, 100), xlabel="overall accuracy (%)")
        axes.grid(axis="x", color=BAND)
        axes.set_axisbelow(True)
    return figure


def sweep(
    series: Mapping[str, Mapping[float, Effect]],
    *,
    xlabel: str,
    reference: tuple[str, Effect] | None = None,
    marks: Mapping[float, str] | None = None,
    second_axis: tuple[float, str] | None = None,
) -> Figure:
    """Class accuracy against a setting on a logarithmic axis, with intervals.

    Args:
        series: label -> value of the setting -> accuracy
            (:func:`ser_lib.evidence.effects.accuracy`).
        xlabel: of the setting.
        reference: label and accuracy of what has no such setting: a line, its interval a band.
        marks: value -> name of a vertical line.
        second_axis: factor and label of a second scale on top.

    Raises:
        ValueError: there is nothing to draw, or a value is not positive.
    """
    values = sorted({value for effects in series.values() for value in effects})
    if not values or values[0] <= 0:
        raise ValueError(f"values of a sweep must be positive, these are {values}")
    with new_figure(6.4, 4.8) as figure:
        axes = figure.add_subplot()
        axes.set_xscale("log")
        if reference is not None:
            label, effect = reference
            if effect.interval is None:
                axes.plot([], [], color=GREY, linestyle="--", label=f"{label} ({effect})")
            else:
                middle, low, high = (100 * end for end in effect.interval.ends)
                axes.axhspan(low, high, color=BAND, zorder=0)
                axes.axhline(middle, color=GREY, linestyle="--", label=label)
        across = blended_transform_factory(axes.transData, axes.transAxes)
        for value, name in (marks or {}).items():
            axes.axvline(value, color=SERIES_COLOURS[1], linestyle=":", linewidth=1.6)
            axes.annotate(
                name, (value, 0.02), (-6, 0), xycoords=across, textcoords="offset points",
                rotation=90, ha="right", va="bottom", color=SERIES_COLOURS[1],
            )  # fmt: skip
        for number, (label, effects) in enumerate(series.items()):
            shift = 1.05 ** (2 * number - len(series) + 1)
            for value, effect in effects.items():
                if effect.interval is None:
                    text = f"{label}: {effect}" if len(series) > 1 else str(effect)
                    note = axes.text(shift * value, 0.97, text, transform=across, zorder=3)
                    note.set(rotation=90, ha="center", va="top", color=GREY, fontstyle="italic")
                    note.set_bbox(NOTE_BOX)
            there = {v: e.interval for v, e in effects.items() if e.interval is not None}
            axes.errorbar(
                shift * np.array(list(there)),
                **_bars(there.values()),
                color=SERIES_COLOURS[number],
                marker="Dos^"[number],
                linestyle="none",
                markersize=7,
                linewidth=2.2,
                label=label if there else None,
            )
        effects_drawn = [e for effects in series.values() for e in effects.values()]
        if all(effect.interval is None for effect in effects_drawn):
            axes.set_ylim(0, 100)
        axes.set_xlim(values[0] / 1.8, values[-1] * 1.8)
        axes.set_xticks(values, [f"{value:g}" for value in values], rotation=45)
        axes.minorticks_off()
        axes.set(xlabel=xlabel, ylabel="class accuracy (%)")
        if second_axis is not None:
            factor, label = second_axis
            both_ways = (lambda x: factor * x, lambda x: x / factor)
            top = axes.secondary_xaxis("top", functions=both_ways)
            top.set_xticks([factor * v for v in values], [f"{factor * v:g}" for v in values])
            top.tick_params(axis="x", labelrotation=90, labelsize=9)
            top.minorticks_off()
            top.set_xlabel(label)
        outer_legend(figure, handles_of([axes]), ncols=2)
    return figure


def by_layers(
    families: Mapping[str, Mapping[int, Effect]], printed: Mapping[str, tuple[int, float]]
) -> Figure:
    """Overall accuracy against the number of layers, a panel for each family of networks.

    A number of layers whose runs are all there has its estimate and interval; what the others lack
    stands in the panel.

    Args:
        families: name -> layers -> accuracy (:func:`ser_lib.evidence.effects.accuracy`).
        printed: name -> layers that a paper found best, and the accuracy it prints, in per cent.

    Raises:
        ValueError: there is no family, one has no numbers of layers, or a printed accuracy has no
            panel.
    """
    strange = sorted(set(printed) - set(families))
    if not families or not all(families.values()) or strange:
        raise ValueError(
            f"{len(families)} families to draw; no panel for {strange}, or an empty one"
        )
    rows = -(-len(families) // 3)
    with new_figure(9.0, 0.9 + 2.5 * rows) as figure:
        grid = panel_grid(figure, len(families), 3, sharey=True)
        handles: dict[str, Any] = {}
        for axes, (name, effects) in zip(grid.ravel(), families.items(), strict=False):
            there = {x: e.interval for x, e in effects.items() if e.interval is not None}
            if there:
                handles["ours, with interval"] = axes.errorbar(
                    np.array(list(there)),
                    **_bars(there.values()),
                    color=SERIES_COLOURS[0],
                    marker="D",
                    markersize=6,
                    linewidth=1.8,
                )
            if waiting := [e for e in effects.values() if e.interval is None]:
                total = Effect(sum(e.found for e in waiting), sum(e.wanted for e in waiting))
                note = axes.text(0.5, 0.06, str(total), transform=axes.transAxes, ha="center")
                note.set(color=GREY, style="italic", zorder=4)
                note.set_bbox(NOTE_BOX)
            if name in printed:
                handles["printed by the paper"] = axes.scatter(
                    *printed[name], marker="v", s=80, color=SERIES_COLOURS[1], zorder=3
                )
            layers = sorted(effects)
            axes.set_xlim(layers[0] - 0.7, layers[-1] + 0.7)
            axes.set_xticks(layers[::3])
            axes.set_title(name)
        grid[0, 0].set_ylim(0, 100)
        for axes in grid[-1]:
            axes.set_xlabel("layers x")
        for axes in grid[:, 0]:
            axes.set_ylabel("overall accuracy (%)")
        outer_legend(figure, handles, ncols=2)
    return figure


def _bars(intervals: Iterable[Interval]) -> dict[str, Any]:
    """Heights and bars of ``errorbar``, in per cent."""
    ends = 100 * np.array([interval.ends for interval in intervals])
    middles, lows, highs = ends.reshape(-1, 3).T
    return {"y": middles, "yerr": (middles - lows, highs - middles)}


def _differences(
    axes: Axes,
    effects: Mapping[str, Effect],
    printed: Mapping[str, float],
    handles: dict[str, Any],
    *,
    speakers: bool,
) -> None:
    smallest = max(effect.smallest or 0.0 for effect in effects.values())
    for row, (label, effect) in enumerate(effects.items()):
        below_its_name = (row - 0.22, row + 0.38)
        axes.fill_betweenx(below_its_name, -100 * smallest, 100 * smallest, color=BAND, zorder=0)
        axes.vlines(0, *below_its_name, color="black", linewidth=1, zorder=1)
        if effect.interval is None:
            _note(axes, row, str(effect))
        else:
            if speakers:
                _speakers(axes, row, effect, handles)
            handles["all speakers, with interval"] = _interval(axes, row, effect.interval)
        if label in printed:
            handles["printed by the paper"] = axes.scatter(
                printed[label], row + 0.22, marker="v", s=70, color=SERIES_COLOURS[1], zorder=4
            )
    _name_rows(axes, effects)


def _name_rows(axes: Axes, names: Iterable[str]) -> None:
    """Write each row's name above it, inside the panel: beside it, it would need half a phone."""
    across = blended_transform_factory(axes.transAxes, axes.transData)
    row = -1
    for row, name in enumerate(names):
        axes.text(0.0, row - 0.38, name, transform=across, va="center", bbox=NOTE_BOX)
    axes.set_yticks([])
    axes.set_ylim(row + 0.5, -0.62)
    axes.spines["left"].set_visible(False)


def _note(axes: Axes, row: int, text: str) -> None:
    across = blended_transform_factory(axes.transAxes, axes.transData)
    note = axes.text(0.02, row, text, transform=across, va="center", color=GREY, style="italic")
    note.set_bbox(NOTE_BOX)


def _speakers(axes: Axes, row: int, effect: Effect, handles: dict[str, Any]) -> None:
    if effect.speakers is not None:
        values = 100 * effect.speakers.to_numpy(dtype=float)
        handles["one speaker"] = axes.scatter(
            values, np.full(len(values), row - 0.13), s=22, color=GREY, alpha=0.7, linewidth=0
        )


def _interval(axes: Axes, row: int, interval: Interval) -> PathCollection:
    """Draw the interval, and give the mark of its estimate."""
    middle, low, high = (100 * end for end in interval.ends)
    axes.plot([low, high], [row, row], color=SERIES_COLOURS[0], linewidth=2.5)
    return axes.scatter(middle, row, marker="D", s=60, color=SERIES_COLOURS[0], zorder=3)
