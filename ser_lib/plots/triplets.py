"""Figures of triplets: one in the plane, an anchor's distances on a line, its limits as steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from ser_lib.plots.style import (
    EMOTION_COLOURS,
    EMOTION_MARKERS,
    GREY,
    NOTE_BOX,
    check_emotions,
    new_figure,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

ZONES = {"hard": "#F6D5C5", "semi-hard": "#FBF0C4", "easy": "#DDEEE6"}


def one_triplet(
    points: NDArray[Any], moves: NDArray[Any], margin: float, emotions: tuple[str, str]
) -> Figure:
    """Anchor, positive and negative in the plane, the anchor's two circles, and where all move.

    Args:
        points: anchor, positive and negative, (3, 2).
        moves: of each, (3, 2).
        margin: distance from the inner circle, through the positive, to the outer one.
        emotions: of anchor and positive, and of the negative.

    Raises:
        ValueError: an emotion has no colour, or the shapes do not fit.
    """
    check_emotions(emotions)
    if points.shape != (3, 2) or moves.shape != (3, 2):
        raise ValueError(f"points {points.shape} and moves {moves.shape}, expected (3, 2) twice")
    near = float(np.linalg.norm(points[1] - points[0]))
    with new_figure(6.4, 5.6) as figure:
        axes = figure.add_subplot()
        for radius, style in ((near, "-"), (near + margin, "--")):
            axes.add_patch(Circle(points[0], radius, fill=False, edgecolor=GREY, linestyle=style))
        for radius, text in ((near, "as far as the positive"), (near + margin, "and the margin")):
            axes.text(
                points[0][0],
                points[0][1] - radius,
                text,
                ha="center",
                va="center",
                color=GREY,
                fontsize=10,
                bbox=NOTE_BOX,
            )
        for role, emotion, point, move in zip(
            ("anchor", "positive", "negative"),
            (emotions[0], *emotions),
            points,
            moves,
            strict=True,
        ):
            colour, marker = EMOTION_COLOURS[emotion], EMOTION_MARKERS[emotion]
            axes.scatter(
                point[0], point[1], s=150, color=colour, marker=marker, linewidth=0, zorder=3
            )
            axes.annotate(
                "", point + move, point, arrowprops={"arrowstyle": "-|>", "color": "black"}
            )
            side = (-12, 8) if role == "anchor" else (12, -4)
            axes.annotate(
                f"{role}, {emotion}",
                point,
                side,
                textcoords="offset points",
                ha="right" if role == "anchor" else "left",
                bbox=NOTE_BOX,
            )
        reach = near + margin + 0.4
        axes.set(xlim=points[0][0] + reach * np.array([-1, 1.25]), xlabel="first number")
        axes.set(ylim=points[0][1] + reach * np.array([-1, 1]), ylabel="second number")
        axes.set_aspect("equal")
    return figure


def zones(positive: float, negatives: Sequence[float], margin: float) -> Figure:
    """Distances of an anchor on a line: one positive, its limit, and the negatives by zone.

    Args:
        positive: distance of the positive.
        negatives: distances of the negatives.
        margin: from the positive to the limit.
    """
    end = 1.08 * max([positive + margin, *negatives])
    with new_figure(8.6, 2.5) as figure:
        axes = figure.add_subplot()
        edges = (0.0, positive, positive + margin, end)
        for number, (name, colour) in enumerate(ZONES.items()):
            left, right = edges[number], edges[number + 1]
            axes.axvspan(left, right, color=colour, linewidth=0)
            axes.text((left + right) / 2, 0.9, name, ha="center", va="top", fontsize=12)
        axes.axvline(positive, color="black", linewidth=1.5)
        axes.axvline(positive + margin, color="black", linewidth=1.5, linestyle="--")
        _marks(axes, [positive], 0.35, "anger", "positive")
        _marks(axes, negatives, 0.35, "sadness", "negatives")
        axes.set(xlim=(0, end), ylim=(0, 1), yticks=[], xlabel="distance from the anchor")
        axes.spines["left"].set_visible(False)
        figure.legend(ncols=2, frameon=False, loc="outside upper center")
    return figure


def steps(positives: Sequence[float], negatives: Sequence[float], margin: float) -> Figure:
    """How many limits of an anchor's positives lie beyond each distance, and what a negative pays.

    Args:
        positives: distances of the positives.
        negatives: distances of the negatives; what the first of them pays is shaded.
        margin: added to the positives' distances.

    Raises:
        ValueError: there are no positives or no negatives.
    """
    if not len(positives) or not len(negatives):
        raise ValueError(
            f"{len(positives)} positives and {len(negatives)} negatives: one of each is needed"
        )
    limits = np.sort(np.asarray(positives, dtype=float)) + margin
    count = len(limits)
    end = 1.08 * max(float(limits[-1]), *negatives)
    edges = np.concatenate([[0.0], limits, [end]])
    with new_figure(8.6, 3.8) as figure:
        axes = figure.add_subplot()
        axes.stairs(np.arange(count, -1, -1), edges, color="black", linewidth=2, baseline=None)
        axes.vlines(limits, 0, np.arange(count, 0, -1), color=GREY, linestyle=":", linewidth=1.2)
        paying = float(negatives[0])
        inside = np.concatenate([[paying], limits[limits > paying]])
        if len(inside) > 1:
            axes.stairs(
                np.arange(len(inside) - 1, 0, -1),
                inside,
                fill=True,
                zorder=0,
                color=ZONES["semi-hard"],
                label=f"what the negative at {paying:g} pays",
            )
        heights = [int((limits > negative).sum()) for negative in negatives]
        colour, marker = EMOTION_COLOURS["sadness"], EMOTION_MARKERS["sadness"]
        axes.scatter(
            negatives, heights, s=80, color=colour, marker=marker, zorder=3, label="negatives"
        )
        for negative, height in zip(negatives, heights, strict=True):
            axes.annotate(
                str(height), (negative, height), (6, 6), textcoords="offset points", fontsize=12
            )
        for number, limit in enumerate(limits, 1):
            axes.text(limit, -0.12, f"$t_{number}$", ha="center", va="top", color=GREY)
        axes.set(
            xlim=(0, end),
            ylim=(-0.5, count + 0.7),
            yticks=range(count + 1),
            xlabel="distance from the anchor",
            ylabel="limits beyond",
        )
        axes.legend(frameon=False)
    return figure


def shares(counts: Mapping[str, Mapping[str, float]]) -> Figure:
    """Shares of the hard, semi-hard and easy triplets, as one bar for each moment.

    Args:
        counts: moment -> zone -> share; the shares of a moment add up to 1.

    Raises:
        ValueError: a zone is unknown.
    """
    strangers = sorted({zone for row in counts.values() for zone in row} - set(ZONES))
    if strangers:
        raise ValueError(f"zones {strangers} are unknown, known are {list(ZONES)}")
    hatches = {"hard": "//", "semi-hard": "..", "easy": ""}
    with new_figure(8.6, 0.9 + 0.55 * len(counts)) as figure:
        axes = figure.add_subplot()
        left = np.zeros(len(counts))
        for zone, colour in ZONES.items():
            width = np.array([row.get(zone, 0.0) for row in counts.values()])
            axes.barh(
                list(counts),
                width,
                left=left,
                color=colour,
                edgecolor=GREY,
                hatch=hatches[zone],
                label=zone,
            )
            left += width
        axes.invert_yaxis()
        axes.set(xlim=(0, 1), xlabel="share of all triplets")
        figure.legend(ncols=3, frameon=False, loc="outside upper center")
    return figure


def _marks(axes: Axes, distances: Sequence[float], height: float, emotion: str, label: str) -> None:
    axes.scatter(
        distances,
        [height] * len(distances),
        s=90,
        color=EMOTION_COLOURS[emotion],
        marker=EMOTION_MARKERS[emotion],
        linewidth=0,
        zorder=3,
        label=label,
    )
