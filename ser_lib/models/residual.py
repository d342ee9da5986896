"""Paper 2's network: a residual block between two ends that are almost all of it.

A figure on the first author's homepage (github.com/puneet-kr/puneet-kr.github.io, commit 5688bc2 of
13 July 2020, images/ICPR.jpg) prints a size under each block: 390, 386, 386, 2316, 200, 200, 8. A
kernel of five without padding and six filters give just those.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from ser_lib.models.parallel_cnn import Outputs

FILTERS, KERNEL, UNITS = 6, 5, 200
SLOPE = 0.3
"""Of the leaky ReLU: not known; the default of Keras at the time."""
CHANNELS = (16, 32, 64)
"""Of the three stages of :class:`ResidualFrames`."""


class ResidualEmbedder(nn.Module):
    """The residual network of paper 2, for 390 numbers an utterance.

    Convolution over the vector (six kernels of five, 390 -> 386), a residual block (convolution,
    batch norm, leaky ReLU, convolution, batch norm, plus the first leaky ReLU's output, leaky
    ReLU), flatten to 2,316, FC 200, embedding 200, softmax. The figure shows no activation between
    the last three, so there is none here. Counted as the paper seems to have counted, with each
    activation, normalisation and the flattening as a layer, this is "ResNet-11".

    Args:
        num_classes: emotions.
        input_shape: one row of numbers.
        layers: the ``x`` of "ResNet-x", 6 to 15: more or fewer layers between the first convolution
            and the flattening; every six of them (of the form above) have the shortcut.

    Shape:
        input ``(batch, 1, 390)``, embedding ``(batch, 200)``; see :class:`Outputs`.

    Raises:
        ValueError: a size is out of its range or the input has another shape.

    Example:
        >>> network = ResidualEmbedder(8)
        >>> sum(p.numel() for p in network.parameters())
        505640
    """

    dim = UNITS

    def __init__(
        self, num_classes: int, input_shape: tuple[int, int] = (1, 390), *, layers: int = 11
    ) -> None:
        """Build the network."""
        super().__init__()
        check_sizes(num_classes, layers)
        if input_shape[0] != 1 or input_shape[1] < KERNEL:
            raise ValueError(f"input shape {input_shape}, expected one row of at least {KERNEL}")
        self.input_shape = tuple(input_shape)
        self.first = nn.Conv1d(1, FILTERS, KERNEL)
        middle = convolution_layers(layers - 5)
        blocks: list[nn.Module] = []
        while middle:
            blocks.append(ResidualBlock(middle[:6]) if len(middle) >= 6 else nn.Sequential(*middle))
            middle = middle[6:]
        self.blocks = nn.Sequential(*blocks)
        width = FILTERS * (input_shape[1] - KERNEL + 1)
        self.embed = nn.Sequential(nn.Flatten(), nn.Linear(width, UNITS), nn.Linear(UNITS, UNITS))
        self.classify = nn.Linear(UNITS, num_classes)

    def forward(self, x: Tensor) -> Outputs:
        """Embed and classify a batch."""
        if x.shape[1:] != self.input_shape:
            raise ValueError(
                f"input has shape {tuple(x.shape)}, expected (batch, 1, {self.input_shape[1]})"
            )
        embedding = self.embed(self.blocks(self.first(x)))
        return Outputs(self.classify(embedding), embedding, None)


class ResidualBlock(nn.Module):
    """Six layers with a shortcut from the first activation to the sum before the last."""

    def __init__(self, layers: Iterable[nn.Module]) -> None:
        """Take convolution, norm, activation, convolution, norm and activation."""
        super().__init__()
        convolution, norm, activation, *rest, self.last = layers
        self.before = nn.Sequential(convolution, norm, activation)
        self.after = nn.Sequential(*rest)

    def forward(self, x: Tensor) -> Tensor:
        """Add the shortcut."""
        shortcut = self.before(x)
        return cast(Tensor, self.last(self.after(shortcut) + shortcut))


class ResidualFrames(nn.Module):
    """The second reading: a residual network over time and frequency, for utterances of any length.

    Paper 2 says "speech samples of various lengths"; its block, losses and order of training
    resemble those of Deep Speaker (Li et al. 2017, arXiv 1705.02304), which its poster does not
    name. That network takes any length. This is one like it in small: three stages of a 5 x 5
    convolution of stride two and a residual block of two 3 x 3 convolutions, the mean over time, an
    affine layer to the embedding, softmax. The leaky ReLU is paper 2's; Deep Speaker clips a plain
    one. Frames after the end, all equal to the last one, are left out of the mean: they stay equal
    when they are scaled per coefficient, and not when each cell is standardised by itself.

    Args:
        num_classes: emotions.
        input_shape: coefficients and frames; any number of frames is taken.

    Shape:
        input ``(batch, coefficients, frames)``, embedding ``(batch, 200)``; see :class:`Outputs`.

    Raises:
        ValueError: there are fewer than two classes or the input has another height.

    Example:
        >>> network = ResidualFrames(8, (40, 188)).eval()
        >>> network(torch.zeros(2, 40, 77)).embedding.shape
        torch.Size([2, 200])
    """

    dim = UNITS

    def __init__(
        self,
        num_classes: int,
        input_shape: tuple[int, int],
    ) -> None:
        """Build the stages."""
        super().__init__()
        check_sizes(num_classes, 11)
        self.height = input_shape[0]
        stages: list[nn.Module] = []
        for before, after in pairwise((1, *CHANNELS)):
            stages += [
                nn.Conv2d(before, after, 5, stride=2, padding=2),
                nn.BatchNorm2d(after),
                nn.LeakyReLU(SLOPE),
                ResidualBlock(
                    [
                        nn.Conv2d(after, after, 3, padding=1),
                        nn.BatchNorm2d(after),
                        nn.LeakyReLU(SLOPE),
                        nn.Conv2d(after, after, 3, padding=1),
                        nn.BatchNorm2d(after),
                        nn.LeakyReLU(SLOPE),
                    ]
                ),
            ]
        self.stages = nn.Sequential(*stages)
        self.stride = 2 ** len(CHANNELS)
        self.affine = nn.Linear(CHANNELS[-1] * -(-self.height // self.stride), UNITS)
        self.classify = nn.Linear(UNITS, num_classes)

    def forward(self, x: Tensor) -> Outputs:
        """Embed and classify a batch."""
        if x.dim() != 3 or x.shape[1] != self.height:
            raise ValueError(
                f"input has shape {tuple(x.shape)}, expected (batch, {self.height}, frames)"
            )
        maps = self.stages(x[:, None]).flatten(1, 2)
        steps = torch.arange(maps.shape[2], device=x.device) * self.stride
        heard = (steps < _lengths(x)[:, None]).to(maps.dtype)[:, None]
        mean = (maps * heard).sum(2) / heard.sum(2)
        embedding = self.affine(mean)
        return Outputs(self.classify(embedding), embedding, None)


def _lengths(x: Tensor) -> Tensor:
    """Frames up to the first of those that are all equal to the last, at least one."""
    different = (x != x[:, :, -1:]).any(1)
    places = torch.arange(1, x.shape[2] + 1, device=x.device)
    return (different * places).amax(1) + 1


def convolution_layers(count: int) -> list[nn.Module]:
    """Return the first ``count`` of convolution, batch norm, leaky ReLU, convolution, ..."""
    makers = (
        lambda: nn.Conv1d(FILTERS, FILTERS, KERNEL, padding=KERNEL // 2),
        lambda: nn.BatchNorm1d(FILTERS),
        lambda: nn.LeakyReLU(SLOPE),
    )
    return [makers[i % 3]() for i in range(count)]


def check_sizes(num_classes: int, layers: int) -> None:
    """Refuse what the paper's family of networks does not have.

    Raises:
        ValueError: naming the value and its limit.
    """
    if num_classes < 2:
        raise ValueError(f"num_classes is {num_classes}, at least 2 are needed")
    if not 6 <= layers <= 15:
        raise ValueError(f"layers is {layers}, the paper has 6 to 15")
