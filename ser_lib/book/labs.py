"""Labs: pictures that the reader can push, in plain JavaScript without a server.

The scripts lie in ``book/_static/labs``; a lab carries its own copy of the script into the page, so
that it works in the book, from a file, and in a live notebook.
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ser_lib.plots.style import EMOTION_COLOURS, EMOTION_MARKERS, check_emotions

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCRIPTS = Path(__file__).parents[2] / "book" / "_static" / "labs"

_DRAWN_MARKERS = ("^", "o", "s", "D")
_FALLBACK = "This lab needs JavaScript; the figure above it shows some of its states."


@dataclass(frozen=True)
class Lab:
    """One lab as a notebook shows it; without JavaScript its ``fallback`` is read instead."""

    name: str
    data: dict[str, Any]
    fallback: str

    def _repr_html_(self) -> str:
        script = (SCRIPTS / f"{self.name}.js").read_text(encoding="utf-8")
        data = html.escape(json.dumps(self.data), quote=True)
        return (
            f'<div class="ser-lab" data-lab="{data}"><p>{html.escape(self.fallback)}</p></div>'
            f"<script>{script}</script>"
        )

    def __repr__(self) -> str:
        """Give the fallback: the form for where no page can be shown."""
        return self.fallback


def center_loss_lab(
    points: NDArray[Any], labels: Sequence[int], emotions: Sequence[str], *, rate: float = 0.1
) -> Lab:
    """Make the lab of softmax and center loss on free points in the plane.

    Args:
        points: (n, 2) where they start.
        labels: (n,) indices into ``emotions``.
        emotions: name of each class.
        rate: learning rate.

    Raises:
        ValueError: the shapes do not fit, a class has no point, or the lab cannot draw an emotion.

    Example:
        >>> center_loss_lab([[0.0, 1.0], [1.0, 0.0]], [0, 1], ["anger", "sadness"])
        This lab needs JavaScript; the figure above it shows some of its states.
    """
    import numpy as np

    check_emotions(emotions)
    strange = [name for name in emotions if EMOTION_MARKERS[name] not in _DRAWN_MARKERS]
    if strange:
        raise ValueError(f"the lab has no marker for emotion {', '.join(map(repr, strange))}")
    array, classes = np.asarray(points, dtype=float), [int(label) for label in labels]
    if array.shape != (len(classes), 2) or sorted(set(classes)) != list(range(len(emotions))):
        raise ValueError(
            f"points {array.shape} and labels {sorted(set(classes))} do not fit: expected (n, 2), "
            f"and each of the labels 0 to {len(emotions) - 1}"
        )
    data = {
        "points": array.tolist(),
        "labels": classes,
        "names": list(emotions),
        "colours": [EMOTION_COLOURS[name] for name in emotions],
        "markers": [EMOTION_MARKERS[name] for name in emotions],
        "rate": rate,
    }
    return Lab("center-loss", data, _FALLBACK)
