"""The search layer against torch's own convolution, ReLU and max-pooling."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from ser_lib import layers
from ser_lib.layers import ConvReLUMaxPool2d
from tests.strategies import cells, kernels, shapes

any_layer = given(
    shape=shapes,
    kernel=kernels,
    output=cells,
    batch=st.integers(1, 3),
    filters=st.integers(1, 7),
    padding=st.sampled_from(["same", "valid"]),
    silent=st.integers(0, 30),
    seed=st.integers(0, 999),
)


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


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@any_layer
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


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@any_layer
def test_equals_plain_layers_exactly_where_sums_are(
    shape, kernel, output, batch, filters, padding, silent, seed
):
    """In float32, as in training. Whole numbers add up exactly, so that ties are ties."""
    torch.manual_seed(seed)
    layer = ConvReLUMaxPool2d(filters, kernel, output, padding)
    layer.weight.data = torch.randint(-2, 3, layer.weight.shape).float()
    layer.bias.data = torch.randint(-3, 4, layer.bias.shape).float()
    x = torch.randint(0, 4, (batch, *shape)).float()
    if silent:
        x[:, :, -silent:] = 0
    x.requires_grad_()
    ours, theirs = layer(x), plain(layer, x)
    assert torch.equal(ours, theirs)
    upstream = torch.randint(-4, 5, ours.shape).float()
    mine, others = (gradients(layer, y, upstream, x) for y in (ours, theirs))
    for a, b in zip(mine, others, strict=True):
        assert torch.equal(a, b)


def test_a_view_with_strides_is_its_copy():
    """Patches are taken by their place in memory, where a view's values lie apart."""
    torch.manual_seed(0)
    layer = ConvReLUMaxPool2d(5, (4, 6))
    wide = torch.rand(2, 40, 80, 2)
    for view in (wide[..., 0], wide[:, :, ::2, 1], wide[..., 0].transpose(1, 2), wide[:, 9:, :, 1]):
        copy = view.clone(memory_format=torch.contiguous_format)
        torch.testing.assert_close(layer(view), plain(layer, copy))
        upstream = torch.ones_like(layer(view))
        for a, b in zip(
            gradients(layer, layer(view), upstream),
            gradients(layer, plain(layer, copy), upstream),
            strict=True,
        ):
            torch.testing.assert_close(a, b)


@given(
    shape=shapes,
    kernel=kernels,
    output=cells,
    batch=st.integers(0, 3),
    silent=st.integers(0, 30),
    seed=st.integers(0, 999),
    at_once=st.sampled_from([1, 2**27]),
)
def test_a_gpus_search_finds_the_same(shape, kernel, output, batch, silent, seed, at_once):
    torch.manual_seed(seed)
    layer = ConvReLUMaxPool2d(3, kernel, output).double()
    # Whole numbers, so that sums are exact: ties are ties by either way.
    layer.weight.data = torch.randint(-2, 3, layer.weight.shape).double()
    x = torch.randint(0, 4, (batch, *shape)).double()
    if silent:
        x[:, :, -silent:] = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layers, "_AT_ONCE", at_once)
        found = layer._search_by_convolution(x)
    assert torch.equal(found, layer._search(x))


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
