"""Figures of what one term or one setting changes: pulls, learning curves, differences, sweeps.

Where runs are missing they say so in the place of the number, as
:class:`ser_lib.evidence.effects.Effect` does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import blended_transform_factory

from ser_lib.evidence.effects import Effect
from ser_lib.plots.speech import draw_coefficients
from ser_lib.plots.style import (
    EMOTION_COLOURS,
    GREY,
    SERIES_COLOURS,
    SERIES_DASHES,
    check_emotions,
    new_figure,
)

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


def pulls(
    scores: Mapping[str, float], embedding: NDArray[Any], picture: NDArray[Any], seconds: float
) -> Figure:
    """What each of the three terms pulls at, in one utterance: minus its slope there.

    Args:
        scores: emotion -> pull of the softmax loss at its score.
        embedding: (dim,) pull of the center loss at each number of the embedding.
        picture: (coefficients, frames) pull of the reconstruction loss at each rebuilt value, in
            any unit: it is drawn on a scale of its own.
        seconds: what the frames span.

    Raises:
        ValueError: an emotion has no colour.
    """
    check_emotions(list(scores))
    with new_figure(10.0, 6.4) as figure:
        grid = figure.add_gridspec(2, 2, width_ratios=(1, 2))
        bars = figure.add_subplot(grid[0, 0])
        colours = [EMOTION_COLOURS[name] for name in scores]
        bars.barh(list(scores), list(scores.values()), color=colours)
        bars.axvline(0, color="black", linewidth=1)
        bars.invert_yaxis()
        bars.set(title="S pulls at the scores", xlabel="pull")
        numbers = figure.add_subplot(grid[0, 1])
        numbers.bar(np.arange(1, len(embedding) + 1), embedding, color=SERIES_COLOURS[0])
        numbers.axhline(0, color="black", linewidth=1)
        numbers.set(title="C pulls at the embedding", xlabel="number", ylabel="pull")
        image = figure.add_subplot(grid[1, :])
        swing = float(np.abs(picture).max()) or 1.0
        drawn = draw_coefficients(image, picture, seconds, cmap="RdBu_r", vmin=-swing, vmax=swing)
        image.set(title="A pulls at every rebuilt value", xlabel="time (s)", ylabel="coefficient")
        figure.colorbar(drawn, ax=image, label="pull")
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
        figure.legend(
            [handles[label] for label in labels],
            labels,
            ncols=2 if max(map(len, labels)) > 20 else 4,
            frameon=False,
            loc="outside lower center",
        )
    return figure


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
    with new_figure(9.0, 1.6 + 0.5 * len(effects)) as figure:
        axes = figure.add_subplot()
        handles: dict[str, Any] = {}
        _differences(axes, effects, printed, handles, speakers=True)
        left, right = axes.get_xlim()
        axes.set_xlim(min(left, -6.0), max(right, 6.0))
        axes.set_xlabel("difference in class accuracy (points)")
        if handles:
            figure.legend(
                handles.values(), handles.keys(), ncols=3, frameon=False, loc="outside lower center"
            )
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
    with new_figure(9.0, 1.2 + sum(0.36 * count + 0.45 for count in counts)) as figure:
        ratios = [count + 0.6 for count in counts]
        grid = figure.subplots(len(panels), 1, sharex=True, squeeze=False, height_ratios=ratios)
        handles: dict[str, Any] = {}
        for axes, (title, effects) in zip(grid[:, 0], panels.items(), strict=True):
            _differences(axes, effects, printed.get(title, {}), handles, speakers=False)
            axes.set_title(title, loc="left", fontweight="bold")
        axes.set_xlabel(f"difference in {metric} (points)")
        figure.legend(
            handles.values(), handles.keys(), ncols=3, frameon=False, loc="outside upper center"
        )
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
    with new_figure(9.0, 4.8) as figure:
        axes = figure.add_subplot()
        axes.set_xscale("log")
        if reference is not None:
            label, effect = reference
            if effect.interval is None:
                axes.plot([], [], color=GREY, linestyle="--", label=f"{label} ({effect})")
            else:
                low, high = 100 * effect.interval.low, 100 * effect.interval.high
                axes.axhspan(low, high, color="#E4E4E4", zorder=0)
                middle = 100 * effect.interval.estimate
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
                    note.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1})
            there = {v: e.interval for v, e in effects.items() if e.interval is not None}
            ends = 100 * np.array([(i.low, i.estimate, i.high) for i in there.values()])
            lows, middles, highs = ends.reshape(-1, 3).T
            axes.errorbar(
                shift * np.array(list(there)),
                middles,
                yerr=(middles - lows, highs - middles),
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
            top.tick_params(axis="x", labelrotation=45, labelsize=9)
            top.minorticks_off()
            top.set_xlabel(label)
        if axes.get_legend_handles_labels()[0]:
            figure.legend(ncols=3, frameon=False, loc="outside lower center")
    return figure


def _differences(
    axes: Axes,
    effects: Mapping[str, Effect],
    printed: Mapping[str, float],
    handles: dict[str, Any],
    *,
    speakers: bool,
) -> None:
    smallest = max(effect.smallest or 0.0 for effect in effects.values())
    axes.axvspan(-100 * smallest, 100 * smallest, color="#E4E4E4", zorder=0)
    axes.axvline(0, color="black", linewidth=1)
    for row, (label, effect) in enumerate(effects.items()):
        if effect.interval is None:
            _note(axes, row, str(effect))
        else:
            if speakers:
                _speakers(axes, row, effect, handles)
            _interval(axes, row, effect, handles)
        if label in printed:
            handles["printed by the paper"] = axes.scatter(
                printed[label], row + 0.22, marker="v", s=70, color=SERIES_COLOURS[1], zorder=4
            )
    axes.set_yticks(range(len(effects)), list(effects))
    axes.set_ylim(len(effects) - 0.4, -0.6)


def _note(axes: Axes, row: int, text: str) -> None:
    across = blended_transform_factory(axes.transAxes, axes.transData)
    note = axes.text(0.02, row, text, transform=across, va="center", color=GREY, style="italic")
    note.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1})


def _speakers(axes: Axes, row: int, effect: Effect, handles: dict[str, Any]) -> None:
    if effect.speakers is not None:
        values = 100 * effect.speakers.to_numpy(dtype=float)
        handles["one speaker"] = axes.scatter(
            values, np.full(len(values), row - 0.2), s=22, color=GREY, alpha=0.7, linewidth=0
        )


def _interval(axes: Axes, row: int, effect: Effect, handles: dict[str, Any]) -> None:
    if effect.interval is None:
        return
    ends = [100 * effect.interval.low, 100 * effect.interval.high]
    axes.plot(ends, [row, row], color=SERIES_COLOURS[0], linewidth=2.5)
    handles["all speakers, with interval"] = axes.scatter(
        100 * effect.interval.estimate, row, marker="D", s=60, color=SERIES_COLOURS[0], zorder=3
    )
