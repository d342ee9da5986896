"""Figures of what a test set does to an accuracy: printed figures, draws, protocols side by side.

Where runs are missing they say so in the place of the number, as
:class:`ser_lib.evidence.effects.Effect` does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from ser_lib.evidence.effects import Effect
from ser_lib.plots.style import GREY, SERIES_COLOURS, new_figure
from ser_lib.statistics import attainable


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
    with new_figure(9.0, 1.5 + 0.5 * len(effects)) as figure:
        axes = figure.add_subplot()
        for row, effect in enumerate(effects.values()):
            if effect.interval is None:
                axes.text(22, row, str(effect), va="center", color=GREY)
            else:
                if effect.speakers is not None:
                    places = np.full(len(effect.speakers), row + 0.18)
                    axes.plot(100 * effect.speakers, places, "|", color=GREY, markersize=7)
                middle, low, high = (
                    100 * value
                    for value in (
                        effect.interval.estimate,
                        effect.interval.low,
                        effect.interval.high,
                    )
                )
                axes.plot([low, high], [row, row], color=SERIES_COLOURS[0], linewidth=2.5)
                axes.plot(middle, row, "D", color=SERIES_COLOURS[0])
        for name, accuracy in (printed or {}).items():
            axes.axvline(accuracy, color=SERIES_COLOURS[1], linestyle="--", zorder=1)
            axes.text(
                accuracy, 1.01, name, transform=axes.get_xaxis_transform(), ha="center", va="bottom"
            )
        axes.set_yticks(range(len(effects)), list(effects))
        axes.set(ylim=(len(effects) - 0.4, -0.6), xlim=(20, 100), xlabel="overall accuracy (%)")
        axes.grid(axis="x", color="#E4E4E4")
        axes.set_axisbelow(True)
    return figure
