"""Bootstrap intervals of the angles between emotions, over utterances or speakers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ser_lib.angles import (
    Reading,
    Vectors,
    angle_matrix,
    class_directions,
    half_chord,
    labelled,
    units,
)
from ser_lib.statistics.intervals import inside


@dataclass(frozen=True)
class AngleIntervals:
    """Angles between classes with the ends of their intervals, each ``(classes, classes)``."""

    estimate: Tensor
    low: Tensor
    high: Tensor
    level: float


def bootstrap_angles(
    embeddings: Vectors,
    labels: Vectors,
    num_classes: int,
    *,
    groups: Sequence[Hashable] | None = None,
    reading: Reading = "mean",
    draws: int = 2_000,
    level: float = 0.95,
    seed: int = 0,
) -> AngleIntervals:
    r"""Bootstrap intervals of the angles between class directions.

    Each draw takes as many groups (speakers) as there are, with replacement, and all of their
    utterances; a draw that lacks a class is drawn again. Without groups it takes, within each
    class, as many utterances as there are.

    In many dimensions noise pulls an angle towards 90 degrees: of two noisy means an acute angle is
    larger and an obtuse one smaller than what it estimates, and those of resamples go farther the
    same way. So the interval is the basic one,
    :math:`[2\hat\theta - q_{high}, 2\hat\theta - q_{low}]` with the quantiles :math:`q` of the
    draws, cut at 0 and 180 (Davison and Hinkley 1997, section 5.2), which takes that shift back
    once; it may leave out the estimate itself. The percentile interval, which adds the shift a
    second time, can miss nearly always; ``tests/statistics/test_angles.py`` counts how often each
    holds the true angle.

    Args:
        embeddings: shape ``(n, dim)``.
        labels: integers in [0, num_classes), shape ``(n,)``.
        num_classes: number of classes.
        groups: of each utterance; each class must occur in two groups or more.
        reading: as for :func:`class_directions`.
        draws: number of resamples, at least 100.
        level: confidence level in (0, 1).
        seed: of the draws.

    Raises:
        ValueError: as :func:`class_directions`, or a group, class or option does not fit.

    Example:
        >>> z = [[1.0, 0.1], [1.0, -0.1], [0.1, 1.0], [-0.1, 1.0]]
        >>> found = bootstrap_angles(z, [0, 0, 1, 1], 2)
        >>> bool(found.low[0, 1] < 90 < found.high[0, 1])
        True
    """
    directions = class_directions(embeddings, labels, num_classes, reading=reading)
    z, y = labelled(embeddings, labels, num_classes, reading)
    if draws < 100:
        raise ValueError(f"draws is {draws}, at least 100 are needed")
    inside("level", level)
    estimate = angle_matrix(directions)
    rng = np.random.default_rng(seed)
    if groups is None:
        sums = _draw_utterances(z, y, num_classes, draws, rng)
    else:
        sums = _draw_groups(z, y, num_classes, groups, draws, rng)
    flat = sums.flatten(0, 1)
    drawn = units(flat, "the resampled means").view_as(sums)
    low, high = estimate.clone(), estimate.clone()
    ends = torch.tensor([(1 + level) / 2, (1 - level) / 2], dtype=z.dtype, device=z.device)
    for j in range(num_classes):
        for k in range(j):
            quantiles = half_chord(drawn[:, j], drawn[:, k]).quantile(ends)
            pair = (2 * estimate[j, k] - quantiles).clamp(0, 180)
            low[j, k] = low[k, j] = pair[0]
            high[j, k] = high[k, j] = pair[1]
    return AngleIntervals(estimate, low, high, level)


def _draw_utterances(
    z: Tensor, y: Tensor, num_classes: int, draws: int, rng: np.random.Generator
) -> Tensor:
    """Sums of each class's resampled embeddings, ``(draws, classes, dim)``."""
    sums = []
    for k in range(num_classes):
        own = z[y == k]
        times = rng.multinomial(len(own), np.full(len(own), 1 / len(own)), draws)
        sums.append(torch.from_numpy(times).to(own) @ own)
    return torch.stack(sums, 1)


def _draw_groups(
    z: Tensor,
    y: Tensor,
    num_classes: int,
    groups: Sequence[Hashable],
    draws: int,
    rng: np.random.Generator,
) -> Tensor:
    """Sums of each class's embeddings in resampled groups, ``(draws, classes, dim)``."""
    if len(groups) != len(z):
        raise ValueError(f"{len(groups)} groups for {len(z)} embeddings, there must be as many")
    names = {name: number for number, name in enumerate(dict.fromkeys(groups))}
    cell = torch.tensor([names[g] for g in groups], device=z.device) * num_classes + y
    size = len(names) * num_classes
    sums = z.new_zeros(size, z.shape[1]).index_add_(0, cell, z).view(len(names), -1)
    present = (torch.bincount(cell, minlength=size).view(len(names), -1) > 0).cpu().numpy()
    for k, count in enumerate(present.sum(0)):
        if count < 2:
            raise ValueError(f"class {k} occurs in {count} group, at least 2 are needed")
    kept: list[npt.NDArray[np.int64]] = []
    while (missing := draws - sum(map(len, kept))) > 0:
        times = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), missing)
        kept.append(times[((times @ present) > 0).all(1)])
    return (torch.from_numpy(np.concatenate(kept)).to(z) @ sums).view(draws, num_classes, -1)
