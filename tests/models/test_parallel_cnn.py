"""Paper 1's network: sizes, parameters, branches."""

import pytest
import torch

from ser_lib.models import ParallelCNN
from tests.models.helpers import count


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
