"""Intervals of angles: what they are computed from, and how often they hold the true angle."""

import math

import numpy as np
import pytest
import torch

from ser_lib.angles import angle_matrix, class_directions
from ser_lib.statistics.angles import bootstrap_angles


def sample(rng, *, angle=60.0, dim=64, n=100, sigma=0.3):
    """Two classes whose true mean directions make ``angle`` degrees."""
    means = np.zeros((2, dim))
    means[0, 0] = 1
    means[1, :2] = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    y = np.repeat([0, 1], n)
    return means[y] + rng.normal(0, sigma, (2 * n, dim)), y


def naive_draw(z, y, rows):
    return angle_matrix(class_directions(z[rows], y[rows], 2))[0, 1].item()


def test_holds_the_true_angle_where_percentiles_do_not():
    """Noise opens angles: the percentile interval adds to that, the basic one takes it back."""
    rng = np.random.default_rng(1)
    basic = percentile = 0
    trials = 200
    for trial in range(trials):
        z, y = sample(rng)
        found = bootstrap_angles(z, y, 2, draws=400, seed=trial)
        estimate, low, high = (t[0, 1].item() for t in (found.estimate, found.low, found.high))
        basic += low <= 60 <= high
        percentile += 2 * estimate - high <= 60 <= 2 * estimate - low
    assert basic / trials > 0.88
    assert percentile / trials < 0.80


def test_the_bootstrap_of_utterances_is_that_of_a_loop():
    rng = np.random.default_rng(2)
    z, y = sample(rng, dim=4, n=12)
    found = bootstrap_angles(z, y, 2, draws=4000, seed=3)
    own = [np.flatnonzero(y == k) for k in (0, 1)]
    drawn = [
        naive_draw(z, y, np.concatenate([rng.choice(o, len(o)) for o in own])) for _ in range(2000)
    ]
    ends = 2 * found.estimate[0, 1].item() - np.quantile(drawn, [0.975, 0.025])
    np.testing.assert_allclose([found.low[0, 1], found.high[0, 1]], ends, atol=0.6)
    assert found.high[0, 1] - found.low[0, 1] > 6


def test_the_bootstrap_of_speakers_is_that_of_a_loop():
    rng = np.random.default_rng(4)
    z, y = sample(rng, dim=4, n=30, sigma=0.1)
    who = np.tile(np.arange(6), 10)
    z += rng.normal(0, 0.4, (6, 4))[who]  # a voice moves all its embeddings
    groups = [f"voice {k}" for k in who]
    found = bootstrap_angles(z, y, 2, groups=groups, draws=4000, seed=5)
    drawn = []
    for _ in range(2000):
        rows = np.concatenate([np.flatnonzero(who == g) for g in rng.integers(6, size=6)])
        drawn.append(naive_draw(z, y, rows))
    ends = 2 * found.estimate[0, 1].item() - np.quantile(drawn, [0.975, 0.025])
    np.testing.assert_allclose([found.low[0, 1], found.high[0, 1]], ends, atol=1.5)
    alone = bootstrap_angles(z, y, 2, draws=4000, seed=5)
    wide, narrow = (f.high[0, 1] - f.low[0, 1] for f in (found, alone))
    assert wide > 1.2 * narrow


def test_shape_and_ends():
    rng = np.random.default_rng(6)
    y = np.repeat(np.arange(3), 20)
    z = np.eye(3)[y] + rng.normal(0, 0.2, (60, 3))
    found = bootstrap_angles(z, y, 3, reading="unit mean", draws=200)
    u = class_directions(z, y, 3, reading="unit mean")
    torch.testing.assert_close(found.estimate, angle_matrix(u))
    for ends in (found.low, found.high):
        assert torch.equal(ends, ends.T)
        assert (ends.diagonal() == 0).all()
        assert ((ends >= 0) & (ends <= 180)).all()
    upper = torch.triu_indices(3, 3, 1).unbind()
    assert (found.low[upper] < found.high[upper]).all()
    again = bootstrap_angles(z, y, 3, reading="unit mean", draws=200)
    assert torch.equal(found.low, again.low)
    narrow = bootstrap_angles(z, y, 3, reading="unit mean", draws=200, level=0.5)
    assert ((narrow.high - narrow.low)[upper] < (found.high - found.low)[upper]).all()


def test_a_draw_without_a_class_is_drawn_again():
    """Class 1 has two of ten speakers: many draws miss it, none may be used."""
    z = np.array([[1.0, 0.1 * g] for g in range(10)] + [[0.1, 1.0], [-0.1, 1.0]])
    y = [0] * 10 + [1, 1]
    groups = [*range(10), 0, 1]
    found = bootstrap_angles(z, y, 2, groups=groups, draws=500)
    assert 0 < found.low[0, 1] < found.high[0, 1] < 180


Z, Y = np.array([[1.0, 0.0], [1.0, 0.2], [0.0, 1.0], [0.1, 1.0]]), [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"draws": 99}, "draws is 99, at least 100"),
        ({"level": 1.0}, r"level is 1.0, it must be in \(0, 1\)"),
        ({"groups": ["a", "b", "a"]}, "3 groups for 4 embeddings"),
        ({"groups": ["a", "b", "c", "c"]}, "class 1 occurs in 1 group, at least 2"),
        ({"reading": "median"}, "'median', known"),
    ],
)
def test_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        bootstrap_angles(Z, Y, 2, **options)
