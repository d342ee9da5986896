"""Speed of classification by angle: one matrix product against a loop over all pairs.

Paper 2 leaves as future work "to check the angles for each speech utterance with each emotion
class", a process that "can be optimized to reduce computational requirements" (section 7).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ser_lib import device as devices
from ser_lib.angles import angles, classify
from ser_lib.bench.timing import fastest_of_each

Array = npt.NDArray[np.float64]
Shape = tuple[int, int, int]

SHAPES: tuple[Shape, ...] = ((1_440, 8, 200), (20_000, 8, 200))
"""Utterances, classes, dimensions: RAVDESS with paper 2's embedding, and a larger corpus."""


def angle_loop(embeddings: Array, directions: Array) -> Array:
    """Angle in degrees of each pair, one pair after the other: the plain way.

    Args:
        embeddings: shape ``(n, dim)``.
        directions: shape ``(num_classes, dim)``.
    """
    table = np.empty((len(embeddings), len(directions)))
    lengths = [np.linalg.norm(u) for u in directions]
    for i, z in enumerate(embeddings):
        length = np.linalg.norm(z)
        for k, u in enumerate(directions):
            cosine = np.dot(z, u) / (length * lengths[k])
            table[i, k] = math.degrees(math.acos(max(-1.0, min(1.0, cosine))))
    return table


def compare(
    *, shapes: Sequence[Shape] = SHAPES, repeats: int = 5, threads: int = 1
) -> dict[str, Any]:
    """Time the loop, the table of all angles, and the answers alone, in one run.

    Args:
        shapes: numbers of utterances, classes and dimensions.
        repeats: timed calls of each form, the fastest counts.
        threads: of torch; the loop has one.

    Returns:
        ``threads``, ``torch`` and ``comparisons``: for each shape the milliseconds of the three
        forms, how many times faster than the loop the other two are, the largest difference of an
        angle in degrees, and whether all answers are the same.

    Raises:
        ValueError: a number is not positive.
    """
    if min(repeats, threads, *(number for shape in shapes for number in shape)) < 1:
        raise ValueError(
            f"repeats {repeats}, threads {threads} and shapes {tuple(shapes)} must be positive"
        )
    with devices.threads(threads):
        rows = [_compare(shape, repeats) for shape in shapes]
    return {"threads": threads, "torch": torch.__version__, "comparisons": rows}


def _compare(shape: Shape, repeats: int) -> dict[str, Any]:
    count, classes, dim = shape
    rng = np.random.default_rng(0)
    z, u = rng.normal(size=(count, dim)), rng.normal(size=(classes, dim))
    loop, table, answers = angle_loop(z, u), angles(z, u), classify(z, u)  # also warms up
    steps = [partial(form, z, u) for form in (angle_loop, angles, classify)]
    loop_ms, angles_ms, classify_ms = (1000 * s for s in fastest_of_each(steps, repeats, "cpu"))
    return {
        "utterances": count,
        "classes": classes,
        "dimensions": dim,
        "loop_ms": round(loop_ms, 2),
        "angles_ms": round(angles_ms, 3),
        "classify_ms": round(classify_ms, 3),
        "angles_times_faster": round(loop_ms / angles_ms, 1),
        "classify_times_faster": round(loop_ms / classify_ms, 1),
        "largest_difference": float(np.abs(table.numpy() - loop).max()),
        "same_answers": bool((answers.numpy() == loop.argmin(1)).all()),
    }
