"""Recordings opened and decoded: headers, samples, and files cut short."""

import numpy as np
import pytest

from ser_lib.audio import AudioError
from ser_lib.corpora.recording import decode, read_header
from tests.fakes import cut, noise


def test_truncated_wav_names_what_it_holds_and_what_it_announces(write):
    path = cut(write("a.wav", noise(1_000)), 0.5)
    with pytest.raises(AudioError, match=r"holds \d+ of 2000 bytes"):
        read_header(path)


def test_decode_gives_frames_by_channels(write):
    samples = noise(300, 2)
    decoded, header = decode(write("a.flac", samples, 48_000), "int16")
    np.testing.assert_array_equal(decoded, samples)
    assert (header.rate, header.channels, header.frames) == (48_000, 2, 300)
    assert header.duration == pytest.approx(300 / 48_000)
