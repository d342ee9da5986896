"""Convolution, ReLU and max-pooling by search: only the winners are computed differentiably.

Paper 1 pools each filter's response to 2 x 2: of some 24,000 positions four survive, so only four
carry a gradient. The layer here looks for those four without building a graph, as matrix products
over patches, and then computes just them with one.
"""

from __future__ import annotations

import importlib
import math
from types import ModuleType
from typing import Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# The quick search needs numba, which comes with librosa; where features are brought along, as on a
# rented GPU, neither need be there.
quick_search: ModuleType | None
try:
    quick_search = importlib.import_module("ser_lib.quick_search")
except ImportError:
    quick_search = None

Padding = Literal["same", "valid"]

_AT_ONCE = 2**27
"""Responses that are held at a time on a GPU, half a gibibyte in float32."""


class ConvReLUMaxPool2d(nn.Module):
    r"""``nn.Conv2d(1, ...)``, ReLU and max-pooling to a few cells, in one step.

    For filter :math:`f` and cell :math:`c` of the response the output is

    .. math:: y_{fc} = \max\bigl(0, \max_{p \in c} (b_f + \sum_k w_{fk} x_{p+k})\bigr),

    the same values and gradients, to rounding, as ``nn.Conv2d``, ``nn.ReLU`` and
    ``nn.MaxPool2d(size)`` with ``size = response // output_size`` (paper 1, section 2.1: "the pool
    size is exactly half along the width and height of the convolution output"). Rows and columns
    left over by the division are dropped, as ``nn.MaxPool2d`` drops them. Of equal maxima the first
    in reading order wins. Where two positions differ by less than rounding, either may win. On
    processors with fast eight-bit products float32 images are searched by
    :mod:`ser_lib.quick_search`, which finds the same winners.

    Args:
        out_channels: number of filters.
        kernel_size: height and width of the filters.
        output_size: cells along height and width.
        padding: ``"valid"`` or ``"same"``, as in ``nn.Conv2d``.

    Shape:
        input ``(batch, height, width)``, output ``(batch, out_channels, *output_size)``.

    Raises:
        ValueError: a size is not positive, the padding is unknown, or the input is too small.

    Example:
        >>> layer = ConvReLUMaxPool2d(200, (4, 6))
        >>> layer(torch.zeros(8, 40, 188)).shape
        torch.Size([8, 200, 2, 2])
    """

    def __init__(
        self,
        out_channels: int,
        kernel_size: tuple[int, int],
        output_size: tuple[int, int] = (2, 2),
        padding: Padding = "valid",
    ) -> None:
        """Initialise weight and bias as ``nn.Conv2d`` does."""
        super().__init__()
        if min(out_channels, *kernel_size, *output_size) < 1:
            raise ValueError(
                f"out_channels {out_channels}, kernel_size {kernel_size} and output_size "
                f"{output_size} must be positive"
            )
        if padding not in ("same", "valid"):
            raise ValueError(f"padding {padding!r} is neither 'same' nor 'valid'")
        self.kernel_size = kernel_size
        self.output_size = output_size
        self.padding = padding
        plain = nn.Conv2d(1, out_channels, kernel_size)
        self.weight = plain.weight
        self.bias = cast(nn.Parameter, plain.bias)

    def extra_repr(self) -> str:
        """Name the sizes in ``print(layer)``."""
        return (
            f"{len(self.weight)}, kernel_size={self.kernel_size}, "
            f"output_size={self.output_size}, padding={self.padding!r}"
        )

    def forward(self, x: Tensor) -> Tensor:
        """Pool the response of every filter; see the class."""
        if x.dim() != 3:
            raise ValueError(f"input has shape {tuple(x.shape)}, expected (batch, height, width)")
        if self.padding == "same":
            (height, width) = (size - 1 for size in self.kernel_size)
            x = F.pad(x, (width // 2, width - width // 2, height // 2, height - height // 2))
        response = [n - k + 1 for n, k in zip(x.shape[1:], self.kernel_size, strict=True)]
        if any(n < cells for n, cells in zip(response, self.output_size, strict=True)):
            raise ValueError(
                f"input {tuple(x.shape[1:])} with kernel {self.kernel_size} has a response of "
                f"{tuple(response)}, less than the {self.output_size} cells"
            )
        x = x.contiguous()  # the winners' patches are taken by their place in memory
        with torch.no_grad():
            winners = self._search(x.detach())
        return self._winning_responses(x, winners)

    def _search(self, x: Tensor) -> Tensor:
        """Find the winning positions, as indices into a flat image: (batch, filters, cells)."""
        weight = self.weight.detach().flatten(1)
        if quick_search and quick_search.usable(x, weight):
            found: Tensor = quick_search.search(x, weight, self.kernel_size, self.output_size)
            return found
        if x.is_cuda:  # there the many small steps below cost more than all positions at once
            return self._search_by_convolution(x)
        width = x.shape[2]
        per_image = []
        for image in x:
            patches = image.unfold(0, self.kernel_size[0], 1).unfold(1, self.kernel_size[1], 1)
            patches = patches.permute(2, 3, 0, 1)  # long runs in memory: the copy below is quick
            # From here on every patch of a row is the same: the first stands for all of them.
            last = _first_repeated_column(image)
            cells = []
            for top, bottom, left, right in self._cells(*patches.shape[2:]):
                block = patches[:, :, top:bottom, left : min(right, max(last, left) + 1)]
                scores = weight @ block.reshape(weight.shape[1], -1)
                scores = scores.view(-1, *block.shape[2:])
                row = scores.amax(2).argmax(1)
                column = scores[torch.arange(len(row), device=x.device), row].argmax(1)
                cells.append((top + row) * width + left + column)
            per_image.append(torch.stack(cells, 1))
        if not per_image:
            shape = (0, len(weight), math.prod(self.output_size))
            return torch.empty(shape, dtype=torch.long, device=x.device)
        return torch.stack(per_image)

    def _search_by_convolution(self, x: Tensor) -> Tensor:
        """Find the same as :meth:`_search`, some images at a time, by torch's own layers."""
        tall, wide = (n - k + 1 for n, k in zip(x.shape[1:], self.kernel_size, strict=True))
        size = (tall // self.output_size[0], wide // self.output_size[1])
        at_once = max(1, _AT_ONCE // (len(self.weight) * tall * wide))
        found = []
        with torch.backends.cudnn.flags(allow_tf32=False):
            for images in x.split(at_once):
                response = F.conv2d(images[:, None], self.weight)
                _, place = F.max_pool2d(response, size, return_indices=True)
                place = place[:, :, : self.output_size[0], : self.output_size[1]].flatten(2)
                found.append(place // wide * x.shape[2] + place % wide)
        return torch.cat(found)

    def _cells(self, height: int, width: int) -> list[tuple[int, int, int, int]]:
        """Top, bottom, left and right of each pooling cell, in reading order."""
        rows, columns = self.output_size
        tall, wide = height // rows, width // columns
        return [
            (i * tall, (i + 1) * tall, j * wide, (j + 1) * wide)
            for i in range(rows)
            for j in range(columns)
        ]

    def _winning_responses(self, x: Tensor, winners: Tensor) -> Tensor:
        """Compute the responses at the winning positions, this time with gradients."""
        batch, filters, cells = winners.shape
        (height, width), (tall, wide) = x.shape[1:], self.kernel_size
        # One view of all runs of `wide` values, so that a patch is copied row by row; filter by
        # filter, as the products below want them, so that they are copied once.
        flat = x.flatten()
        runs = flat.as_strided((max(len(flat) - wide + 1, 0), wide), (1, 1))
        image = torch.arange(batch, device=x.device)[:, None] * (height * width)
        rows = torch.arange(tall, device=x.device) * width
        index = ((winners.transpose(0, 1) + image)[..., None] + rows).flatten()
        patches = runs.index_select(0, index).view(filters, batch, cells, tall * wide)
        response = torch.einsum("fbck,fk->bfc", patches, self.weight.flatten(1))
        response = response + self.bias[:, None]
        return torch.relu(response).view(batch, filters, *self.output_size)


def _first_repeated_column(image: Tensor) -> int:
    """First column from which all columns to the right are equal to it (silence after speech)."""
    different = (image[:, :-1] != image[:, 1:]).any(0).nonzero()
    return int(different[-1]) + 1 if len(different) else 0
