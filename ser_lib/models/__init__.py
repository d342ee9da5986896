"""The networks of the two papers and their rivals."""

from ser_lib.models.parallel_cnn import Outputs, ParallelCNN

__all__ = ["Outputs", "ParallelCNN"]
