"""The networks of the two papers and their rivals."""

from ser_lib.models.ablations import AblationNetwork, Family
from ser_lib.models.parallel_cnn import Outputs, ParallelCNN
from ser_lib.models.residual import ResidualEmbedder, ResidualFrames
from ser_lib.models.rivals import ParentCNN

__all__ = [
    "AblationNetwork",
    "Family",
    "Outputs",
    "ParallelCNN",
    "ParentCNN",
    "ResidualEmbedder",
    "ResidualFrames",
]
