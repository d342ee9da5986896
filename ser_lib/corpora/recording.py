"""Opening one recording: its header, its samples, and every way in which it can be broken."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import soundfile

# libsndfile's log says "data : 96000 (should be 63985)" when a WAV or AIFF file ends early.
_CUT = re.compile(r"^\s*(?:data|SSND) : (\d+) \(should be (\d+)\)", re.MULTILINE)
# A programme that writes WAV into a pipe cannot know the length and fills in one of these.
_UNKNOWN_LENGTHS = range(0x7FFFF000, 0x1_0000_0000)


class AudioError(ValueError):
    """A recording that cannot be used; the message names its path, the value and the limit."""

    def below(self, root: Path) -> str:
        """Give the message with the path from ``root`` on."""
        return str(self).replace(f"{root}{os.sep}", "", 1)


@dataclass(frozen=True)
class Header:
    """What a recording says of itself."""

    rate: int
    """Sampling rate in Hz."""
    channels: int
    frames: int
    """Samples per channel."""

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.frames / self.rate


def _open(path: Path) -> soundfile.SoundFile:
    if not path.is_file():
        raise AudioError(f"{path}: {'not a file' if path.exists() else 'no such file'}")
    if path.stat().st_size == 0:
        raise AudioError(f"{path}: the file has 0 bytes")
    try:
        return soundfile.SoundFile(path)
    except (soundfile.SoundFileError, TypeError) as error:  # the second: headerless ``.raw``
        raise AudioError(f"{path}: not readable as audio ({_reason(error)})") from None


def _reason(error: Exception) -> str:
    return str(error).rsplit(": ", 1)[-1].strip().rstrip(".")


def _header(path: Path, file: soundfile.SoundFile) -> Header:
    header = Header(file.samplerate, file.channels, file.frames)
    if cut := _CUT.search(file.extra_info):
        promised, held = int(cut[1]), int(cut[2])
        if held < promised and promised not in _UNKNOWN_LENGTHS:
            raise AudioError(
                f"{path}: truncated, holds {held} of {promised} bytes of samples that it announces"
            )
    if header.frames < 1:
        raise AudioError(f"{path}: holds 0 samples")
    return header


def read_header(path: str | Path) -> Header:
    """Read rate, channels and length of a recording without decoding it.

    Raises:
        AudioError: the file is missing, not audio, empty, or shorter than its header says.
    """
    path = Path(path)
    with _open(path) as file:
        return _header(path, file)


def decode(
    path: str | Path, dtype: Literal["float32", "int16"] = "float32"
) -> tuple[npt.NDArray[Any], Header]:
    """Decode a whole recording.

    Args:
        path: any format that libsndfile reads.
        dtype: ``float32`` (full scale is 1) or ``int16`` (full scale is 32,768).

    Returns:
        Samples of shape (frames, channels), and the header.

    Raises:
        AudioError: as :func:`read_header`, or fewer samples can be decoded than announced.
    """
    path = Path(path)
    with _open(path) as file:
        header = _header(path, file)
        try:
            samples = file.read(dtype=dtype, always_2d=True)
        except soundfile.SoundFileError as error:
            raise AudioError(
                f"{path}: truncated or damaged, cannot be decoded ({_reason(error)})"
            ) from None
    if len(samples) < header.frames:
        raise AudioError(
            f"{path}: truncated, {len(samples)} of {header.frames} announced samples can be decoded"
        )
    return np.asarray(samples), header
