"""Recordings as signals: what is read, and what is refused."""

import struct

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from ser_lib.audio import AudioError, fix_length, load_audio
from tests.fakes import cut, noise


def test_same_rate_is_the_samples_over_full_scale(write):
    samples = noise(500)
    signal = load_audio(write("a.wav", samples), 16_000)
    assert signal.dtype == np.float32
    assert signal.shape == (500,)
    np.testing.assert_array_equal(signal, samples[:, 0] / np.float32(32_768))


def test_channels_are_averaged(write):
    samples = noise(500, 2)
    signal = load_audio(write("a.wav", samples), 16_000)
    np.testing.assert_allclose(signal, samples.mean(axis=1) / 32_768, atol=1e-7)


def test_stereo_with_equal_channels_is_the_same_as_mono(write):
    # Five recordings of RAVDESS are like this.
    samples = noise(4_800)
    stereo = load_audio(write("stereo.wav", np.repeat(samples, 2, axis=1), 48_000), 16_000)
    np.testing.assert_array_equal(stereo, load_audio(write("mono.wav", samples, 48_000), 16_000))


def test_wav_and_flac_give_the_same_bits(write):
    samples = noise(2_000)
    wav, flac = write("a.wav", samples, 22_050), write("a.flac", samples, 22_050)
    np.testing.assert_array_equal(load_audio(wav, 16_000), load_audio(flac, 16_000))


def test_resampling_keeps_a_tone(write):
    time = np.arange(48_000) / 48_000
    path = write("tone.wav", (0.5 * np.sin(2 * np.pi * 440 * time)).astype(np.float32), 48_000)
    signal = load_audio(path, 16_000)
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    np.testing.assert_allclose(signal[200:-200], expected[200:-200], atol=1e-3)


def test_resampling_removes_what_would_alias(write):
    time = np.arange(48_000) / 48_000
    path = write("high.wav", (0.5 * np.sin(2 * np.pi * 12_000 * time)).astype(np.float32), 48_000)
    assert np.abs(load_audio(path, 16_000)[200:-200]).max() < 1e-3


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    frames=st.integers(50, 6_000),
    source=st.sampled_from((8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000)),
    target=st.one_of(st.just(16_000), st.integers(4_000, 48_000)),
)
def test_resampling_keeps_the_duration_to_one_sample(tmp_path_factory, frames, source, target):
    path = tmp_path_factory.mktemp("resample") / "a.wav"
    soundfile.write(path, noise(frames), source)
    signal = load_audio(path, target)
    assert abs(len(signal) - frames * target / source) <= 1
    assert np.isfinite(signal).all()


@pytest.mark.parametrize("ending", ["wav", "flac", "aiff"])
@pytest.mark.parametrize("part", [0.3, 0.9])
def test_truncated_file_is_refused(write, ending, part):
    path = cut(write(f"a.{ending}", noise(16_000)), part)
    with pytest.raises(AudioError, match="truncated") as caught:
        load_audio(path, 16_000)
    assert str(path) in str(caught.value)


def test_wav_written_into_a_pipe_has_no_known_length_and_is_read(write):
    path = write("a.wav", noise(1_000))
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = struct.pack("<I", 0xFFFFFFFF)
    path.write_bytes(data)
    assert len(load_audio(path, 16_000)) == 1_000


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.mkdir(), "not a file"),
        (lambda path: path.write_bytes(b""), "0 bytes"),
        (lambda path: path.write_bytes(b"not audio at all" * 9), "not readable as audio"),
        (lambda path: soundfile.write(path, np.zeros((0, 1)), 16_000), "holds 0 samples"),
        (lambda path: soundfile.write(path, np.zeros(99), 16_000), "silent, all 99 samples are 0"),
        (lambda path: soundfile.write(path, np.full(99, 0.5), 16_000), "all 99 samples are 0.5"),
        (
            lambda path: soundfile.write(
                path, np.array([0, np.nan, 1, np.inf], np.float32), 16_000, subtype="FLOAT"
            ),
            "2 of 4 samples are not finite",
        ),
    ],
)
def test_bad_audio_is_refused_with_path_and_reason(tmp_path, make, message):
    path = tmp_path / "bad.wav"
    make(path)
    with pytest.raises(AudioError, match=message) as caught:
        load_audio(path, 16_000)
    assert str(path) in str(caught.value)


def test_samples_without_a_header_are_refused(tmp_path):
    (tmp_path / "bad.raw").write_bytes(bytes(range(100)))
    with pytest.raises(AudioError, match=r"bad\.raw: not readable as audio"):
        load_audio(tmp_path / "bad.raw", 16_000)


def test_channels_that_cancel_are_silence(write):
    left = noise(500)
    with pytest.raises(AudioError, match="silent"):
        load_audio(write("a.wav", np.hstack((left, -left))), 16_000)


@pytest.mark.parametrize("rate", [0, -16_000, 999, 384_001, 16_000.0, "16000", True, None])
def test_rate_out_of_limits_is_refused(write, rate):
    with pytest.raises(ValueError, match="rate"):
        load_audio(write("a.wav", noise(100)), rate)


@settings(derandomize=True, deadline=None)
@given(st.integers(1, 400), st.integers(1, 300), st.floats(0.1, 3))
def test_fix_length_keeps_the_beginning_and_fills_with_zeros(length, rate, seconds):
    signal = np.arange(1, length + 1, dtype=np.float32)
    wanted = round(rate * seconds)
    if wanted < 1:
        with pytest.raises(ValueError, match="at least one sample"):
            fix_length(signal, rate, seconds)
        return
    fixed = fix_length(signal, rate, seconds)
    kept = min(length, wanted)
    assert fixed.shape == (wanted,)
    assert fixed.dtype == np.float32
    np.testing.assert_array_equal(fixed[:kept], signal[:kept])
    assert not fixed[kept:].any()


def test_six_seconds_at_sixteen_kilohertz():
    assert len(fix_length(np.ones(10, np.float32), 16_000, 6.0)) == 96_000


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), 1e-9])
def test_fix_length_refuses_a_length_of_nothing(seconds):
    with pytest.raises(ValueError, match="at least one sample"):
        fix_length(np.ones(3, np.float32), 16_000, seconds)


def test_fix_length_refuses_two_axes():
    with pytest.raises(ValueError, match=r"\(3, 2\)"):
        fix_length(np.ones((3, 2), np.float32), 16_000, 1)
