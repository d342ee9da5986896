"""Figures of directions in the plane and of the angles between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

from ser_lib.plots.style import (
    EMOTION_COLOURS,
    EMOTION_MARKERS,
    GREY,
    SERIES_COLOURS,
    SERIES_DASHES,
    check_emotions,
    new_figure,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]


def arrows(
    vectors: Mapping[str, Sequence[float]],
    emotions: Sequence[str],
    *,
    chords: Sequence[tuple[str, str]] = (),
    circle: bool = False,
    labels: tuple[str, str] = ("first number", "second number"),
) -> Figure:
    """Vectors in the plane as arrows from the origin, with one scale along both axes.

    Args:
        vectors: label -> (x, y).
        emotions: of each vector, for its colour and marker.
        chords: pairs of labels whose tips are joined by a dashed line.
        circle: whether to draw the circle of radius 1.
        labels: of the two axes.

    Raises:
        ValueError: there is no vector, an emotion has no colour, or there are not as many.
    """
    check_emotions(emotions)
    if not vectors or len(emotions) != len(vectors):
        raise ValueError(f"{len(emotions)} emotions for {len(vectors)} vectors: as many, 1 or more")
    tips = np.array(list(vectors.values()), dtype=np.float64)
    with new_figure(6.5, 4.8) as figure:
        axes = figure.add_subplot()
        if circle:
            turn = np.linspace(0, 2 * np.pi, 181)
            axes.plot(np.cos(turn), np.sin(turn), color=GREY, linewidth=1)
        for first, second in chords:
            axes.plot(
                *zip(vectors[first], vectors[second], strict=True), color=GREY, linestyle="--"
            )
        # The longest first, so that what lies along it stays visible.
        for number in np.argsort(-np.linalg.norm(tips, axis=1)):
            x, y = tips[number]
            colour = EMOTION_COLOURS[emotions[number]]
            axes.plot([0, x], [0, y], color=colour, linewidth=2.5)
            marker = EMOTION_MARKERS[emotions[number]]
            axes.plot(x, y, marker=marker, markersize=10, color=colour)
            axes.annotate(
                list(vectors)[number],
                (x, y),
                (10 if x >= 0 else -10, 6 if y >= 0 else -6),
                textcoords="offset points",
                ha="left" if x >= 0 else "right",
                va="bottom" if y >= 0 else "top",
            )
        axes.plot(0, 0, "o", color="black", markersize=5)
        axes.margins(0.2)
        axes.set(xlabel=labels[0], ylabel=labels[1])
        axes.set_aspect("equal", adjustable="datalim")
        axes.locator_params(nbins=6)
    return figure


def angle_heat_maps(
    panels: Mapping[str, tuple[ArrayLike, Sequence[str]]],
    intervals: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
) -> Figure:
    """Angles between emotions in degrees, one panel per corpus: each pair once.

    White is a right angle; smaller ones are blue, larger ones red, on one scale for all panels.

    Args:
        panels: title -> degrees, symmetric, ``(n, n)``, and the emotion of each row.
        intervals: title -> lower and upper ends, each ``(n, n)``, written below the angles.

    Raises:
        ValueError: there is no panel, intervals are for others, or the shapes do not fit.
    """
    if not panels or (intervals is not None and set(intervals) != set(panels)):
        raise ValueError(
            f"panels {list(panels)} and intervals {intervals and list(intervals)}: one or more, "
            "and intervals for the same"
        )
    matrices = {
        title: np.asarray(angles, dtype=np.float64) for title, (angles, _) in panels.items()
    }
    for title, (_, emotions) in panels.items():
        check_angles(matrices[title], emotions)
    largest = max(len(emotions) for _, emotions in panels.values())
    pairs = [m[np.triu_indices(len(m), 1)] for m in matrices.values()]
    reach = max(20.0, *(float(np.abs(angles - 90).max()) for angles in pairs))
    # Light enough at both ends for black numbers.
    light = sns.diverging_palette(245, 25, s=85, l=65, as_cmap=True)
    heights = [1.0 + 0.75 * len(emotions) for _, emotions in panels.values()]
    with new_figure(min(2.4 + 1.05 * largest, 8.0), sum(heights)) as figure:
        grid = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights).ravel()
        for axes, (title, (_, emotions)) in zip(grid, panels.items(), strict=True):
            matrix, count = matrices[title], len(emotions)
            texts = [[f"{value:.0f}°" for value in row] for row in matrix]
            if intervals is not None:
                low, high = (np.asarray(end, dtype=np.float64) for end in intervals[title])
                check_angles(low, emotions)
                check_angles(high, emotions)
                for j, row in enumerate(texts):
                    for k in range(count):
                        row[k] += f"\n{low[j, k]:.0f} to {high[j, k]:.0f}"
            sns.heatmap(
                matrix[1:, :-1],
                mask=np.triu(np.ones((count - 1, count - 1), dtype=bool), 1),
                annot=np.array(texts)[1:, :-1],
                fmt="",
                annot_kws={"fontsize": 9 if largest > 5 else 11, "color": "black"},
                cmap=light,
                vmin=90 - reach,
                vmax=90 + reach,
                linewidths=1,
                xticklabels=list(emotions)[:-1],
                yticklabels=list(emotions)[1:],
                cbar_kws={"label": "angle (degrees)"},
                ax=axes,
            )
            axes.set_title(title)
            axes.tick_params(length=0, labelrotation=0)
            axes.tick_params(axis="x", labelrotation=30)
    return figure


def angle_histogram(samples: Mapping[str, ArrayLike], *, xlabel: str) -> Figure:
    """Named samples of angles in degrees as histograms over each other, each of area 1.

    Args:
        samples: label -> angles.
        xlabel: what the angles are.
    """
    edges = np.linspace(0, 180, 91)
    with new_figure(8.0, 3.6) as figure:
        axes = figure.add_subplot()
        for number, (label, values) in enumerate(samples.items()):
            axes.hist(
                np.asarray(values, dtype=np.float64).ravel(),
                bins=list(edges),
                density=True,
                histtype="step",
                linewidth=2,
                color=SERIES_COLOURS[number % len(SERIES_COLOURS)],
                linestyle=SERIES_DASHES[number % len(SERIES_DASHES)],
                label=label,
            )
        axes.set(xlabel=xlabel, ylabel="share per degree", xlim=(0, 180))
        axes.set_xticks(range(0, 181, 30))
        axes.legend(frameon=False)
    return figure


def check_angles(matrix: Array, emotions: Sequence[str] | None = None) -> None:
    """Refuse what is no matrix of angles in degrees.

    Raises:
        ValueError: it is not square or not symmetric, or an angle is out of its range.
    """
    size = matrix.shape[0] if emotions is None else len(emotions)
    if matrix.shape != (size, size) or size < 2:
        raise ValueError(f"angles of shape {matrix.shape}, expected ({size}, {size}), 2 or more")
    bad = matrix[~((matrix >= 0) & (matrix <= 180))]
    if bad.size:
        raise ValueError(f"an angle is {bad[0]} degrees, it must lie in [0, 180]")
    if not np.allclose(matrix, matrix.T, atol=1e-6):
        raise ValueError("the angles are not symmetric: from j to k must be as from k to j")
