"""Figures of embeddings in the plane, with their centers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from ser_lib.plots.style import (
    EMOTION_COLOURS,
    EMOTION_MARKERS,
    GREY,
    RIM,
    check_emotions,
    handles_of,
    new_figure,
    outer_legend,
    panel_grid,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WIDTH = 8.8  # of a figure with panels, however many: a page scales them all alike


def embeddings(
    panels: Mapping[str, tuple[NDArray[Any], NDArray[Any]]],
    labels: Sequence[int],
    emotions: Sequence[str],
) -> Figure:
    """Embeddings of the same inputs from several trainings, side by side, rings at the centers.

    Each panel has a scale of its own, equal along both axes: read its numbers.

    Args:
        panels: title -> (n, 2) embeddings and (classes, 2) centers.
        labels: (n,) indices into ``emotions``.
        emotions: name of each class.

    Raises:
        ValueError: there is no panel, an emotion has no colour, or the shapes do not fit.
    """
    check_emotions(emotions)
    index = np.asarray(labels)
    for title, (points, centers) in panels.items():
        if points.shape != (len(index), 2) or centers.shape != (len(emotions), 2):
            raise ValueError(
                f"panel {title!r}: points {points.shape} and centers {centers.shape}, expected "
                f"({len(index)}, 2) and ({len(emotions)}, 2)"
            )
    across = min(max(len(panels), 1), 2 if len(panels) == 4 else 3)
    down = -(-len(panels) // across)
    with new_figure(_WIDTH, 0.5 + 0.93 * _WIDTH / across * down) as figure:
        grid = panel_grid(figure, len(panels), across).ravel()
        for axes, (title, (points, centers)) in zip(grid, panels.items(), strict=False):
            for k, name in enumerate(emotions):
                own = points[index == k]
                colour, marker = EMOTION_COLOURS[name], EMOTION_MARKERS[name]
                axes.scatter(
                    own[:, 0], own[:, 1], s=26, color=colour, marker=marker, label=name, **RIM
                )
            for k, name in enumerate(emotions):
                ring = axes.scatter(
                    centers[k, 0], centers[k, 1], s=120, color="white", alpha=0.8, zorder=3
                )
                ring.set(edgecolor=EMOTION_COLOURS[name], linewidth=2.5)
            axes.set(title=title)
            axes.set_aspect("equal", adjustable="datalim")
            axes.locator_params(nbins=5)
        figure.supxlabel("first number of the embedding", fontsize=11)
        figure.supylabel("second number", fontsize=11)
        names = handles_of(grid[:1])
        outer_legend(figure, names, above=True, ncols=len(emotions), fontsize=12)
    return figure


def maps(panels: Mapping[str, tuple[NDArray[Any], Sequence[str]]]) -> Figure:
    """Maps of embeddings, such as t-SNE makes, side by side; the axes carry no numbers.

    Args:
        panels: title -> (n, 2) places and the emotion of each.

    Raises:
        ValueError: there is no panel, an emotion has no colour, or the shapes do not fit.
    """
    if not panels:
        raise ValueError("there is no panel to draw")
    for title, (points, names) in panels.items():
        check_emotions(names)
        if points.shape != (len(names), 2):
            raise ValueError(f"panel {title!r}: points {points.shape}, expected ({len(names)}, 2)")
    with new_figure(_WIDTH, 0.6 + min(_WIDTH / len(panels), 3.6)) as figure:
        grid = figure.subplots(1, len(panels), squeeze=False).ravel()
        handles = {}
        for axes, (title, (points, names)) in zip(grid, panels.items(), strict=True):
            index = np.asarray(names)
            for name in sorted(set(names)):
                own = points[index == name]
                colour, marker = EMOTION_COLOURS[name], EMOTION_MARKERS[name]
                handles[name] = axes.scatter(
                    own[:, 0], own[:, 1], s=26, color=colour, marker=marker, **RIM
                )
            axes.set(title=title, xticks=[], yticks=[])
            axes.set_aspect("equal", adjustable="datalim")
            for spine in axes.spines.values():
                spine.set(visible=True, color=GREY)
        outer_legend(figure, handles, ncols=min(len(handles), 4), fontsize=12)
    return figure


def around_centers(
    points: NDArray[Any], emotions: Sequence[str], centers: Mapping[str, Sequence[float]]
) -> Figure:
    """Points in the plane, each joined to the center of its emotion.

    Args:
        points: (n, 2).
        emotions: (n,) names.
        centers: emotion -> (2,).

    Raises:
        ValueError: an emotion has no colour or no center.
    """
    check_emotions(emotions)
    if missing := sorted(set(emotions) - set(centers)):
        raise ValueError(f"no center for emotion {', '.join(map(repr, missing))}")
    with new_figure(6.5, 4.6) as figure:
        axes = figure.add_subplot()
        for name, center in centers.items():
            own = points[np.array([emotion == name for emotion in emotions])]
            colour = EMOTION_COLOURS[name]
            for point in own:
                axes.plot(*zip(point, center, strict=True), color=colour, linewidth=1, alpha=0.6)
            marker = EMOTION_MARKERS[name]
            axes.scatter(own[:, 0], own[:, 1], s=55, color=colour, marker=marker, label=name, **RIM)
            ring = axes.scatter(center[0], center[1], s=170, color="white", zorder=3)
            ring.set(edgecolor=colour, linewidth=2.5)
        axes.set(xlabel="first number of the embedding", ylabel="second number", aspect="equal")
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return figure
