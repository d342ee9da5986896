"""The 390 numbers of paper 2, against librosa and NumPy."""

import itertools

import numpy as np
import pytest

from ser_lib.features import compute, mfcc
from ser_lib.vectors import STEPS, VECTOR_INPUTS, vector, vector_config

NOISE = np.random.default_rng(0).normal(size=40_000).astype(np.float32) * 0.1


@pytest.mark.parametrize("name", VECTOR_INPUTS)
def test_all_readings_have_390_numbers(name):
    config = vector_config(name)
    assert config.shape == (1, 390)
    assert STEPS[name][0] * STEPS[name][1] == 390
    for samples in (8_000, 40_000, 300_000):
        signal = np.resize(NOISE, samples)
        values = compute(signal, config)
        assert values.shape == (1, 390)
        assert values.dtype == np.float32
        assert np.isfinite(values).all()


def test_parts_are_means_of_the_coefficients():
    config = vector_config("mfcc_13x30")
    coefficients = mfcc(NOISE, 16_000, config=config)
    values = vector(NOISE, 16_000, config=config).reshape(13, 30)
    np.testing.assert_allclose(values, means_of_parts(coefficients, 30), rtol=1e-5)


def test_differences_follow_the_coefficients():
    config = vector_config("deltas_39x10")
    values = vector(NOISE, 16_000, config=config).reshape(39, 10)
    coefficients = mfcc(NOISE, 16_000, config=config)
    for order, rows in ((1, values[13:26]), (2, values[26:])):
        expected = means_of_parts(derivative(coefficients, order), 10)
        np.testing.assert_allclose(rows, expected, rtol=1e-4, atol=1e-5)


def derivative(coefficients, order):
    """Of the line or parabola that fits nine frames best, at the middle one."""
    padded = np.pad(coefficients.astype(np.float64), ((0, 0), (4, 4)), mode="edge")
    around = np.arange(-4, 5)
    fits = [np.polyfit(around, padded[:, t : t + 9].T, order) for t in range(coefficients.shape[1])]
    return np.stack([order * fit[0] for fit in fits], axis=1)


def means_of_parts(rows, parts):
    """Of parts as equal as can be, the first ones longer by a frame."""
    short, longer = divmod(rows.shape[1], parts)
    edges = [k * short + min(k, longer) for k in range(parts + 1)]
    return np.stack([rows[:, a:b].mean(1) for a, b in itertools.pairwise(edges)], axis=1)


def test_mean_390_cuts_and_pads():
    config = vector_config("mean_390")
    long = np.resize(NOISE, 100_000)
    np.testing.assert_array_equal(
        vector(long, 16_000, config=config), vector(long[:66_519], 16_000, config=config)
    )
    short = vector(NOISE, 16_000, config=config)[0]
    assert np.ptp(short[260:]) == 0  # silence
    assert np.ptp(short[:220]) > 1


def test_too_short_is_refused():
    with pytest.raises(ValueError, match=r"1600 samples at 16000 Hz are 11 frames .* at least 30"):
        vector(NOISE[:1600], 16_000, config=vector_config("mfcc_13x30"))
