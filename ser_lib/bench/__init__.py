"""Speed and memory of the library's own computations, as ratios to the plain way in one run."""

from ser_lib.bench import angles, inference, layer, mining, objectives

__all__ = ["angles", "inference", "layer", "mining", "objectives"]
