"""Paper 1's network per utterance, single and in batches, features included and not."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch

from ser_lib import device as devices
from ser_lib.bench.timing import fastest
from ser_lib.features import log_mel, mfcc
from ser_lib.models.parallel_cnn import ParallelCNN

BATCHES = (1, 64)
"""Utterances in a call of the network."""


def measure(*, repeats: int = 5, device: str = "cpu") -> dict[str, Any]:
    """Time paper 1's network per utterance of six seconds, without and with its features.

    Args:
        repeats: timed calls; the fastest counts.
        device: of torch; features are always computed on the CPU, one utterance after the other.

    Returns:
        ``rows`` with ``input``, ``batch``, ``device``, ``features`` (included or not) and
        ``microseconds`` an utterance.

    Raises:
        ValueError: ``repeats`` is not positive, or the device cannot be used.
    """
    if repeats < 1:
        raise ValueError(f"repeats {repeats} must be positive")
    devices.check_device(device)
    signal = np.random.default_rng(0).normal(size=96_000).astype(np.float32)
    rows = []
    for name, compute in (("mfcc", mfcc), ("log_mel", log_mel)):
        features = fastest(partial(compute, signal, 16_000), repeats, "cpu")
        shape = compute(signal, 16_000).shape
        network = ParallelCNN(4, (shape[0], shape[1])).eval().to(device)
        for batch in BATCHES:
            x = torch.rand(batch, *shape, device=device)
            with torch.no_grad():
                alone = fastest(partial(network, x), repeats, device) / batch
            rows += [
                {
                    "input": name,
                    "batch": batch,
                    "device": device,
                    "features": included,
                    "microseconds": round(1e6 * (alone + included * features)),
                }
                for included in (False, True)
            ]
    return {"threads": torch.get_num_threads(), "torch": torch.__version__, "rows": rows}
