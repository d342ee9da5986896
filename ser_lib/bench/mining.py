"""Speed and memory of the loss of all triplets, against a library's and against three loops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor

from ser_lib import device as devices
from ser_lib.bench.timing import fastest_of_each, peak_memory
from ser_lib.losses import triplet_loss

Loss = Callable[[Tensor, Tensor], Tensor]
Rival = Literal["library", "loop"]
MARGIN = 0.2


def compare(
    *,
    against: Rival = "library",
    batches: Sequence[int] = (64, 256, 512),
    classes: int = 8,
    dim: int = 200,
    repeats: int = 5,
    device: str = "cpu",
    threads: int = 1,
) -> dict[str, Any]:
    """Compare the mean over all triplets, forward and backward, with a plain form.

    Args:
        against: ``"library"``, pytorch-metric-learning, or ``"loop"``, :func:`triplet_loop`.
        batches: embeddings in a batch.
        classes: of equal size.
        dim: length of an embedding.
        repeats: timed steps of either, in turn; the fastest counts.
        device: of torch.
        threads: of torch; one, as in the runs of a study.

    Returns:
        ``rows`` with ``batch``, ``triplets``, milliseconds and peak MiB of either in float32, their
        ratios, and ``difference``: the largest of value and gradients in float64.

    Raises:
        ValueError: a number is not positive, or pytorch-metric-learning is not installed, or
            the device cannot be used.
    """
    if min(*batches, classes, dim, repeats, threads) < 1:
        raise ValueError(
            f"batches {tuple(batches)}, classes {classes}, dim {dim}, repeats {repeats} and "
            f"threads {threads} must be positive"
        )
    devices.check_device(device)
    plain = _library() if against == "library" else partial(triplet_loop, margin=MARGIN)
    losses = (plain, partial(triplet_loss, margin=MARGIN))
    with devices.threads(threads):
        rows = [_compare(losses, batch, classes, dim, repeats, device) for batch in batches]
    return {
        "against": against,
        "device": device,
        "threads": threads,
        "classes": classes,
        "dim": dim,
        "torch": torch.__version__,
        "rows": rows,
    }


def triplet_loop(embeddings: Tensor, labels: Tensor, margin: float) -> Tensor:
    """Take the mean over all triplets in three nested loops: the plain way.

    Args:
        embeddings: shape ``(batch, dim)``, no two of them equal.
        labels: shape ``(batch,)``.
        margin: in the Euclidean distance's unit.
    """
    hinges = []
    for a, anchor in enumerate(embeddings):
        for p, positive in enumerate(embeddings):
            if p == a or labels[p] != labels[a]:
                continue
            for n, negative in enumerate(embeddings):
                if labels[n] != labels[a]:
                    near, far = (anchor - positive).norm(), (anchor - negative).norm()
                    hinges.append((near - far + margin).relu())
    return torch.stack(hinges).mean() if hinges else embeddings.sum() * 0


def _library() -> Loss:
    try:
        from pytorch_metric_learning.distances import LpDistance
        from pytorch_metric_learning.losses import TripletMarginLoss
        from pytorch_metric_learning.reducers import MeanReducer
    except ImportError as error:
        raise ValueError(
            f"this benchmark needs pytorch-metric-learning, of pyproject.toml's dev group: {error}"
        ) from error
    loss: Loss = TripletMarginLoss(
        MARGIN, distance=LpDistance(normalize_embeddings=False), reducer=MeanReducer()
    )
    return loss


def _compare(
    losses: Sequence[Loss], batch: int, classes: int, dim: int, repeats: int, device: str
) -> dict[str, float]:
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(batch, dim, generator=generator, dtype=torch.float64).to(device)
    y = torch.arange(batch, device=device) % classes

    def step(loss: Loss, z: Tensor) -> tuple[Tensor, Tensor]:
        z = z.detach().requires_grad_()
        value = loss(z, y)
        return value.detach(), torch.autograd.grad(value, z)[0]

    results = zip(*(step(loss, z) for loss in losses), strict=True)
    difference = max(float((plain - ours).abs().max()) for plain, ours in results)
    steps = [partial(step, loss, z.float()) for loss in losses]
    plain_mib, our_mib = (peak_memory(step, device) / 2**20 for step in steps)  # also warms up
    plain_ms, our_ms = (1000 * seconds for seconds in fastest_of_each(steps, repeats, device))
    same = y[:, None] == y
    return {
        "batch": batch,
        "triplets": int(((same.sum(1) - 1) * (~same).sum(1)).sum()),
        "plain_ms": round(plain_ms, 2),
        "our_ms": round(our_ms, 2),
        "times_faster": round(plain_ms / our_ms, 1),
        "plain_mib": round(plain_mib, 2),
        "our_mib": round(our_mib, 2),
        "times_smaller": round(plain_mib / our_mib, 1),
        "difference": difference,
    }
