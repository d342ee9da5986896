"""An utterance as 390 numbers, which is all that is known of paper 2's input.

The figure that shows the network prints the length of its input and nothing else. Each reading
here is one way to come to 390; none of them is known to be the authors'.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast, get_args

import numpy as np

from ser_lib.features import Array, FeatureConfig, VectorInput, mfcc

LENGTH = 390
VECTOR_INPUTS: tuple[VectorInput, ...] = get_args(VectorInput)

STEPS: dict[str, tuple[int, int]] = {
    "mfcc_13x30": (13, 30),
    "mfcc_30x13": (30, 13),
    "deltas_39x10": (39, 10),
    "mean_390": (1, 390),
}
"""Coefficients and steps in time of each reading, a coefficient's steps side by side."""


def vector(signal: Array, rate: int, *, config: FeatureConfig) -> Array:
    """Describe an utterance by 390 numbers.

    ``mfcc_13x30`` and ``mfcc_30x13`` are means of 13 or 30 MFCC over 30 or 13 equal parts of the
    utterance, so that any length fits; ``deltas_39x10`` adds first and second differences to 13
    MFCC, over 10 parts; ``mean_390`` is the mean over 13 MFCC in each of 390 frames (4.16 s, cut or
    padded with silence).

    Args:
        signal: samples, shape ``(n,)``.
        rate: Hz; must be the rate of ``config``.
        config: see :func:`vector_config`.

    Returns:
        Shape ``(1, 390)``.

    Raises:
        ValueError: the signal has fewer frames than parts.

    Example:
        >>> vector(np.sin(np.arange(16_000)), 16_000, config=vector_config("mfcc_13x30")).shape
        (1, 390)
    """
    import librosa

    from ser_lib.audio import fix_length

    name = config.input
    if name == "mean_390":
        signal = fix_length(signal, rate, (LENGTH - 1) * config.hop / rate)
    coefficients = mfcc(signal, rate, config=config)
    if name == "mean_390":
        return cast(Array, coefficients.mean(axis=0, keepdims=True, dtype=np.float32))
    steps = STEPS[name][1]
    frames = coefficients.shape[1]
    if frames < steps:
        raise ValueError(
            f"{len(signal)} samples at {rate} Hz are {frames} frames of {config.hop} samples; "
            f"input {name!r} needs at least {steps}"
        )
    if name == "deltas_39x10":
        slopes = [librosa.feature.delta(coefficients, order=n, mode="nearest") for n in (1, 2)]
        coefficients = np.concatenate([coefficients, *slopes])
    parts = np.array_split(coefficients, steps, axis=1)
    means = np.stack([part.mean(axis=1) for part in parts], axis=1)
    return means.astype(np.float32).reshape(1, LENGTH)


def vector_config(name: VectorInput) -> FeatureConfig:
    """Return the extraction's parameters: frames of 32 ms every 10, or those of ``mean_390``.

    Windows of 512 samples every 160 are common for speech at 16 kHz, and let half a second be cut
    into 30 parts. ``mean_390`` follows the public notebooks that took librosa's defaults: windows
    of 2048 and 10.7 ms a step.
    """
    config = FeatureConfig(input=name, n_fft=512, hop=160, n_mels=64, n_mfcc=13)
    if name == "mfcc_30x13":
        return replace(config, n_mfcc=30)
    if name == "mean_390":
        return replace(config, n_fft=2048, hop=171, n_mels=128)
    return config
