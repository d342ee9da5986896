"""The other networks of paper 2's ablation (table 1), each of x layers.

The poster gives a family and a number of layers and no size. As its own network has 11 layers only
if activation, normalisation, flattening and softmax are counted, they are counted here too; widths
follow its 200 units.
"""

from __future__ import annotations

from typing import Literal, cast

from torch import Tensor, nn

from ser_lib.models.parallel_cnn import Outputs
from ser_lib.models.residual import FILTERS, KERNEL, SLOPE, UNITS, check_sizes, convolution_layers

Family = Literal["fc", "cnn", "rnn", "lstm", "gru"]


class AblationNetwork(nn.Module):
    """FC-x, CNN-x, RNN-x, LSTM-x or GRU-x, ending in an embedding of 200 and softmax.

    ``fc``: FC 200 and leaky ReLU in turn. ``cnn``: convolution (six kernels of five), batch norm
    and leaky ReLU in turn, flattening. ``rnn``, ``lstm``, ``gru``: recurrent layers of 64 units
    over the steps of the vector, of which the last step is kept (counted as flattening is).

    Args:
        family: of the network.
        num_classes: emotions.
        steps: coefficients and steps in time of the 390 numbers.
        layers: the paper's x, 6 to 15, with embedding and softmax.

    Shape:
        input ``(batch, 1, 390)``, embedding ``(batch, 200)``; see :class:`Outputs`.

    Raises:
        ValueError: a size is out of its range or the family is unknown.

    Example:
        >>> import torch
        >>> AblationNetwork("gru", 8, (13, 30), layers=8)(torch.zeros(2, 1, 390)).logits.shape
        torch.Size([2, 8])
    """

    dim = UNITS

    def __init__(
        self, family: Family, num_classes: int, steps: tuple[int, int], *, layers: int
    ) -> None:
        """Build the network."""
        super().__init__()
        check_sizes(num_classes, layers)
        length = steps[0] * steps[1]
        if family == "fc":
            body: list[nn.Module] = [nn.Flatten()]
            for i in range(layers - 2):
                width = length if i == 0 else UNITS
                body.append(nn.LeakyReLU(SLOPE) if i % 2 else nn.Linear(width, UNITS))
            features = UNITS
        elif family == "cnn":
            body = [nn.Conv1d(1, FILTERS, KERNEL), *convolution_layers(layers - 3)[1:]]
            body.append(nn.Flatten())
            features = FILTERS * (length - KERNEL + 1)
        elif family in ("rnn", "lstm", "gru"):
            body = [_Recurrent(family, steps, layers - 3)]
            features = _Recurrent.units
        else:
            raise ValueError(f"family {family!r}, known: fc, cnn, rnn, lstm, gru")
        self.body = nn.Sequential(*body)
        self.embed = nn.Linear(features, UNITS)
        self.classify = nn.Linear(UNITS, num_classes)

    def forward(self, x: Tensor) -> Outputs:
        """Embed and classify a batch."""
        embedding = self.embed(self.body(x))
        return Outputs(self.classify(embedding), embedding, None)


class _Recurrent(nn.Module):
    """Stacked recurrent layers over the steps of a vector; the last step's state."""

    units = 64

    def __init__(self, family: str, steps: tuple[int, int], depth: int) -> None:
        super().__init__()
        self.steps = steps
        kind = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[family]
        self.layers = kind(steps[0], self.units, num_layers=depth, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.layers(x.view(len(x), *self.steps).transpose(1, 2))
        return cast(Tensor, states[:, -1])
