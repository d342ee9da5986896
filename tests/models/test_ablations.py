"""The networks of paper 2's ablations: layers as the paper counts them."""

import pytest
import torch

from ser_lib.models import AblationNetwork, ResidualEmbedder


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
