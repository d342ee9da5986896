"""Which triplets: distances in a batch, triplets as index vectors, and all of them without a list.

A triplet is an anchor, a positive (another utterance of its class) and a negative (one of another
class). Distances are computed in float64, whatever comes in: their differences, which the loss
lives on, are lost first when embeddings fall together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

Distance = Literal["euclidean", "squared_euclidean", "cosine"]
Mining = Literal["all", "hard", "semi-hard", "random"]


class Triplets(NamedTuple):
    """Triplets as three index vectors of one length."""

    anchor: Tensor
    positive: Tensor
    negative: Tensor


@dataclass(frozen=True)
class Counts:
    """How often each distance of a batch stands in an active triplet."""

    weights: Tensor
    """``(batch, batch)`` integers: entry ``[a, p]`` is the number of active negatives of the pair,
    entry ``[a, n]`` minus the number of active positives."""
    active: int
    """Triplets with a loss above zero that the mining keeps."""
    valid: int
    """Triplets that the batch has."""


@dataclass(frozen=True)
class BatchStatistics:
    """What to watch while training with triplets; see :func:`describe`."""

    loss: float
    """Mean over all valid triplets."""
    active: float
    """Share of the valid triplets whose loss is above zero."""
    positive: float
    """Mean distance of two utterances of one class."""
    negative: float
    """Mean distance of two utterances of different classes."""
    norm: float
    """Mean Euclidean length of an embedding."""
    spread: float
    """Mean distance of any two utterances."""
    collapsed: bool


def pairwise_distances(embeddings: Tensor, distance: Distance = "euclidean") -> Tensor:
    r"""Distances between all embeddings of a batch, in float64.

    .. math:: \lVert z_i - z_j \rVert_2, \qquad \lVert z_i - z_j \rVert_2^2 \qquad\text{or}\qquad
       1 - \frac{z_i \cdot z_j}{\lVert z_i \rVert \, \lVert z_j \rVert}

    in :math:`[0, \infty)`, for cosine in :math:`[0, 2]`. The Euclidean distance has no derivative
    at zero; there its gradient is zero, as that of :func:`torch.cdist`. An embedding at the origin
    has no direction: its cosine distance to all others is 1, and its gradient is that of length 1.

    Args:
        embeddings: shape ``(batch, dim)``.
        distance: ``"euclidean"``, ``"squared_euclidean"`` or ``"cosine"``.

    Raises:
        ValueError: embeddings have another shape, or the distance is unknown.

    Example:
        >>> z = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
        >>> pairwise_distances(z, "squared_euclidean").tolist()
        [[0.0, 25.0], [25.0, 0.0]]
    """
    if embeddings.dim() != 2:
        raise ValueError(f"embeddings have shape {tuple(embeddings.shape)}, expected (batch, dim)")
    z = embeddings.double()
    if distance == "cosine":
        norm = z.norm(dim=1, keepdim=True)
        unit = z / torch.where(norm > 0, norm, 1.0)
        return 1 - unit @ unit.T
    if distance not in ("euclidean", "squared_euclidean"):
        raise ValueError(f"distance {distance!r} is unknown, known are {_names(Distance)}")
    # From 26 rows on cdist subtracts products, which is exact near the origin only. A common
    # shift changes no distance, so it needs no gradient either.
    z = z - z.detach().mean(0)
    apart = torch.cdist(z, z)
    return apart.square() if distance == "squared_euclidean" else apart


def triplets(
    distances: Tensor,
    labels: Tensor,
    margin: float,
    mining: Mining = "all",
    *,
    generator: torch.Generator | None = None,
) -> Triplets:
    r"""List the triplets that a strategy picks from a batch.

    - ``"all"``: every triplet there is; a list of :math:`O(B^3)`.
    - ``"semi-hard"``: those with :math:`d_{ap} < d_{an} < d_{ap} + m` (Schroff et al. 2015,
      section 3.2): in the right order, but by less than the margin.
    - ``"hard"``: for each anchor its farthest positive and nearest negative (Hermans et al. 2017);
      of equally far ones the first.
    - ``"random"``: for each anchor one positive and one negative, drawn with ``generator``.

    Args:
        distances: shape ``(batch, batch)``, from :func:`pairwise_distances`.
        labels: shape ``(batch,)``.
        margin: in the distance's unit; only ``"semi-hard"`` looks at it.
        mining: the strategy.
        generator: of the CPU, for ``"random"`` only.

    Raises:
        ValueError: shapes, margin or mining are not as above, or ``"random"`` has no generator.

    Example:
        >>> d = pairwise_distances(torch.tensor([[0.0], [1.0], [3.0]]))
        >>> a, p, n = triplets(d, torch.tensor([0, 0, 1]), 2.0, "semi-hard")
        >>> a.tolist(), p.tolist(), n.tolist()
        ([1], [0], [2])
    """
    positive, negative = _pairs(distances, labels)
    _check(margin, mining)
    if mining in ("all", "semi-hard"):
        keep = positive[:, :, None] & negative[:, None, :]
        if mining == "semi-hard":
            near, far = distances[:, :, None], distances[:, None, :]
            keep &= (near < far) & (far < near + margin)
        return Triplets(*keep.nonzero(as_tuple=True))
    if mining == "random":
        if generator is None:
            raise ValueError("mining 'random' needs a generator: the draw must be repeatable")
        draw = torch.rand((2, *distances.shape), generator=generator).to(distances.device)
        far, near = draw[0], draw[1]
    else:
        far = near = distances
    anchor = (positive.any(1) & negative.any(1)).nonzero()[:, 0]
    if len(anchor) == 0:
        return Triplets(anchor, anchor, anchor)
    chosen = torch.where(positive, far, -math.inf)[anchor].argmax(1)
    opposed = torch.where(negative, near, math.inf)[anchor].argmin(1)
    return Triplets(anchor, chosen, opposed)


@torch.no_grad()
def count_active(
    distances: Tensor, labels: Tensor, margin: float, mining: Mining = "all"
) -> Counts:
    r"""Count the active triplets around every distance, without listing any.

    The mean hinge of all triplets is linear in the distances as long as the same ones are active:

    .. math:: \sum_{a,p,n} \max(0, d_{ap} - d_{an} + m)
       = \sum_{a,p} k_{ap} d_{ap} - \sum_{a,n} k_{an} d_{an} + m K,

    with :math:`k_{ap}` the active negatives of a pair, :math:`k_{an}` its active positives and
    :math:`K` their total; so these counts are the gradient as well. For one anchor, sort the
    limits :math:`d_{ap} + m` of its positives; a binary search tells each negative how many of them
    lie beyond it, and adding up in the order of the limits tells each limit how many negatives lie
    before it. Time :math:`O(B^2 \log B)`, memory :math:`O(B^2)`.

    A negative exactly at the limit is not active: its hinge is zero, and so is its gradient, as
    with ``relu``.

    Args:
        distances: shape ``(batch, batch)``.
        labels: shape ``(batch,)``.
        margin: in the distance's unit.
        mining: ``"all"``, or ``"semi-hard"`` to count only triplets with
            :math:`d_{ap} < d_{an}`.

    Raises:
        ValueError: shapes or margin do not fit, or the mining is another.

    Example:
        >>> d = pairwise_distances(torch.tensor([[0.0], [1.0], [3.0]]))
        >>> counts = count_active(d, torch.tensor([0, 0, 1]), 2.0)
        >>> counts.weights.tolist(), counts.active, counts.valid
        ([[0, 0, 0], [1, 0, -1], [0, 0, 0]], 1, 2)
    """
    positive, negative = _pairs(distances, labels)
    _check(margin, mining)
    if mining not in ("all", "semi-hard"):
        raise ValueError(f"mining {mining!r} is listed, not counted: use triplets()")
    of_positives, of_negatives = _partners(distances, positive, negative, margin)
    if mining == "semi-hard":
        hard = _partners(distances, positive, negative, 0.0, at_limit=True)
        # With a margin of zero nothing lies between the limits, and a tie stands in `hard` only.
        of_positives = (of_positives - hard[0]).clamp_(min=0)
        of_negatives = (of_negatives - hard[1]).clamp_(min=0)
    return Counts(
        weights=of_positives - of_negatives,
        active=int(of_positives.sum()),
        valid=int((positive.sum(1) * negative.sum(1)).sum()),
    )


@torch.no_grad()
def describe(
    embeddings: Tensor, labels: Tensor, margin: float, distance: Distance = "euclidean"
) -> BatchStatistics:
    r"""Measure a batch for the log of a training with triplets.

    ``collapsed`` says that the network gives everything nearly the same embedding: any two
    utterances are on average less than a tenth of the margin apart, *and* the mean loss of all
    triplets lies within a tenth of the margin around the margin, which is its value if all
    distances are equal. The second condition lets two classes pass that are points far apart, one
    of them rare. Distances are in the unit of ``distance``; a mean over nothing is 0.

    Args:
        embeddings: shape ``(batch, dim)``.
        labels: shape ``(batch,)``.
        margin: that the loss is taken with.
        distance: that the loss is taken with.

    Raises:
        ValueError: shapes, margin or distance are not as above.

    Example:
        >>> describe(torch.zeros(4, 2), torch.tensor([0, 0, 1, 1]), 0.2).collapsed
        True
    """
    d = pairwise_distances(embeddings, distance)
    positive, negative = _pairs(d, labels)
    counts = count_active(d, labels, margin)
    valid = max(counts.valid, 1)
    loss = float((counts.weights * d).sum() + margin * counts.active) / valid
    spread = _mean(d[positive | negative])
    return BatchStatistics(
        loss=loss,
        active=counts.active / valid,
        positive=_mean(d[positive]),
        negative=_mean(d[negative]),
        norm=_mean(embeddings.double().norm(dim=1)),
        spread=spread,
        collapsed=spread < margin / 10 and abs(loss - margin) < margin / 10,
    )


def _partners(
    distances: Tensor, positive: Tensor, negative: Tensor, margin: float, *, at_limit: bool = False
) -> tuple[Tensor, Tensor]:
    """Count, for each pair, the negatives below its limit and the positives whose limit is above.

    With ``at_limit`` a negative exactly at the limit counts too.
    """
    most = int(positive.sum(1).max()) if len(positive) else 0
    # Rows with fewer positives than others begin with limits of minus infinity: below any negative.
    limits, partner = torch.where(positive, distances + margin, -math.inf).topk(most, 1)
    limits, partner = limits.flip(1), partner.flip(1)
    candidates = torch.where(negative, distances, math.inf)
    passed = torch.searchsorted(limits, candidates, right=not at_limit)
    # How many negatives have passed so many limits, then that many or fewer.
    reached = passed.new_zeros(len(passed), most + 1)
    reached = reached.scatter_add_(1, passed, torch.ones_like(passed)).cumsum(1)[:, :most]
    of_positives = torch.zeros_like(passed).scatter_(1, partner, reached)
    return of_positives, most - passed


def _pairs(distances: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Where the batch's positive and negative pairs stand."""
    if labels.dim() != 1 or distances.shape != (len(labels), len(labels)):
        raise ValueError(
            f"labels have shape {tuple(labels.shape)}, distances {tuple(distances.shape)}: "
            "expected (batch,) and (batch, batch)"
        )
    same = labels[:, None] == labels
    return same.clone().fill_diagonal_(False), ~same


def _check(margin: float, mining: str) -> None:
    if not 0 <= margin < math.inf:
        raise ValueError(f"margin is {margin}, it must be a number from 0 on")
    if mining not in get_args(Mining):
        raise ValueError(f"mining {mining!r} is unknown, known are {_names(Mining)}")


def _mean(values: Tensor) -> float:
    return float(values.mean()) if len(values) else 0.0


def _names(kind: object) -> str:
    return ", ".join(repr(name) for name in get_args(kind))
