"""A toy for triplets: four overlapping clouds in the plane, a small network, and its training.

The chapters on triplets and on mining share it.
"""

from __future__ import annotations

from itertools import chain, islice, repeat

import torch
from torch import Tensor, nn

from ser_lib.losses import triplet_loss
from ser_lib.mining import BatchStatistics, Distance, Mining, describe
from ser_lib.sampling import BalancedBatches

Points = tuple[Tensor, Tensor]
"""Places, ``(n, 2)``, and classes 0 to 3, ``(n,)``."""


def clouds(per_class: int, seed: int, noise: float = 0.8) -> Points:
    """Four clouds around the corners of a square, one per class."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(4 * per_class) % 4
    angle = y * torch.pi / 2
    x = torch.stack((angle.cos(), angle.sin()), 1)
    return x + noise * torch.randn(x.shape, generator=generator), y


def small_network(seed: int = 1) -> nn.Sequential:
    """Two numbers in, two hidden layers, an embedding of two numbers out."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return nn.Sequential(
            nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2)
        )


def train(
    data: Points,
    mining: Mining,
    distance: Distance = "euclidean",
    *,
    margin: float = 0.5,
    utterances: int = 8,
    steps: int = 200,
    seed: int = 1,
) -> tuple[nn.Sequential, list[BatchStatistics]]:
    """Train a small network on triplets; return it and a log of its first 80 embeddings."""
    x, y = data
    network = small_network(seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    generator = torch.Generator().manual_seed(seed)
    batches = BalancedBatches(y, utterances=utterances, generator=generator)
    history = []
    for batch in islice(chain.from_iterable(repeat(batches)), steps):
        history.append(describe(network(x[:80]), y[:80], margin, distance))
        embeddings, labels = network(x[batch]), y[batch]
        loss = triplet_loss(embeddings, labels, margin, mining, distance, generator=generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network, [*history, describe(network(x[:80]), y[:80], margin, distance)]


def right(network: nn.Module, known: Points, new: Points) -> float:
    """Share of new points, in per cent, whose nearest class mean of the known ones is their own."""
    with torch.no_grad():
        learned, unknown = network(known[0]), network(new[0])
    means = torch.stack([learned[known[1] == k].mean(0) for k in range(4)])
    return 100 * (torch.cdist(unknown, means).argmin(1) == new[1]).double().mean().item()
