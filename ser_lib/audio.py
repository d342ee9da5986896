"""A recording as mono float32 samples at the rate asked for."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

from ser_lib.corpora.recording import AudioError, decode

__all__ = ["QUALITY", "RATES", "AudioError", "fix_length", "load_audio"]

QUALITY = "HQ"
"""Quality of soxr's resampling (a 20-bit linear-phase filter)."""

RATES = (1_000, 384_000)
"""Lowest and highest sampling rate in Hz that may be asked for."""


def load_audio(path: str | Path, rate: int) -> npt.NDArray[np.float32]:
    """Read a recording as one channel at ``rate``.

    Channels are averaged; a file of another rate is resampled by soxr (``QUALITY``), which keeps
    its duration to within one sample.

    Args:
        path: any format that libsndfile reads.
        rate: sampling rate in Hz of the result.

    Returns:
        Samples of shape (samples,), float32; full scale is 1.

    Raises:
        ValueError: ``rate`` is not a whole number within ``RATES``.
        AudioError: the file is missing, unreadable, truncated, empty, silent (all samples
            equal), or holds a sample that is not finite.
    """
    if isinstance(rate, bool) or not isinstance(rate, int | np.integer):
        raise ValueError(f"rate {rate!r} Hz is not a whole number")
    if not RATES[0] <= rate <= RATES[1]:
        raise ValueError(f"rate {rate} Hz is not within {RATES[0]} to {RATES[1]} Hz")
    samples, header = decode(path)
    broken = int(np.count_nonzero(~np.isfinite(samples)))
    if broken:
        raise AudioError(f"{path}: {broken} of {samples.size} samples are not finite (NaN or inf)")
    signal = samples.mean(axis=1, dtype=np.float32)
    if np.all(signal == signal[0]):
        raise AudioError(f"{path}: silent, all {len(signal)} samples are {signal[0]:g}")
    if header.rate != rate:
        signal = soxr.resample(signal, header.rate, int(rate), quality=QUALITY)
    if not len(signal):
        raise AudioError(
            f"{path}: {header.frames} samples at {header.rate} Hz are less than one at {rate} Hz"
        )
    return np.ascontiguousarray(signal, dtype=np.float32)


def fix_length(
    signal: npt.NDArray[np.float32], rate: int, seconds: float
) -> npt.NDArray[np.float32]:
    """Cut a signal, or pad it with zeros at its end, to ``seconds`` (paper 1, section 2.2).

    Args:
        signal: samples of shape (samples,).
        rate: sampling rate in Hz.
        seconds: length in seconds of the result.

    Returns:
        Samples of shape (round(rate × seconds),), of the signal's type.

    Raises:
        ValueError: the signal has another number of axes, or the length is not at least one sample.

    Examples:
        >>> fix_length(np.ones(3, np.float32), 2, 2.5)
        array([1., 1., 1., 0., 0.], dtype=float32)
        >>> fix_length(np.ones(3, np.float32), 2, 1)
        array([1., 1.], dtype=float32)
    """
    if signal.ndim != 1:
        raise ValueError(f"signal has shape {signal.shape}, expected one axis: (samples,)")
    length = round(rate * seconds) if math.isfinite(rate * seconds) else 0
    if length < 1:
        raise ValueError(f"{seconds} s at {rate} Hz is not a length of at least one sample")
    return np.pad(signal[:length], (0, max(0, length - len(signal))))
