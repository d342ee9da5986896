"""The quick search against every response computed one by one."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ser_lib import layers, quick_search
from ser_lib.layers import ConvReLUMaxPool2d
from tests.strategies import cells, kernels, shapes

# Where the processor does not gain by the quick search, there is nothing to test.
quick = pytest.mark.skipif(
    not quick_search.processor_gains(), reason="this processor has no fast eight-bit products"
)


def naive_winners(x, weight, kernel, cells):
    """Every response in float64, one position after the other."""
    tall, wide = ((n - k + 1) // c for n, k, c in zip(x.shape[1:], kernel, cells, strict=True))
    found = torch.empty(len(x), len(weight), cells[0] * cells[1], dtype=torch.long)
    for i, image in enumerate(x.double().numpy()):
        for f, w in enumerate(weight.double().view(-1, *kernel).numpy()):
            for cell in range(cells[0] * cells[1]):
                best = -np.inf
                for row in range(cell // cells[1] * tall, (cell // cells[1] + 1) * tall):
                    for column in range(cell % cells[1] * wide, (cell % cells[1] + 1) * wide):
                        patch = image[row : row + kernel[0], column : column + kernel[1]]
                        if (value := (w * patch).sum()) > best:
                            best = value
                            found[i, f, cell] = row * x.shape[2] + column
    return found


@quick
@given(
    shape=shapes,
    kernel=kernels,
    output=cells,
    levels=st.sampled_from([1, 2, 4, 64, 2**20]),
    scale=st.sampled_from([2.0**-60, 1.0, 2.0**40]),
    offset=st.sampled_from([-2.0, 0.0, 100.0]),
    silent=st.integers(0, 30),
    seed=st.integers(0, 999),
)
def test_quick_search_finds_the_exact_winners(
    shape, kernel, output, levels, scale, offset, silent, seed
):
    # Few levels make exact ties, which go to the first position.
    torch.manual_seed(seed)
    x = (torch.randint(levels, (2, *shape)) / levels + offset) * scale
    if silent:
        x[:, :, -silent:] = offset * scale
    x[:, shape[0] // 2 :, : shape[1] // 2] = offset * scale
    weight = torch.randn(3, kernel[0] * kernel[1])
    weight[1] = torch.randint(-2, 3, weight[1].shape)
    weight[2] = 0
    assert quick_search.usable(x, weight)
    found = quick_search.search(x, weight, kernel, output)
    naive = naive_winners(x, weight, kernel, output)
    # Sums of two filters are exact, so that ties are ties; in the other's, the last bit decides.
    assert found[:, 1:].equal(naive[:, 1:])
    exact = [layers_at(x, weight, kernel, winners) for winners in (found, naive)]
    torch.testing.assert_close(*exact, rtol=0, atol=1e-13 * float(x.abs().max()))


def layers_at(x, weight, kernel, winners):
    """Responses at given positions, in float64."""
    rows, columns = winners // x.shape[2], winners % x.shape[2]
    out = torch.empty(winners.shape, dtype=torch.float64)
    for i, f, c in np.ndindex(*winners.shape):
        row, column = rows[i, f, c], columns[i, f, c]
        patch = x[i, row : row + kernel[0], column : column + kernel[1]].double()
        out[i, f, c] = (patch * weight[f].view(kernel).double()).sum()
    return out


@quick
def test_quick_search_asks_every_position_that_matters():
    # Two bright spots that differ by less than a step of the integers: only the bound saves the
    # brighter one, which comes second.
    x = torch.rand(1, 30, 40) * 0.5
    x[0, 3, 4], x[0, 20, 30] = 1.0, 1.0 + 2**-20
    found = quick_search.search(x, torch.ones(1, 1), (1, 1), (1, 1))
    assert found.item() == 20 * 40 + 30


@quick
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_left_to_the_plain_search(bad):
    x = torch.rand(1, 12, 12)
    assert quick_search.usable(x, torch.rand(2, 4))
    assert not quick_search.usable(x.double(), torch.rand(2, 4))
    x[0, 3, 3] = bad
    assert not quick_search.usable(x, torch.rand(2, 4))
    assert not quick_search.usable(torch.rand(1, 12, 12), torch.tensor([[1.0, bad]]))
    layer = ConvReLUMaxPool2d(2, (2, 2), (1, 1))
    assert not layer(x).isfinite().all()


@quick
def test_both_searches_train_alike(monkeypatch):
    outputs = []
    for search in (quick_search, None):
        monkeypatch.setattr(layers, "quick_search", search)
        torch.manual_seed(0)
        layer = ConvReLUMaxPool2d(20, (4, 6))
        x = torch.rand(4, 40, 100)
        y = layer(x)
        y.sum().backward()
        outputs.append((y.detach(), layer.weight.grad.clone()))
    torch.testing.assert_close(*(y for y, _ in outputs), rtol=0, atol=0)
    torch.testing.assert_close(*(g for _, g in outputs), rtol=0, atol=0)


def test_quick_search_is_not_used_where_its_products_saturate():
    # Told to do without VNNI, torch's library multiplies in 16 bits, and says nothing of it.
    program = """
import torch
from ser_lib import quick_search
from tests.test_quick_search import naive_winners

torch.manual_seed(0)
x, weight = torch.rand(1, 20, 30), torch.randn(20, 24)
if quick_search.usable(x, weight):
    found = quick_search.search(x, weight, (4, 6), (2, 2))
    assert found.equal(naive_winners(x, weight, (4, 6), (2, 2)))
"""
    limited = os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=limited, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
