"""Figures of paper 2's networks: what they are given, how well they do, and luck.

Where runs are missing they say so in the place of the number, as
:class:`ser_lib.evidence.effects.Effect` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from ser_lib.evidence.effects import Effect
from ser_lib.plots.style import GREY, SERIES_COLOURS, new_figure

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LIMIT = 3.0


def readings(vectors: Mapping[str, Mapping[str, NDArray[Any]]]) -> Figure:
    """Vectors of the same utterances read in several ways, as pictures on one scale.

    Args:
        vectors: reading -> utterance -> (coefficients, steps), each number in standard deviations
            from its mean.

    Raises:
        ValueError: the readings are not of the same utterances, or there are none.
    """
    columns = list(dict.fromkeys(name for row in vectors.values() for name in row))
    if not columns or any(list(row) != columns for row in vectors.values()):
        raise ValueError(f"readings must be of the same utterances, at least one: {columns}")
    heights = [1.0 + 0.05 * len(row[columns[0]]) for row in vectors.values()]
    with new_figure(9.0, 1.2 + 0.8 * sum(heights)) as figure:
        grid = figure.subplots(
            len(vectors), len(columns), squeeze=False, sharex="row", height_ratios=heights
        )
        for number, (reading, row) in enumerate(vectors.items()):
            for axes, (name, values) in zip(grid[number], row.items(), strict=True):
                image = axes.imshow(
                    values,
                    origin="lower",
                    aspect="auto",
                    cmap="RdBu_r",
                    vmin=-_LIMIT,
                    vmax=_LIMIT,
                    interpolation="nearest",
                )
                last = len(values) - 1
                axes.set_yticks([0, last] if last else [0], ["1", str(last + 1)][: last + 1])
                steps = values.shape[1]
                axes.set_xticks([0, steps - 1], ["1", str(steps)])
                axes.set_title(reading if number else f"{name}\n{reading}")
        for axes in grid[-1]:
            axes.set_xlabel("step in time")
        figure.supylabel("coefficient", fontsize=11)
        figure.colorbar(
            image, ax=grid, label="standard deviations from the mean", aspect=40, extend="both"
        )
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
        grid = figure.subplots(rows, min(3, len(families)), sharey=True, squeeze=False)
        handles: dict[str, Any] = {}
        for axes, (name, effects) in zip(grid.ravel(), families.items(), strict=False):
            there = {x: e.interval for x, e in effects.items() if e.interval is not None}
            if there:
                ends = 100 * np.array([(i.low, i.estimate, i.high) for i in there.values()])
                lows, middles, highs = ends.T
                handles["ours, with interval"] = axes.errorbar(
                    np.array(list(there)),
                    middles,
                    yerr=(middles - lows, highs - middles),
                    color=SERIES_COLOURS[0],
                    marker="D",
                    markersize=6,
                    linewidth=1.8,
                )
            if waiting := [e for e in effects.values() if e.interval is None]:
                total = Effect(sum(e.found for e in waiting), sum(e.wanted for e in waiting))
                note = axes.text(0.5, 0.06, str(total), transform=axes.transAxes, ha="center")
                note.set(color=GREY, style="italic", zorder=4)
                note.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1})
            if name in printed:
                handles["printed by the paper"] = axes.scatter(
                    *printed[name], marker="v", s=80, color=SERIES_COLOURS[1], zorder=3
                )
            layers = sorted(effects)
            axes.set_xlim(layers[0] - 0.7, layers[-1] + 0.7)
            axes.set_xticks(layers[::3])
            axes.set_title(name)
        for axes in grid.ravel()[len(families) :]:
            axes.axis("off")
        grid[0, 0].set_ylim(0, 100)
        for axes in grid[-1]:
            axes.set_xlabel("layers x")
        for axes in grid[:, 0]:
            axes.set_ylabel("overall accuracy (%)")
        if handles:
            figure.legend(
                handles.values(), handles.keys(), ncols=2, frameon=False, loc="outside lower center"
            )
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
        handles: dict[str, Any] = {}
        for axes in column:
            lines, labels = axes.get_legend_handles_labels()
            handles |= dict(zip(labels, lines, strict=True))
        figure.legend(
            handles.values(), handles.keys(), ncols=2, frameon=False, loc="outside lower center"
        )
    return figure
