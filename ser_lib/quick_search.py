r"""The search of :mod:`ser_lib.layers` in eight-bit integers, with an exact decision at the end.

Processors with AVX-512 VNNI multiply eight-bit integers about four times as fast as float32. The
scores are computed in them first. A bound on what the rounding can have changed leaves few
positions in the race, and between those float64 decides. The winner is the exact one (to the last
bits of float64): what was rounded only chose whom to ask.

The bound. With the image :math:`x = m + s\,(q + \delta)` and a filter :math:`w = t\,v + d`, where
:math:`q` and :math:`v` are integers, the response differs from the integers' :math:`st\,(v * q)`,
up to a constant, by :math:`d * sq + w * s\delta`. Let :math:`\mu` be the mean of :math:`sq` over a
patch. Then :math:`|d * sq| \le |\mu| |\sum d| + \lVert d \rVert \lVert sq - \mu \rVert` and
:math:`|w * s\delta| \le \lVert w \rVert \lVert s\delta \rVert` (Cauchy and Schwarz).
"""

from __future__ import annotations

from functools import cache

import numba
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

LIMIT = 127
"""Largest integer on either side, so that the range is symmetric."""
LONGEST_PATCH = 100_000
"""Values of a patch above which a score could leave 32 bits."""
SLACK = 1e-6
"""Added to norms, in steps of the image's integers, for the rounding of float64."""


def usable(x: Tensor, weight: Tensor) -> bool:
    """Whether the processor gains by this search and the values can be rounded to integers."""
    return (
        x.device.type == "cpu"
        and x.dtype == torch.float32
        and x.numel() > 0
        and weight.shape[1] <= LONGEST_PATCH
        and processor_gains()
        and bool(x.isfinite().all())
        and bool(weight.isfinite().all())
    )


@cache
def processor_gains() -> bool:
    """Without VNNI the products are slower than float32, or saturate and are wrong.

    They saturate too where the processor has it and torch's libraries were told not to use it, so
    one product is looked at.
    """
    supported = getattr(torch.cpu, "_is_vnni_supported", lambda: False)
    if not supported() or not hasattr(torch, "_int_mm"):
        return False
    largest = torch.full((16, 16), LIMIT, dtype=torch.int8)
    return bool((torch._int_mm(largest, -largest) == -16 * LIMIT**2).all())


def search(
    x: Tensor, weight: Tensor, kernel_size: tuple[int, int], output_size: tuple[int, int]
) -> Tensor:
    """Find the winning positions, as indices into a flat image.

    Args:
        x: images, float32, finite, ``(batch, height, width)``.
        weight: filters, float32, finite, ``(filters, kernel height * kernel width)``.
        kernel_size: height and width of the filters.
        output_size: pooling cells along height and width.

    Returns:
        ``(batch, filters, cells)``; of exactly equal responses the first in reading order.
    """
    rows, columns = output_size
    tall = (x.shape[1] - kernel_size[0] + 1) // rows
    wide = (x.shape[2] - kernel_size[1] + 1) // columns
    exact = weight.double()
    step = exact.abs().amax(1, keepdim=True) / LIMIT
    step[step == 0] = 1.0
    integers = torch.round(exact / step)
    rest = exact - step * integers
    bounds = torch.stack(
        [
            rest.sum(1).abs(),
            (rest - rest.mean(1, keepdim=True)).norm(dim=1),
            exact.norm(dim=1),
        ],
        1,
    ).numpy()
    filters = exact.view(-1, *kernel_size).numpy()
    steps = step[:, 0].numpy()
    integers = integers.to(torch.int8)
    found = np.empty((len(x), len(weight), rows * columns), np.int64)
    space = torch.empty(len(weight) * tall * wide, dtype=torch.int32)  # taken from the system once
    for number, image in enumerate(x.numpy()):
        low, high = float(image.min()), float(image.max())
        centred = image.astype(np.float64) - (low + high) / 2
        scale = (high - low) / (2 * LIMIT) or 1.0
        rounded = np.rint(centred / scale)
        different = np.flatnonzero((image[:, 1:] != image[:, :-1]).any(0))
        # From here on every patch of a row is the same: the first stands for all of them.
        last = min(int(different[-1]) + 1 if len(different) else 0, columns * wide - 1)
        errors, repeats = _patches(centred / scale, rounded, *kernel_size, last + 1)
        patches = torch.from_numpy(rounded.astype(np.int8))
        patches = patches.unfold(0, kernel_size[0], 1).unfold(1, kernel_size[1], 1)
        patches = patches.permute(2, 3, 0, 1)  # long runs in memory: the copy below is quick
        for cell in range(rows * columns):
            top, column = cell // columns * tall, cell % columns * wide
            left = min(column, last)  # a cell of silence is judged by the last column heard
            part = (slice(top, top + tall), slice(left, min(column + wide, last + 1)))
            # A copy in plain order: of an overlapping view torch's product is wrong.
            block = patches[:, :, *part].clone(memory_format=torch.contiguous_format)
            block = block.view(weight.shape[1], -1)
            scores = space[: len(weight) * block.shape[1]].view(len(weight), -1)
            torch._int_mm(integers, block, out=scores)
            positions = _decide(
                scores.view(-1, tall, part[1].stop - left).numpy(),
                scale * steps,
                bounds,
                scale * errors[:, *part],
                np.ascontiguousarray(repeats[part]),  # one layout, so compiled once
                filters,
                centred,
                (top, left),
            )
            found[number, :, cell] = positions + column - left
    return torch.from_numpy(found)


@numba.njit(nogil=True)
def _patches(
    image: Floats, rounded: Floats, tall: int, wide: int, used: int
) -> tuple[Floats, Flags]:
    """Norms that the bound needs, and whether a patch repeats the one above it."""
    height = image.shape[0] - tall + 1
    errors = np.empty((3, height, used))
    repeats = np.empty((height, used), np.bool_)
    # Sums of the columns of height `tall`: value, square, squared error, changes from row to row.
    sums = np.zeros((4, image.shape[1]))
    for row in range(image.shape[0]):
        for column in range(used + wide - 1):
            value = rounded[row, column]
            sums[0, column] += value
            sums[1, column] += value**2
            sums[2, column] += (image[row, column] - value) ** 2
            sums[3, column] += row > 0 and image[row, column] != image[row - 1, column]
            if row >= tall:
                value = rounded[row - tall, column]
                sums[0, column] -= value
                sums[1, column] -= value**2
                sums[2, column] -= (image[row - tall, column] - value) ** 2
                sums[3, column] -= (
                    row > tall and image[row - tall, column] != image[row - tall - 1, column]
                )
        top = row - tall + 1
        if top < 0:
            continue
        values, squares, losses, changes = 0.0, 0.0, 0.0, 0.0
        for column in range(used + wide - 1):
            values += sums[0, column]
            squares += sums[1, column]
            losses += sums[2, column]
            changes += sums[3, column]
            left = column - wide + 1
            if left < 0:
                continue
            mean = values / (tall * wide)
            errors[0, top, left] = abs(mean)
            errors[1, top, left] = np.sqrt(max(squares - mean * values, 0.0)) + SLACK
            errors[2, top, left] = np.sqrt(max(losses, 0.0)) + SLACK
            repeats[top, left] = top > 0 and changes == 0
            values -= sums[0, left]
            squares -= sums[1, left]
            losses -= sums[2, left]
            changes -= sums[3, left]
    return errors, repeats


@numba.njit(nogil=True)
def _decide(
    scores: Ints,
    steps: Floats,
    bounds: Floats,
    errors: Floats,
    repeats: Flags,
    filters: Floats,
    image: Floats,
    corner: tuple[int, int],
) -> Indices:
    """Let float64 decide between the positions of a cell that the bound leaves in the race."""
    count, tall, wide = scores.shape
    top, left = corner
    worst = (errors[0].max(), errors[1].max(), errors[2].max())
    rows = np.empty(tall, np.int32)
    found = np.empty(count, np.int64)
    for f in range(count):
        best_row, best = 0, scores[f, 0, 0]
        for row in range(tall):
            largest = scores[f, row, 0]
            for column in range(1, wide):
                largest = max(largest, scores[f, row, column])
            rows[row] = largest
            if largest > best:
                best_row, best = row, largest
        best_column = 0
        while scores[f, best_row, best_column] != best:
            best_column += 1
        first_row, first_column = best_row, best_column
        value = _response(filters[f], image, top + best_row, left + best_column)
        bias, spread, size = bounds[f]
        margin = bias * worst[0] + spread * worst[1] + size * worst[2]
        least = np.int32(np.ceil((value - margin) / steps[f]))
        for row in range(tall):
            if rows[row] < least:
                continue
            for column in range(wide):
                score = scores[f, row, column]
                if score < least or (row == first_row and column == first_column):
                    continue
                if row > 0 and repeats[row, column]:
                    continue
                error = bias * errors[0, row, column] + spread * errors[1, row, column]
                error += size * errors[2, row, column]
                if score * steps[f] + error < value:
                    continue
                other = _response(filters[f], image, top + row, left + column)
                earlier = row < best_row or (row == best_row and column < best_column)
                if other > value or (other == value and earlier):
                    best_row, best_column, value = row, column, other
                    least = np.int32(np.ceil((value - margin) / steps[f]))
        found[f] = (top + best_row) * image.shape[1] + left + best_column
    return found


@numba.njit(nogil=True, fastmath={"reassoc", "contract"})
def _response(weight: Floats, image: Floats, top: int, left: int) -> float:
    """Sum of the products of a filter and a patch."""
    total = 0.0
    for row in range(weight.shape[0]):
        # Two plain runs: indices that could be negative would keep it from using wide registers.
        values, pixels = weight[row], image[top + row, left : left + weight.shape[1]]
        products = 0.0
        for column in range(len(values)):
            products += values[column] * pixels[column]
        total += products
    return total
