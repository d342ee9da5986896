"""Losses that join or replace softmax: center loss, reconstruction (paper 1), triplets (2)."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ser_lib.mining import Distance, Mining, count_active, pairwise_distances, triplets


class CenterLoss(nn.Module):
    r"""Distance of each embedding to the center of its class (paper 1, equation 1).

    .. math:: L_C = \frac{1}{2B} \sum_{i=1}^{B} \lVert z_i - c_{y_i} \rVert_2^2
       \qquad\text{or, with ``norm="l1"``,}\qquad
       L_C = \frac{1}{B} \sum_{i=1}^{B} \lVert z_i - c_{y_i} \rVert_1

    The mean over the batch; Wen et al. (2016) print the sum, and equation 1 is lost in our copy of
    paper 1. The centers are a buffer: no optimiser, weight decay or balance factor touches them.
    They move only by :meth:`update_centers`.

    Args:
        num_classes: number of centers.
        dim: length of an embedding.
        alpha: rate of the centers, in [0, 1].
        norm: ``"l2"`` or ``"l1"``, the variation paper 1 mentions in section 4.

    Shape:
        embeddings ``(batch, dim)``, labels ``(batch,)`` of integers, loss: a scalar.

    Raises:
        ValueError: an argument is out of its range, or the shapes or labels do not fit.

    Example:
        >>> loss = CenterLoss(2, 2)
        >>> z, y = torch.tensor([[3.0, 4.0], [0.0, 0.0]]), torch.tensor([0, 1])
        >>> loss(z, y).item()
        6.25
        >>> loss.update_centers(z, y)
        >>> loss.centers.tolist()
        [[0.75, 1.0], [0.0, 0.0]]
    """

    centers: Tensor

    def __init__(
        self,
        num_classes: int,
        dim: int,
        alpha: float = 0.5,
        norm: Literal["l1", "l2"] = "l2",
    ) -> None:
        """Put all centers at the origin."""
        super().__init__()
        if num_classes < 1 or dim < 1:
            raise ValueError(f"num_classes {num_classes} and dim {dim} must be positive")
        if not 0 <= alpha <= 1:
            raise ValueError(f"alpha is {alpha}, it must lie in [0, 1]")
        if norm not in ("l1", "l2"):
            raise ValueError(f"norm {norm!r} is neither 'l1' nor 'l2'")
        self.alpha = alpha
        self.norm = norm
        self.register_buffer("centers", torch.zeros(num_classes, dim))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of a batch; zero, with a gradient, for an empty one."""
        labels = self._checked(embeddings, labels)
        if len(labels) == 0:
            return embeddings.sum() * 0
        difference = embeddings - self.centers[labels]
        if self.norm == "l1":
            return difference.abs().sum(1).mean()
        return difference.square().sum(1).mean() / 2

    @torch.no_grad()
    def update_centers(self, embeddings: Tensor, labels: Tensor) -> None:
        r"""Move the centers towards a batch by the delta rule (Wen et al. 2016, equation 4).

        .. math:: \Delta c_j = \frac{\sum_{i: y_i = j} (c_j - z_i)}{1 + n_j}, \qquad
           c_j \leftarrow c_j - \alpha \, \Delta c_j

        with :math:`n_j` the number of samples of class :math:`j`; for ``norm="l1"`` the sign of
        the difference takes its place. It equals the gradient of the loss with respect to the
        center times :math:`B / (1 + n_j)`. The center of an absent class stays as it is.
        """
        labels = self._checked(embeddings, labels)
        difference = self.centers[labels] - embeddings.to(self.centers.dtype)
        if self.norm == "l1":
            difference = difference.sign()
        total = torch.zeros_like(self.centers).index_add_(0, labels, difference)
        count = torch.bincount(labels, minlength=len(self.centers)).to(total.dtype)
        self.centers -= self.alpha * total / (1 + count)[:, None]

    def _checked(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        classes, dim = self.centers.shape
        if embeddings.dim() != 2 or embeddings.shape[1] != dim:
            raise ValueError(
                f"embeddings have shape {tuple(embeddings.shape)}, expected (batch, {dim})"
            )
        if labels.shape != embeddings.shape[:1]:
            raise ValueError(
                f"labels have shape {tuple(labels.shape)}, expected ({len(embeddings)},)"
            )
        if labels.dtype == torch.bool or labels.is_floating_point():
            raise ValueError(f"labels are {labels.dtype}, expected integers")
        if len(labels) and (int(labels.min()) < 0 or int(labels.max()) >= classes):
            raise ValueError(
                f"labels run from {int(labels.min())} to {int(labels.max())}, "
                f"allowed are 0 to {classes - 1}"
            )
        return labels.long()  # of uint8 an index would be a mask


def reconstruction_loss(output: Tensor, target: Tensor) -> Tensor:
    r"""Mean squared error between a reconstruction and its input (paper 1, section 2.4).

    .. math:: L_A = \frac{1}{N} \sum_n (\hat x_n - x_n)^2

    over all :math:`N` values of the batch. The paper speaks of the sum of squared differences once
    and else of MSE; the mean makes the balance factor independent of the shape.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> reconstruction_loss(torch.zeros(2, 3, 4), torch.full((2, 3, 4), 2.0)).item()
        4.0
    """
    if output.shape != target.shape:
        raise ValueError(
            f"reconstruction has shape {tuple(output.shape)}, its input {tuple(target.shape)}"
        )
    return F.mse_loss(output, target)


def triplet_loss(
    embeddings: Tensor,
    labels: Tensor,
    margin: float,
    mining: Mining = "all",
    distance: Distance = "euclidean",
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    r"""Ask each anchor to be nearer to its positives than to its negatives, by a margin (paper 2).

    .. math:: L_T = \frac{1}{|T|} \sum_{(a, p, n) \in T} \max(0, d_{ap} - d_{an} + m)

    :math:`T` is what the mining picks: ``"all"`` valid triplets, zeros included; all
    ``"semi-hard"`` ones; or one triplet for each anchor that has a positive and a negative, the
    ``"hard"`` est or a ``"random"`` one (see :func:`ser_lib.mining.triplets`). Paper 2 does not say
    which triplets, distance and margin it took. The first two are counted instead of listed
    (:func:`ser_lib.mining.count_active`). A hinge of exactly zero has no gradient.

    Args:
        embeddings: shape ``(batch, dim)``, as they are: nothing is normalised, except by cosine.
            (:mod:`ser_lib.training` brings them to length 1 before.)
        labels: shape ``(batch,)``.
        margin: 0 or more, in the distance's unit.
        mining: which triplets.
        distance: ``"euclidean"``, ``"squared_euclidean"`` or ``"cosine"``, which is 1 - cos; at
            zero Euclidean distance the gradient is zero.
        generator: for ``"random"`` only.

    Returns:
        A scalar from 0 on; zero, with a gradient of zeros, if there is no triplet.

    Raises:
        ValueError: shapes or margin do not fit, embeddings are integers, mining or distance are
            unknown, or ``"random"`` has no generator.

    Example:
        >>> z = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.5]])
        >>> round(triplet_loss(z, torch.tensor([0, 0, 1]), 1.0).item(), 4)  # (0.5 + 0.1972) / 2
        0.3486
    """
    if not embeddings.is_floating_point():
        raise ValueError(f"embeddings are {embeddings.dtype}, expected floating-point numbers")
    d = pairwise_distances(embeddings, distance)
    if mining in ("all", "semi-hard"):
        counts = count_active(d.detach(), labels, margin, mining)
        size = counts.valid if mining == "all" else counts.active
        total = (counts.weights * d).sum() + margin * counts.active
    else:
        a, p, n = triplets(d.detach(), labels, margin, mining, generator=generator)
        size = len(a)
        total = (d[a, p] - d[a, n] + margin).relu().sum()
    return (total / size if size else (embeddings * 0).sum()).to(embeddings.dtype)
