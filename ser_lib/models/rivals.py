"""Networks that the papers compare themselves with."""

from __future__ import annotations

from torch import Tensor, nn

from ser_lib.layers import Padding
from ser_lib.models.parallel_cnn import Outputs, Paths, fully_connected

PARENT_KERNEL_SIZES = ((12, 16), (18, 24), (24, 32), (30, 40))
"""Height and width of the kernels of the four paths of Yenigalla et al. (2018)."""


class ParentCNN(nn.Module):
    """The spectrogram network of Yenigalla et al. (2018), from which paper 1's descends.

    Four paths of 200 larger kernels, max-pooling to 2 x 2, FC 400 with dropout and FC 200 without,
    both with batch norm. Its published accuracies equal paper 1's row "S, Spectrogram" to the last
    digit. The layout is second-hand: from a public note on the paper that agrees with a public
    re-implementation in every size.

    Args:
        num_classes: emotions.
        input_shape: coefficients and frames.
        padding: of the convolutions.
        dropout: probability of dropping a unit of the first FC layer.

    Shape:
        input ``(batch, coefficients, frames)``, embedding ``(batch, 200)``; see :class:`Outputs`.

    Raises:
        ValueError: the input is smaller than the largest kernel or has another shape.

    Example:
        >>> sum(p.numel() for p in ParentCNN(4, (128, 188)).parameters())
        1881804
    """

    dim = 200

    def __init__(
        self,
        num_classes: int,
        input_shape: tuple[int, int],
        *,
        padding: Padding = "valid",
        dropout: float = 0.5,
    ) -> None:
        """Build the paths and the FC layers."""
        super().__init__()
        self.paths = Paths(PARENT_KERNEL_SIZES, input_shape, padding)
        self.embed = nn.Sequential(
            fully_connected(self.paths.features, 400),
            nn.Dropout(dropout),
            fully_connected(400, self.dim),
        )
        self.classify = nn.Linear(self.dim, num_classes)

    def forward(self, x: Tensor) -> Outputs:
        """Classify a batch."""
        embedding = self.embed(self.paths(x))
        return Outputs(self.classify(embedding), embedding, None)
