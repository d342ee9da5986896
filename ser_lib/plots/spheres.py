"""Directions on a sphere: places that keep their angles as well as three dimensions can."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from scipy.optimize import least_squares

from ser_lib.angles import angle_matrix
from ser_lib.plots.angles import check_angles
from ser_lib.plots.style import (
    EMOTION_COLOURS,
    EMOTION_MARKERS,
    GREY,
    RIM,
    check_emotions,
    new_figure,
    panel_grid,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

_BOX = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}


def on_sphere(angles: ArrayLike) -> tuple[Array, float]:
    r"""Places on the unit sphere whose angles are as near as possible to those given.

    Eight directions in 200 dimensions need up to eight; a picture has three. The start is the
    classical scaling of the cosines (their three largest eigenvectors, scaled to length 1), then
    the squared differences of the angles are minimised. What does not survive is the stress,

    .. math:: \sqrt{\frac{\sum_{j<k} (\hat\theta_{jk} - \theta_{jk})^2}
       {\sum_{j<k} \theta_{jk}^2}}

    where 0 is a perfect picture (Kruskal's stress-1 with the angles themselves as disparities).

    Args:
        angles: degrees, symmetric, shape ``(n, n)`` with ``n`` of at least 2.

    Returns:
        Unit vectors ``(n, 3)``, turned so that their mean looks at the reader (along the third
        axis) and the widest spread is horizontal; and the stress.

    Raises:
        ValueError: the matrix is no matrix of angles.

    Example:
        >>> places, stress = on_sphere([[0, 90, 90], [90, 0, 90], [90, 90, 0]])
        >>> places.shape, round(stress, 6)
        ((3, 3), 0.0)
    """
    given = np.asarray(angles, dtype=np.float64)
    check_angles(given)
    count = len(given)
    upper = np.triu_indices(count, 1)
    values, vectors = np.linalg.eigh(np.cos(np.radians(given)))
    start = np.zeros((count, 3))
    kept = min(3, count)
    start[:, :kept] = (vectors * np.sqrt(np.maximum(values, 0)))[:, ::-1][:, :kept]
    # A direction that three dimensions lose altogether would have length 0.
    start += 1e-3 * np.random.default_rng(0).normal(size=start.shape)

    def apart(flat: Array) -> Array:
        return angle_matrix(flat.reshape(count, 3)).numpy()[upper] - given[upper]

    found = least_squares(apart, start.ravel())
    whole = math.sqrt(np.sum(given[upper] ** 2))
    stress = math.sqrt(np.sum(found.fun**2)) / whole if whole else 0.0
    return _turned(_unit(found.x.reshape(count, 3))), stress


def spheres(panels: Mapping[str, tuple[ArrayLike, Sequence[str]]]) -> Figure:
    """Emotions as directions on a sphere, one sphere per corpus, with angles between neighbours.

    The places are those of :func:`on_sphere`; the numbers at the arcs are the angles given, not
    those of the picture. Each emotion is joined to the one nearest to it, and among up to four
    emotions each to each. What lies on the far side is hollow, its arcs are dotted.

    Args:
        panels: title -> degrees ``(n, n)``, and the emotion of each row.

    Raises:
        ValueError: there is no panel, an emotion has no colour, or a matrix is none of angles.
    """
    down = -(-len(panels) // 2)
    with new_figure(5.0 * min(max(len(panels), 1), 2), 0.4 + 3.8 * down) as figure:
        grid = panel_grid(figure, len(panels), 2).ravel()
        for axes, (title, (angles, emotions)) in zip(grid, panels.items(), strict=False):
            _draw_sphere(axes, np.asarray(angles, dtype=np.float64), emotions)
            axes.set_title(title)
    return figure


def _unit(rows: Array) -> Array:
    unit: Array = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def _turned(places: Array) -> Array:
    """Turn the sphere: the mean to the reader, then the widest spread across."""
    centred = places - places.mean(axis=0)
    axes = np.linalg.svd(centred)[2]
    forward = places.mean(axis=0)
    if np.linalg.norm(forward) < 1e-6:
        forward = axes[2]
    forward = forward / np.linalg.norm(forward)
    flat = centred - np.outer(centred @ forward, forward)
    right = np.linalg.svd(flat)[2][0]
    right = right - (right @ forward) * forward
    right /= np.linalg.norm(right)
    turned: Array = places @ np.stack([right, np.cross(forward, right), forward], 1)
    return turned * np.sign([turned[0, 0] or 1.0, 1.0, 1.0])


def _draw_sphere(axes: Axes, angles: Array, emotions: Sequence[str]) -> None:
    """Orthographic view from far away along the third axis."""
    check_emotions(emotions)
    check_angles(angles, emotions)
    places, _ = on_sphere(angles)
    turn = np.radians(np.arange(0, 361, 3))
    axes.fill(np.cos(turn), np.sin(turn), facecolor="#F4F6F8", edgecolor=GREY, linewidth=1.2)
    for height in np.sin(np.radians((-60, -30, 0, 30, 60))):
        width = np.sqrt(1 - height**2)
        axes.plot([-width, width], [height, height], color="#DDE1E5", linewidth=0.8)
    for longitude in np.sin(np.radians((-60, -30, 0, 30, 60))):
        axes.plot(longitude * np.cos(turn), np.sin(turn), color="#DDE1E5", linewidth=0.8)
    for j, k in _arcs(angles):
        arc = _great_circle(places[j], places[k])
        for side, style in ((arc[:, 2] >= 0, "-"), (arc[:, 2] < 0, ":")):
            shown = np.where(side[:, None], arc, np.nan)
            axes.plot(shown[:, 0], shown[:, 1], color=GREY, linestyle=style, linewidth=1.3)
        x, y, _ = arc[2 * len(arc) // 5]  # not in the middle, where the diagonals of four cross
        axes.text(
            x, y, f"{angles[j, k]:.0f}°", ha="center", va="center", fontsize=10, bbox=_BOX, zorder=4
        )
    labels = _label_places(places[:, :2], emotions)
    for (x, y, z), name, (across, up) in zip(places, emotions, labels, strict=True):
        colour = EMOTION_COLOURS[name]
        face = colour if z >= 0 else "white"
        rim = withStroke(linewidth=3.5, foreground=RIM["edgecolor"])
        axes.plot(
            x,
            y,
            marker=EMOTION_MARKERS[name],
            markersize=11,
            markerfacecolor=face,
            markeredgecolor=colour,
            markeredgewidth=2.5,
            path_effects=[rim],
            zorder=5,
        )
        axes.text(across, up, name, ha="center", va="center", fontsize=11, bbox=_BOX, zorder=6)
    axes.set(xlim=(-1.55, 1.55), ylim=(-1.15, 1.15), aspect="equal")
    axes.axis("off")


def _label_places(marks: Array, names: Sequence[str]) -> Array:
    """Middle of each name, beside its mark: outwards if there is room, else where least is hidden.

    All in units of the sphere's radius; the figure draws a letter about 0.065 wide.
    """
    taken = [(x, y, 0.16, 0.16) for x, y in marks]
    placed = []
    for (x, y), name in zip(marks, names, strict=True):
        width, height = 0.065 * len(name) + 0.06, 0.16
        options = []
        for turn in np.radians(np.arange(0, 360, 30)):
            step = np.array([np.cos(turn), np.sin(turn)])
            middle = np.array([x, y]) + step * (0.13 + np.array([width, height]) / 2)
            hidden = sum(
                max(0.0, (width + w) / 2 - abs(middle[0] - u))
                * max(0.0, (height + h) / 2 - abs(middle[1] - v))
                for u, v, w, h in taken
            )
            options.append((hidden, -float(step @ (x, y)), *middle))
        _, _, across, up = min(options)
        taken.append((across, up, width, height))
        placed.append((across, up))
    return np.array(placed)


def _arcs(angles: Array) -> list[tuple[int, int]]:
    """Pairs to join: all of up to four, else each with its nearest."""
    count = len(angles)
    if count <= 4:
        return [(j, k) for j in range(count) for k in range(j)]
    others = np.where(np.eye(count, dtype=bool), np.inf, angles)
    return sorted({(max(j, int(k)), min(j, int(k))) for j, k in enumerate(others.argmin(axis=1))})


def _great_circle(start: Array, end: Array) -> Array:
    """Points along the shortest way on the sphere."""
    share = np.linspace(0, 1, 61)[:, None]
    chord: Array = (1 - share) * start + share * end
    return _unit(chord + 1e-9)
