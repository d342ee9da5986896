"""Paper 1's network: four parallel paths, one branch that classifies, one that reconstructs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from ser_lib.layers import ConvReLUMaxPool2d, Padding

KERNEL_SIZES = ((4, 6), (6, 8), (8, 10), (10, 12))
"""Height and width of the kernels of the four paths (paper 1, section 2.1)."""


class Outputs(NamedTuple):
    """What a network gives for a batch; a branch that is switched off gives nothing."""

    logits: Tensor
    """Scores before softmax, ``(batch, classes)``."""
    embedding: Tensor
    """The last hidden layer, ``(batch, units)``; paper 1's after ReLU and before dropout."""
    reconstruction: Tensor | None
    """In [0, 1], of the input's shape."""


class Paths(nn.ModuleList):
    """Parallel paths on one input: 200 kernels of one size, ReLU and max-pooling to 2 x 2 in each.

    Args:
        kernel_sizes: height and width of the kernels, a pair for each path.
        input_shape: coefficients and frames.
        padding: of the convolutions.

    Shape:
        input ``(batch, coefficients, frames)``, output ``(batch, features)``, path after path.

    Raises:
        ValueError: the input has another shape, or that is too small for the largest kernel.
    """

    def __init__(
        self,
        kernel_sizes: Sequence[tuple[int, int]],
        input_shape: tuple[int, int],
        padding: Padding = "valid",
    ) -> None:
        """Build the paths."""
        height, width = (max(sizes) for sizes in zip(*kernel_sizes, strict=True))
        if padding == "valid" and (input_shape[0] < height + 1 or input_shape[1] < width + 1):
            raise ValueError(
                f"input shape {input_shape} is too small for a {height} x {width} kernel and a "
                f"2 x 2 pool: at least {(height + 1, width + 1)}"
            )
        super().__init__(ConvReLUMaxPool2d(200, size, padding=padding) for size in kernel_sizes)
        self.input_shape = tuple(input_shape)
        self.features = 200 * 4 * len(kernel_sizes)

    def forward(self, x: Tensor) -> Tensor:
        """Pool every path and concatenate."""
        if x.shape[1:] != self.input_shape:
            raise ValueError(
                f"input has shape {tuple(x.shape)}, expected (batch, {self.input_shape[0]}, "
                f"{self.input_shape[1]})"
            )
        return torch.cat([path(x).flatten(1) for path in self], 1)


class ParallelCNN(nn.Module):
    """The shared 2-D CNN of paper 1 (section 2.1, figure 1).

    Four paths of 200 kernels, ReLU and max-pooling to 2 x 2 give 4 x 800 = 3,200 features. On them
    stand two independent branches: FC, batch norm, ReLU, dropout and softmax; and FC, batch norm,
    ReLU, dropout, further FC layers and a sigmoid output of the input's size (the decoder).

    Args:
        num_classes: emotions.
        input_shape: coefficients and frames.
        padding: of the convolutions; the paper does not say.
        units: width of the FC layers; 64 is what the paper's 0.26 million parameters imply.
        dropout: probability of dropping a unit, 0.25 to 0.75 in the paper.
        decoder: widths of the decoder's further FC layers; ``None`` for a network without decoder.

    Shape:
        input ``(batch, coefficients, frames)``; see :class:`Outputs`.

    Raises:
        ValueError: a size is out of its range or the input has another shape.

    Example:
        >>> network = ParallelCNN(4, (40, 188))
        >>> sum(p.numel() for p in network.parameters())
        260452
    """

    def __init__(
        self,
        num_classes: int,
        input_shape: tuple[int, int],
        *,
        padding: Padding = "valid",
        units: int = 64,
        dropout: float = 0.5,
        decoder: Sequence[int] | None = None,
    ) -> None:
        """Build the paths and the branches that are switched on."""
        super().__init__()
        if num_classes < 2 or units < 1:
            raise ValueError(f"num_classes {num_classes} must be 2 or more and units {units} 1")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout is {dropout}, it must lie in [0, 1)")
        self.dim = units
        self.paths = Paths(KERNEL_SIZES, input_shape, padding)
        features = self.paths.features
        self.embed = fully_connected(features, units)
        self.classify = nn.Sequential(nn.Dropout(dropout), nn.Linear(units, num_classes))
        self.decode: nn.Sequential | None = None
        if decoder is not None:
            layers: list[nn.Module] = [fully_connected(features, units), nn.Dropout(dropout)]
            widths = [units, *decoder]
            for before, after in pairwise(widths):
                layers += [nn.Linear(before, after), nn.ReLU()]
            layers += [nn.Linear(widths[-1], input_shape[0] * input_shape[1]), nn.Sigmoid()]
            self.decode = nn.Sequential(*layers, nn.Unflatten(1, input_shape))

    def forward(self, x: Tensor) -> Outputs:
        """Run both branches on a batch."""
        features = self.paths(x)
        embedding = self.embed(features)
        reconstruction = self.decode(features) if self.decode is not None else None
        return Outputs(self.classify(embedding), embedding, cast(Tensor | None, reconstruction))


def fully_connected(before: int, after: int) -> nn.Sequential:
    """One FC layer as both networks have it: linear, batch norm, ReLU."""
    return nn.Sequential(nn.Linear(before, after), nn.BatchNorm1d(after), nn.ReLU())
