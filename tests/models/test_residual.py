"""Paper 2's network and its form for frames: sizes and parameters."""

import pytest
import torch

from ser_lib.models import AblationNetwork, ResidualEmbedder, ResidualFrames
from ser_lib.models.residual import ResidualBlock
from tests.models.helpers import count


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
