"""The networks of the two papers and their rivals."""

from ser_lib.models.parallel_cnn import Outputs, ParallelCNN
from ser_lib.models.rivals import ParentCNN

__all__ = ["Outputs", "ParallelCNN", "ParentCNN"]
