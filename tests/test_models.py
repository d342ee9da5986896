"""The networks of both papers: sizes, parameters, branches."""

import pytest
import torch

from ser_lib.models import AblationNetwork, ParallelCNN, ParentCNN, ResidualEmbedder, ResidualFrames
from ser_lib.models.residual import ResidualBlock


def count(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("shape", [(40, 188), (128, 188), (40, 256)])
def test_parameters_do_not_depend_on_the_input(shape):
    assert count(ParallelCNN(4, shape)) == 260_452  # the paper: 0.26 million


def test_parameters_by_hand():
    convolutions = sum(200 * (h * w + 1) for h, w in ((4, 6), (6, 8), (8, 10), (10, 12)))
    embed = (3200 + 1) * 64 + 2 * 64
    assert count(ParallelCNN(7, (40, 188))) == convolutions + embed + 65 * 7
    decoder = embed + 65 * 32 + 33 * 40 * 188
    network = ParallelCNN(7, (40, 188), decoder=(32,))
    assert count(network) == convolutions + embed + 65 * 7 + decoder


def test_outputs():
    torch.manual_seed(0)
    network = ParallelCNN(4, (40, 60), decoder=(16,)).eval()
    out = network(torch.rand(3, 40, 60))
    assert out.logits.shape == (3, 4)
    assert out.embedding.shape == (3, 64)
    assert bool((out.embedding >= 0).all())
    assert out.reconstruction is not None
    assert out.reconstruction.shape == (3, 40, 60)
    assert bool(((out.reconstruction > 0) & (out.reconstruction < 1)).all())
    assert ParallelCNN(4, (40, 60))(torch.rand(3, 40, 60)).reconstruction is None


def test_branches_are_independent():
    network = ParallelCNN(4, (20, 30), decoder=(8,))
    network(torch.rand(3, 20, 30)).logits.sum().backward()
    assert network.decode is not None
    assert all(parameter.grad is None for parameter in network.decode.parameters())
    assert network.paths[0].weight.grad is not None


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((1, (40, 188)), {}, "num_classes 1"),
        ((4, (10, 188)), {}, r"\(11, 13\)"),
        ((4, (40, 188)), {"dropout": 1.0}, "dropout is 1.0"),
        ((4, (40, 188)), {"padding": "full"}, "'full'"),
    ],
)
def test_refuses_bad_arguments(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        ParallelCNN(*arguments, **options)


def test_refuses_another_shape():
    with pytest.raises(ValueError, match=r"\(batch, 40, 60\)"):
        ParallelCNN(4, (40, 60))(torch.zeros(2, 60, 40))


def test_the_parent_network():
    """Yenigalla et al. 2018: about 1.88 million parameters, by hand."""
    convolutions = sum(200 * (h * w + 1) for h, w in ((12, 16), (18, 24), (24, 32), (30, 40)))
    hidden = 3201 * 400 + 2 * 400 + 401 * 200 + 2 * 200
    network = ParentCNN(4, (40, 60)).eval()
    assert count(network) == convolutions + hidden + 201 * 4 == 1_881_804
    out = network(torch.rand(2, 40, 60))
    assert out.logits.shape == (2, 4)
    assert out.embedding.shape == (2, 200)
    with pytest.raises(ValueError, match=r"\(31, 41\)"):
        ParentCNN(4, (30, 60))


def test_sizes_of_paper_2s_figure():
    network = ResidualEmbedder(8)
    sizes = []
    for module in network.modules():
        if not list(module.children()):
            module.register_forward_hook(lambda _, __, out: sizes.append(tuple(out.shape[1:])))
    network(torch.rand(3, 1, 390))
    assert sizes == [(6, 386)] * 7 + [(2316,), (200,), (200,), (8,)]
    convolutions = (5 + 1) * 6 + 2 * (5 * 6 + 1) * 6 + 2 * 12
    assert count(network) == convolutions + 2317 * 200 + 201 * 200 + 201 * 8


def test_residual_block_by_hand():
    torch.manual_seed(0)
    network = ResidualEmbedder(8).eval()
    block = network.blocks[0]
    assert isinstance(block, ResidualBlock)
    conv1, norm1, leaky, conv2, norm2 = (*block.before, *block.after)
    x = torch.rand(2, 6, 50)
    shortcut = leaky(norm1(conv1(x)))
    expected = norm2(conv2(shortcut)) + shortcut
    torch.testing.assert_close(block(x), torch.where(expected > 0, expected, 0.3 * expected))


@pytest.mark.parametrize("layers", range(6, 16))
@pytest.mark.parametrize("family", ["fc", "cnn", "rnn", "lstm", "gru", "residual"])
def test_networks_have_x_layers(family, layers):
    """Counted as the paper counts: activation, normalisation, flattening (or last step) too."""
    if family == "residual":
        network = ResidualEmbedder(8, layers=layers)
        kinds = [m for m in network.modules() if not list(m.children())]
        number = len(kinds)
    else:
        network = AblationNetwork(family, 8, (13, 30), layers=layers)
        kinds = [m for m in network.modules() if not list(m.children())]
        number = len(kinds)
        if family in ("rnn", "lstm", "gru"):  # one module is all recurrent layers
            number += kinds[0].num_layers - 1 + 1  # and the last step that is kept
        if family == "fc":
            number -= 1  # its flattening does nothing to a vector
    assert number == layers
    out = network(torch.rand(3, 1, 390))
    assert out.logits.shape == (3, 8)
    assert out.embedding.shape == (3, network.dim)
    assert out.reconstruction is None


def test_recurrent_networks_read_the_steps_in_time():
    torch.manual_seed(0)
    network = AblationNetwork("gru", 8, (13, 30), layers=6)
    x = torch.rand(2, 13, 30)
    layers = network.body[0].layers
    expected = layers(x.transpose(1, 2))[0][:, -1]
    torch.testing.assert_close(network.body(x.view(2, 1, 390)), expected)


@pytest.mark.parametrize("frames", [8, 9, 77, 188, 1000])
def test_any_length_and_padding_is_left_out_of_the_mean(frames):
    torch.manual_seed(0)
    network = ResidualFrames(8, (40, 188)).eval()
    speech = torch.rand(3, 40, frames)
    out = network(speech)
    assert out.embedding.shape == (3, 200)
    # What the convolutions see beyond the end differs, so only far more padding may not matter.
    longer = [torch.cat([speech, torch.zeros(3, 40, n)], 2) for n in (64, 400)]
    torch.testing.assert_close(network(longer[0]).embedding, network(longer[1]).embedding)
    constant = network(torch.ones(1, 40, frames)).embedding
    assert bool(constant.isfinite().all())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ResidualEmbedder(1), "num_classes is 1"),
        (lambda: ResidualEmbedder(8, layers=5), "layers is 5, the paper has 6 to 15"),
        (lambda: ResidualEmbedder(8, (2, 390)), r"input shape \(2, 390\)"),
        (lambda: ResidualEmbedder(8)(torch.zeros(1, 1, 391)), r"shape \(1, 1, 391\)"),
        (lambda: ResidualFrames(8, (40, 188))(torch.zeros(1, 39, 50)), "expected .batch, 40"),
        (lambda: AblationNetwork("mlp", 8, (13, 30), layers=7), "'mlp', known: fc"),
    ],
)
def test_paper_2s_networks_refuse(make, message):
    with pytest.raises(ValueError, match=message):
        make()
