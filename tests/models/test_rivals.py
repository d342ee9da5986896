"""The network that paper 1 grew from."""

import pytest
import torch

from ser_lib.models import ParentCNN
from tests.models.helpers import count


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
