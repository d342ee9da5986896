"""Angles against naive loops, exact values and scikit-learn; what must not change them."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics.pairwise import cosine_distances
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

from ser_lib.angles import (
    UNKNOWN,
    angle_matrix,
    angles,
    choose_threshold,
    class_directions,
    classify,
    classify_by_neighbours,
    cosines,
)

seeds = st.integers(0, 9999)


def sample(seed, n=40, dim=5, classes=3, spread=0.5):
    """Embeddings around class means, and labels of which each class has one."""
    rng = np.random.default_rng(seed)
    y = np.concatenate((np.arange(classes), rng.integers(classes, size=n - classes)))
    z = rng.normal(size=(classes, dim))[y] + rng.normal(0, spread, (n, dim))
    return z * rng.uniform(0.1, 10, (n, 1)), y, rng


def naive_angle(a, b):
    """Degrees by the arc cosine, summed exactly."""
    dot = math.fsum(x * y for x, y in zip(a, b, strict=True))
    length = math.sqrt(math.fsum(x * x for x in a)) * math.sqrt(math.fsum(x * x for x in b))
    return math.degrees(math.acos(max(-1.0, min(1.0, dot / length))))


def naive_directions(z, y, classes, unit):
    rows = []
    for k in range(classes):
        own = [
            r / np.sqrt(np.sum(r * r)) if unit else r for r, c in zip(z, y, strict=True) if c == k
        ]
        total = [math.fsum(column) for column in zip(*own, strict=True)]
        length = math.sqrt(math.fsum(x * x for x in total))
        rows.append([x / length for x in total])
    return rows


def rotation(rng, dim):
    q, r = np.linalg.qr(rng.normal(size=(dim, dim)))
    return q * np.sign(np.diag(r))


@given(seeds, st.sampled_from(["mean", "unit mean"]))
def test_directions_and_angles_equal_loops(seed, reading):
    z, y, _ = sample(seed)
    u = class_directions(z, y, 3, reading=reading)
    np.testing.assert_allclose(u, naive_directions(z, y, 3, reading == "unit mean"), atol=1e-12)
    table = angles(z, u)
    expected = [[naive_angle(row, direction) for direction in u.tolist()] for row in z.tolist()]
    np.testing.assert_allclose(table, expected, atol=1e-5)  # the loop has acos' loss near 0
    between = [[naive_angle(a, b) for a in u.tolist()] for b in u.tolist()]
    np.testing.assert_allclose(angle_matrix(u), between, atol=1e-5)
    assert classify(z, u).tolist() == [int(np.argmin(row)) for row in expected]


@given(seeds)
def test_equals_scikit_learn(seed):
    z, y, rng = sample(seed)
    new = rng.normal(size=(30, 5))
    u = class_directions(z, y, 3)
    np.testing.assert_allclose(1 - cosines(new, u), cosine_distances(new, u), atol=1e-14)
    for k in (1, 4, 40):
        rival = KNeighborsClassifier(k, metric="cosine").fit(z, y)
        np.testing.assert_array_equal(classify_by_neighbours(new, z, y, 3, k=k), rival.predict(new))
    # Where the centroids have the same length, the nearest is that of the smallest angle. Each is
    # made of two points, as one alone has no variance.
    nearest = NearestCentroid().fit(torch.cat((0.9 * u, 1.1 * u)).numpy(), [0, 1, 2] * 2)
    unit = new / np.linalg.norm(new, axis=1, keepdims=True)
    np.testing.assert_array_equal(classify(new, u), nearest.predict(unit))


@given(seeds)
def test_squared_distance_of_unit_vectors_is_twice_one_minus_the_cosine(seed):
    z, y, _ = sample(seed)
    u = class_directions(z, y, 3).numpy()
    squared = ((u[:, None] - u) ** 2).sum(2)
    np.testing.assert_allclose(squared, 2 * (1 - cosines(u, u).numpy()), atol=1e-14)


@given(seeds, st.floats(1e-290, 1e290))
def test_turning_and_scaling_change_nothing(seed, scale):
    z, y, rng = sample(seed)
    turn = rotation(rng, 5)
    u = class_directions(z, y, 3)
    moved = class_directions(scale * z @ turn, y, 3)
    np.testing.assert_allclose(moved, u.numpy() @ turn, atol=1e-12)
    np.testing.assert_allclose(angle_matrix(moved), angle_matrix(u), atol=1e-10)
    lengths = rng.uniform(1e-3, 1e3, (len(z), 1))
    np.testing.assert_allclose(angles(lengths * z @ turn, moved), angles(z, u), atol=1e-8)
    np.testing.assert_allclose(
        class_directions(lengths * z, y, 3, reading="unit mean"),
        class_directions(z, y, 3, reading="unit mean"),
        atol=1e-12,
    )


@given(seeds)
def test_angles_are_a_distance_on_the_sphere(seed):
    rng = np.random.default_rng(seed)
    matrix = angle_matrix(rng.normal(size=(6, rng.integers(1, 5)))).numpy()
    np.testing.assert_array_equal(matrix, matrix.T)
    assert (np.diag(matrix) == 0).all()
    assert ((matrix >= 0) & (matrix <= 180)).all()
    detour = matrix[:, :, None] + matrix[None]
    assert (matrix[:, None] <= detour + 1e-9).all()


@pytest.mark.parametrize("exponent", [3, 6, 9, 12, 15, 100])
def test_has_its_digits_near_0_and_180(exponent):
    tiny = 10.0**-exponent
    exact = math.degrees(math.atan(tiny))
    pair = [[1.0, 0.0, 0.0], [1.0, tiny, 0.0]]
    away = [[1.0, 0.0, 0.0], [-1.0, tiny, 0.0]]
    assert angle_matrix(pair)[0, 1] == pytest.approx(exact, rel=1e-12)
    assert angles(pair[:1], pair[1:]).item() == pytest.approx(exact, rel=1e-12)
    for found in (angle_matrix(away)[0, 1], angles(away[:1], away[1:]).item()):
        assert found == pytest.approx(180 - exact, rel=1e-15)
    if exponent >= 9:  # where the arc cosine sees nothing at all
        assert naive_angle(*pair) == 0


def test_angles_by_the_product_agree_with_the_half_chord_on_the_whole_circle():
    turns = torch.linspace(0, 180, 3601, dtype=torch.float64)
    radians = turns.deg2rad()
    circle = torch.stack([radians.cos(), radians.sin()], 1)
    np.testing.assert_allclose(angles(circle, circle[:1])[:, 0], turns, atol=2e-13)


def test_known_angles():
    u = [[2.0, 0.0], [3.0, 3.0], [0.0, 1.0], [-5.0, 0.0]]
    expected = [[0, 45, 90, 180], [45, 0, 45, 135], [90, 45, 0, 90], [180, 135, 90, 0]]
    np.testing.assert_allclose(angle_matrix(u), expected, atol=1e-12)


def test_the_two_readings_differ_where_lengths_do():
    z, y = [[9.0, 0.0], [0.0, 1.0]], [0, 0]
    mean, unit = (class_directions(z, y, 1, reading=r) for r in ("mean", "unit mean"))
    assert angles(mean, [[1.0, 0.0]]).item() == pytest.approx(math.degrees(math.atan(1 / 9)))
    assert angles(unit, [[1.0, 0.0]]).item() == pytest.approx(45)


@given(seeds, st.sampled_from([0.5, 0.9, 1.0]))
def test_threshold_keeps_its_share(seed, share):
    z, y, _ = sample(seed)
    u = class_directions(z, y, 3)
    threshold = choose_threshold(z, y, u, share=share)
    own = angles(z, u)[torch.arange(len(z)), torch.from_numpy(y)]
    assert threshold == pytest.approx(np.quantile(own, share), abs=1e-9)
    answer, plain = classify(z, u, threshold=threshold), classify(z, u)
    known = angles(z, u).amin(1) <= threshold + 1e-9
    assert torch.equal(answer, torch.where(known, plain, UNKNOWN))
    assert (answer != UNKNOWN).sum() >= math.floor(share * (len(z) - 1))


def test_threshold_at_its_ends():
    u, z = [[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 2.0], [1.0, 0.2], [-1.0, -1.0]]
    assert classify(z, u, threshold=0).tolist() == [0, 1, UNKNOWN, UNKNOWN]
    assert classify(z, u, threshold=180).tolist() == [0, 1, 0, 0]


def test_equal_angles_and_equal_votes_go_to_the_first():
    u = [[1.0, 0.0], [0.0, 1.0], [0.0, 2.0]]
    assert classify([[1.0, 1.0], [0.0, 1.0]], u).tolist() == [0, 1]
    assert classify_by_neighbours([[1.0, 1.0]], u, [2, 1, 0], 3, k=2).tolist() == [1]
    assert classify_by_neighbours([[0.0, 1.0]], u, [0, 2, 1], 3, k=1).tolist() == [2]


def test_takes_parameters_of_a_network_and_gives_no_gradient():
    layer = torch.nn.Linear(4, 3)
    z = torch.randn(5, 4, requires_grad=True)
    found = cosines(z, layer.weight)
    assert found.dtype == torch.float64
    assert not found.requires_grad
    torch.testing.assert_close(
        found.float(),
        torch.nn.functional.normalize(z) @ torch.nn.functional.normalize(layer.weight).T,
    )


TWO = [[1.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: angle_matrix([[1.0, 0.0], [0.0, 0.0]]), "directions: row 1 has length 0"),
        (lambda: classify([[0.0, 0.0]], TWO), "embeddings: row 0 has length 0"),
        (lambda: angles([[1.0, math.nan]], TWO), "nan in row 0 is not finite"),
        (lambda: angle_matrix([[1.0, 0.0], [math.inf, 0.0]]), "inf in row 1 is not finite"),
        (lambda: angle_matrix([1.0, 0.0]), r"shape \(2,\), expected \(n, dim\)"),
        (lambda: angle_matrix(np.empty((0, 3))), "not empty"),
        (lambda: cosines([[1.0, 0.0, 0.0]], TWO), "embeddings of 3 numbers .* directions of 2"),
        (lambda: class_directions([*TWO, [0, math.nan]], [0, 1, 1], 2), "nan in row 2 is not"),
        (lambda: class_directions(TWO, [0, 2], 3), r"of 3 classes \[1\] have no utterance"),
        (lambda: class_directions(TWO, [0, 2], 2), r"label 2 does not lie in \[0, 2\)"),
        (lambda: class_directions(TWO, [0, -1], 2), "label -1"),
        (lambda: class_directions(TWO, [0], 1), r"labels have shape \(1,\), expected \(2,\)"),
        (lambda: class_directions(TWO, [0.0, 1.0], 2), "float64, expected integers"),
        (lambda: class_directions(TWO, [0, 1], 2, reading="median"), "'median', known: mean"),
        (lambda: class_directions([[0.1, 0.3], [-0.1, -0.3]], [0, 0], 1), "class 0 cancel out"),
        (lambda: class_directions([[0.0, 0.0]], [0], 1), "class 0 cancel out"),
        (
            lambda: class_directions([*TWO, [0.0, 0.0]], [0, 1, 1], 2, reading="unit mean"),
            "embeddings: row 2 has length 0",
        ),
        (lambda: classify(TWO, TWO, threshold=181), r"threshold is 181 degrees.*\[0, 180\]"),
        (lambda: classify(TWO, TWO, threshold=math.nan), "threshold is nan"),
        (lambda: choose_threshold(TWO, [0, 1], TWO, share=0), "share is 0"),
        (lambda: choose_threshold(TWO, [0, 2], TWO), "label 2"),
        (lambda: classify_by_neighbours(TWO, TWO, [0, 1], 2, k=3), r"k is 3, .* \[1, 2\]"),
        (lambda: classify_by_neighbours(TWO, [[1.0]], [0], 1), "reference of 1"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_zero_embedding_adds_nothing_to_a_mean():
    assert class_directions([[0.0, 0.0], [2.0, 0.0]], [0, 0], 1).tolist() == [[1.0, 0.0]]
