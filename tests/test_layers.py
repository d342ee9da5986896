"""The search layer against torch's own convolution, ReLU and max-pooling."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from ser_lib import layers, quick_search
from ser_lib.layers import ConvReLUMaxPool2d


def plain(layer: ConvReLUMaxPool2d, x: torch.Tensor) -> torch.Tensor:
    """The textbook form with the same parameters."""
    conv = nn.functional.conv2d(
        x[:, None], layer.weight[:, None].flatten(1, 2), layer.bias, padding=layer.padding
    )
    size = tuple(n // cells for n, cells in zip(conv.shape[2:], layer.output_size, strict=True))
    rows, columns = layer.output_size
    return nn.functional.max_pool2d(conv.relu(), size)[:, :, :rows, :columns]


def gradients(layer: ConvReLUMaxPool2d, y: torch.Tensor, upstream: torch.Tensor, *more):
    return torch.autograd.grad(y, [layer.weight, layer.bias, *more], upstream, retain_graph=True)


# Where the processor does not gain by the quick search, there is nothing to test.
quick = pytest.mark.skipif(
    not quick_search.processor_gains(), reason="this processor has no fast eight-bit products"
)
shapes = st.tuples(st.integers(12, 30), st.integers(14, 40))
kernels = st.tuples(st.integers(1, 8), st.integers(1, 8))
cells = st.tuples(st.integers(1, 3), st.integers(1, 3))


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@given(
    shape=shapes,
    kernel=kernels,
    output=cells,
    batch=st.integers(1, 3),
    filters=st.integers(1, 7),
    padding=st.sampled_from(["same", "valid"]),
    silent=st.integers(0, 30),
    seed=st.integers(0, 999),
)
def test_equals_plain_layers(shape, kernel, output, batch, filters, padding, silent, seed):
    torch.manual_seed(seed)
    layer = ConvReLUMaxPool2d(filters, kernel, output, padding).double()
    x = torch.rand(batch, *shape, dtype=torch.float64)
    if silent:  # padding after speech: many exactly tied positions
        x[:, :, -silent:] = torch.rand(shape[0], 1, dtype=torch.float64)
    x.requires_grad_()
    ours, theirs = layer(x), plain(layer, x)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    upstream = torch.rand_like(ours)
    # The input's gradient is compared only without ties: rounding may choose another winner.
    more = [] if silent else [x]
    for a, b in zip(
        gradients(layer, ours, upstream, *more),
        gradients(layer, theirs, upstream, *more),
        strict=True,
    ):
        torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("shape", [(40, 188), (128, 188)])
@pytest.mark.parametrize("kernel", [(4, 6), (10, 12)])
def test_paper_sizes_in_float32(shape, kernel):
    torch.manual_seed(0)
    layer = ConvReLUMaxPool2d(20, kernel)
    x = torch.rand(2, *shape)
    x[1, :, 70:] = 0
    ours, theirs = layer(x), plain(layer, x)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
    upstream = torch.rand_like(ours)
    for a, b in zip(
        gradients(layer, ours, upstream), gradients(layer, theirs, upstream), strict=True
    ):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_ties_go_to_the_first_position():
    # Integers are exact, so that the tie is one: all positions of a constant image.
    layer = ConvReLUMaxPool2d(2, (2, 3), (2, 2))
    with torch.no_grad():
        layer.weight.fill_(1)
        layer.bias.fill_(0)
    x = torch.ones(1, 9, 11, requires_grad=True)
    ours = torch.autograd.grad(layer(x).sum(), x)[0]
    theirs = torch.autograd.grad(plain(layer, x).sum(), x)[0]
    assert torch.equal(ours, theirs)
    assert ours[0, 0, 0] == 2


def test_gradcheck():
    torch.manual_seed(3)
    layer = ConvReLUMaxPool2d(3, (3, 2)).double()
    x = torch.rand(2, 8, 9, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda x, w, b: torch.func.functional_call(layer, {"weight": w, "bias": b}, (x,)),
        (x, layer.weight.detach().requires_grad_(), layer.bias.detach().requires_grad_()),
    )


def test_negative_responses_give_zero_and_no_gradient():
    layer = ConvReLUMaxPool2d(2, (2, 2))
    with torch.no_grad():
        layer.weight.fill_(-1)
        layer.bias.fill_(-1)
    y = layer(torch.rand(1, 6, 6))
    assert torch.equal(y, torch.zeros_like(y))
    y.sum().backward()
    assert torch.count_nonzero(layer.weight.grad) == 0


def test_empty_batch():
    assert ConvReLUMaxPool2d(2, (2, 2))(torch.zeros(0, 6, 6)).shape == (0, 2, 2, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, (2, 2)), "out_channels 0"),
        ((2, (0, 2)), r"kernel_size \(0, 2\)"),
        ((2, (2, 2), (2, 0)), r"output_size \(2, 0\)"),
        ((2, (2, 2), (2, 2), "full"), "'full'"),
    ],
)
def test_refuses_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        ConvReLUMaxPool2d(*arguments)


@pytest.mark.parametrize(("shape", "message"), [((3, 3), "batch"), ((1, 4, 9), r"\(1, 5\)")])
def test_refuses_bad_input(shape, message):
    with pytest.raises(ValueError, match=message):
        ConvReLUMaxPool2d(2, (4, 5))(torch.zeros(shape))


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
