"""The losses against naive loops, pytorch-metric-learning, worked examples and autograd."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pytorch_metric_learning.distances import CosineSimilarity, LpDistance
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.miners import BatchHardMiner, TripletMarginMiner
from pytorch_metric_learning.reducers import MeanReducer

from ser_lib.losses import CenterLoss, reconstruction_loss, triplet_loss
from ser_lib.mining import pairwise_distances


def batch(seed: int, size: int = 7, classes: int = 3, dim: int = 4):
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(size, dim, generator=generator, dtype=torch.float64)
    y = torch.randint(classes, (size,), generator=generator)
    loss = CenterLoss(classes, dim).double()
    loss.centers.copy_(torch.randn(classes, dim, generator=generator, dtype=torch.float64))
    return loss, z, y


def naive_loss(loss, z, y):
    total = 0.0
    for i in range(len(z)):
        for d in range(z.shape[1]):
            difference = float(z[i, d] - loss.centers[y[i], d])
            total += abs(difference) if loss.norm == "l1" else difference**2 / 2
    return total / len(z)


def naive_update(loss, z, y):
    centers = loss.centers.clone()
    for j in range(len(centers)):
        members = [i for i in range(len(y)) if int(y[i]) == j]
        delta = torch.zeros_like(centers[j])
        for i in members:
            step = centers[j] - z[i]
            delta += step.sign() if loss.norm == "l1" else step
        centers[j] -= loss.alpha * delta / (1 + len(members))
    return centers


@pytest.mark.parametrize("norm", ["l1", "l2"])
@given(seed=st.integers(0, 10_000), size=st.integers(1, 9))
def test_equals_naive_loops(norm, seed, size):
    loss, z, y = batch(seed, size)
    loss.norm = norm
    assert loss(z, y).item() == pytest.approx(naive_loss(loss, z, y), rel=1e-12)
    expected = naive_update(loss, z, y)
    loss.update_centers(z, y)
    torch.testing.assert_close(loss.centers, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_gradcheck(norm):
    loss, z, y = batch(1)
    loss.norm = norm
    assert torch.autograd.gradcheck(lambda z: loss(z, y), z.requires_grad_())


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_update_is_the_gradient_times_batch_over_one_plus_count(norm):
    loss, z, y = batch(2)
    loss.norm = norm
    before = loss.centers.clone()
    centers = before.clone().requires_grad_()
    difference = z - centers[y]
    value = difference.abs().sum() if norm == "l1" else difference.square().sum() / 2
    (gradient,) = torch.autograd.grad(value / len(y), centers)
    count = torch.bincount(y, minlength=3)[:, None]
    loss.update_centers(z, y)
    delta = (before - loss.centers) / loss.alpha
    torch.testing.assert_close(delta, gradient * len(y) / (1 + count), rtol=1e-12, atol=1e-12)


def test_worked_example():
    # Two samples of class 0 at (2, 0) and (4, 0), centers at the origin:
    # loss = (4 + 16) / 2 / 2 = 5; delta = (-2 - 4) / (1 + 2) = -2; center moves by 0.5 * 2 = 1.
    loss = CenterLoss(2, 2, alpha=0.5)
    z, y = torch.tensor([[2.0, 0.0], [4.0, 0.0]]), torch.tensor([0, 0])
    assert loss(z, y).item() == 5
    loss.update_centers(z, y)
    assert loss.centers.tolist() == [[1.0, 0.0], [0.0, 0.0]]


def test_properties_of_the_centers():
    loss, z, y = batch(4, classes=5)
    y = y.clamp(max=2)
    before = loss.centers.clone()
    loss.update_centers(z, y)
    absent = [j for j in range(5) if j not in y]
    assert absent
    assert torch.equal(loss.centers[absent], before[absent])
    for _ in range(500):
        loss.update_centers(z, y)
    for j in y.unique():
        torch.testing.assert_close(loss.centers[j], z[y == j].mean(0))
    still = CenterLoss(5, 4, alpha=0).double()
    still.update_centers(z, y)
    assert torch.count_nonzero(still.centers) == 0


def test_centers_belong_to_no_optimiser():
    loss, z, y = batch(5)
    assert list(loss.parameters()) == []
    assert list(loss.state_dict()) == ["centers"]
    loss(z.requires_grad_(), y).backward()
    assert loss.centers.grad is None


def test_zero_at_the_centers_and_for_an_empty_batch():
    loss, _, y = batch(6)
    assert loss(loss.centers[y], y).item() == 0
    empty = torch.zeros(0, 4, dtype=torch.float64, requires_grad=True)
    value = loss(empty, y[:0])
    value.backward()
    assert value.item() == 0
    assert empty.grad is not None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 2), "num_classes 0"),
        ((2, 2, 1.5), "alpha is 1.5"),
        ((2, 2, 0.5, "l3"), "'l3'"),
    ],
)
def test_refuses_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        CenterLoss(*arguments)


@pytest.mark.parametrize(
    ("z", "y", "message"),
    [
        (torch.zeros(2, 3), torch.tensor([0, 1]), r"expected \(batch, 2\)"),
        (torch.zeros(2, 2), torch.tensor([0]), r"expected \(2,\)"),
        (torch.zeros(2, 2), torch.tensor([0, 2]), "allowed are 0 to 1"),
        (torch.zeros(2, 2), torch.tensor([-1, 0]), "-1 to 0"),
        (torch.zeros(2, 2), torch.tensor([True, False]), "labels are torch.bool"),
        (torch.zeros(2, 2), torch.tensor([0.0, 1.0]), "labels are torch.float32"),
    ],
)
def test_refuses_bad_batches(z, y, message):
    loss = CenterLoss(2, 2)
    with pytest.raises(ValueError, match=message):
        loss(z, y)
    with pytest.raises(ValueError, match=message):
        loss.update_centers(z, y)


@pytest.mark.parametrize("kind", [torch.uint8, torch.int8, torch.int16, torch.int32])
def test_labels_of_any_integers_are_indices(kind):
    """An index of bytes would be a mask."""
    loss, other = CenterLoss(3, 4), CenterLoss(3, 4)
    _, z, y = batch(0)
    for center_loss, labels in ((loss, y), (other, y.to(kind))):
        center_loss.centers[:] = torch.arange(3.0)[:, None]
        center_loss.update_centers(z, labels)
    assert torch.equal(loss.centers, other.centers)
    assert loss(z, y) == other(z, y.to(kind))


def test_reconstruction_is_the_mean_over_every_value():
    x = torch.arange(24.0, dtype=torch.float64).reshape(2, 3, 4)
    y = x + torch.tensor([1.0, 3.0], dtype=torch.float64)[:, None, None]
    total = sum(
        float((y[i, j, k] - x[i, j, k]) ** 2) for i in range(2) for j in range(3) for k in range(4)
    )
    assert reconstruction_loss(y, x).item() == pytest.approx(total / 24)
    assert torch.autograd.gradcheck(lambda y: reconstruction_loss(y, x), y.requires_grad_())
    with pytest.raises(ValueError, match=r"\(2, 3\)"):
        reconstruction_loss(torch.zeros(2, 3), torch.zeros(2, 4))


DISTANCES = ["euclidean", "squared_euclidean", "cosine"]
MININGS = ["all", "hard", "semi-hard", "random"]
LIBRARY = {
    "euclidean": lambda: LpDistance(normalize_embeddings=False),
    "squared_euclidean": lambda: LpDistance(normalize_embeddings=False, power=2),
    "cosine": CosineSimilarity,
}


def embeddings(seed: int, size: int, classes: int = 3, dim: int = 5):
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(size, dim, generator=generator, dtype=torch.float64, requires_grad=True)
    return z, torch.randint(classes, (size,), generator=generator)


def distance_by_hand(kind, u, v):
    if kind == "cosine":
        return 1 - torch.dot(u, v) / (torch.dot(u, u) * torch.dot(v, v)) ** 0.5
    square = torch.dot(u - v, u - v)
    return square if kind == "squared_euclidean" else square**0.5


def naive_triplet_loss(z, y, margin, mining, kind):
    """Three nested loops; hard mining by comparing everything with everything."""
    total, count = z.sum() * 0, 0
    for a in range(len(z)):
        near = [
            distance_by_hand(kind, z[a], z[p]) for p in range(len(z)) if p != a and y[p] == y[a]
        ]
        far = [distance_by_hand(kind, z[a], z[n]) for n in range(len(z)) if y[n] != y[a]]
        pairs = [(p, n) for p in near for n in far]
        if mining == "hard":
            pairs = [max(pairs, key=lambda pair: (pair[0] - pair[1]).item())] if pairs else []
        for p, n in pairs:
            if mining == "semi-hard" and not p < n < p + margin:
                continue
            count += 1
            if p - n + margin > 0:
                total = total + (p - n + margin)
    return total / max(count, 1)


def assert_same(z, ours, oracle):
    (gradient,) = torch.autograd.grad(ours, z)
    (expected,) = torch.autograd.grad(oracle, z)
    torch.testing.assert_close(ours, oracle, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(gradient, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("mining", ["all", "hard", "semi-hard"])
@given(seed=st.integers(0, 10_000), size=st.integers(0, 9), margin=st.sampled_from([0, 0.1, 1, 5]))
def test_triplet_loss_equals_three_loops(mining, distance, seed, size, margin):
    z, y = embeddings(seed, size)
    ours = triplet_loss(z, y, margin, mining, distance)
    assert_same(z, ours, naive_triplet_loss(z, y, margin, mining, distance))


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("mining", ["all", "hard", "semi-hard"])
@pytest.mark.parametrize("size", [12, 30, 90])
@pytest.mark.parametrize("margin", [0.05, 0.5, 2.0])
def test_triplet_loss_equals_the_librarys(mining, distance, size, margin):
    z, y = embeddings(size, size)
    metric = LIBRARY[distance]()
    library = TripletMarginLoss(margin, distance=metric, reducer=MeanReducer())
    indices = None
    if mining == "hard":
        indices = BatchHardMiner(distance=metric)(z, y)
    elif mining == "semi-hard":
        indices = TripletMarginMiner(margin, type_of_triplets="semihard", distance=metric)(z, y)
        assert len(indices[0])
    assert_same(z, triplet_loss(z, y, margin, mining, distance), library(z, y, indices))


def test_triplet_loss_equals_the_librarys_where_embeddings_coincide():
    # Whole numbers: distances of zero, and hinges of exactly zero, where relu has no gradient.
    for size in (10, 40):
        generator = torch.Generator().manual_seed(size)
        z = torch.randint(3, (size, 1), generator=generator).double().requires_grad_()
        y = torch.arange(size) % 3
        library = TripletMarginLoss(
            1.0, distance=LpDistance(normalize_embeddings=False), reducer=MeanReducer()
        )
        if size <= 25:  # beyond, the library's distances are not exact, and ties fall either way
            assert_same(z, triplet_loss(z, y, 1.0), library(z, y))
        loss = triplet_loss(z, y, 1.0)
        loss.backward()
        assert torch.isfinite(z.grad).all()


def test_triplet_loss_by_hand():
    # d(a, p) = 5, d(a, n) = 6, d(p, n) = sqrt(9 + 4): hinges 1 and 7 - sqrt(13) with margin 2.
    z = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 6.0]], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([0, 0, 1])
    loss = triplet_loss(z, y, 2.0)
    assert loss.item() == pytest.approx((1 + 7 - 13**0.5) / 2, rel=1e-14)
    (gradient,) = torch.autograd.grad(loss, z)
    # The negative is pushed from both: minus half the unit vectors from (0, 0) and from (3, 4).
    away = -(torch.tensor([0.0, 1.0]) + torch.tensor([-3.0, 2.0]) / 13**0.5) / 2
    torch.testing.assert_close(gradient[2], away.double())


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("mining", MININGS)
def test_triplet_loss_gradcheck(mining, distance):
    z, y = embeddings(3, 8)

    def loss(z):
        draw = torch.Generator().manual_seed(0)
        return triplet_loss(z, y, 0.5, mining, distance, generator=draw)

    assert loss(z) > 0
    assert torch.autograd.gradcheck(loss, z)


@given(seed=st.integers(0, 10_000), size=st.integers(2, 40), margin=st.floats(0.01, 2))
def test_squared_euclidean_is_twice_cosine_on_unit_vectors(seed, size, margin):
    z, y = embeddings(seed, size)
    unit = torch.nn.functional.normalize(z, dim=1)
    squared = pairwise_distances(unit, "squared_euclidean")
    torch.testing.assert_close(squared, 2 * pairwise_distances(unit, "cosine"))
    twice = triplet_loss(unit, y, 2 * margin, "all", "squared_euclidean")
    assert_same(z, twice, 2 * triplet_loss(z, y, margin, "all", "cosine"))


@pytest.mark.parametrize("mining", ["all", "hard", "semi-hard"])
@given(seed=st.integers(0, 10_000), size=st.integers(1, 30))
def test_triplet_loss_does_not_mind_order_shift_or_turn(mining, seed, size):
    z, y = embeddings(seed, size)
    loss = triplet_loss(z, y, 0.5, mining)
    assert loss >= 0
    order = torch.randperm(size, generator=torch.Generator().manual_seed(seed))
    turn, _ = torch.linalg.qr(
        torch.randn(5, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    )
    for same in (
        triplet_loss(z[order], y[order], 0.5, mining),
        triplet_loss(z + 7, y, 0.5, mining),
        triplet_loss(z @ turn, y, 0.5, mining),
        triplet_loss(z, 5 - y, 0.5, mining),
    ):
        torch.testing.assert_close(same, loss, rtol=1e-9, atol=1e-9)


@given(seed=st.integers(0, 10_000), size=st.integers(4, 30))
def test_hard_is_no_less_than_all_where_classes_are_balanced(seed, size):
    z, _ = embeddings(seed, 2 * size)
    y = torch.arange(2 * size) % 2
    assert triplet_loss(z, y, 0.5, "hard") >= triplet_loss(z, y, 0.5) - 1e-12


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("mining", ["all", "hard", "random"])
def test_collapsed_embeddings_pay_the_margin(mining, distance):
    z, y = torch.ones(40, 3), torch.arange(40) % 4
    loss = triplet_loss(z, y, 0.2, mining, distance, generator=torch.Generator())
    assert loss.item() == pytest.approx(0.2, abs=1e-7)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("mining", MININGS)
@pytest.mark.parametrize("labels", [[], [0], [0, 0, 0], [0, 1, 2]])
def test_a_batch_without_triplets_gives_zero_with_gradient(mining, distance, labels):
    z = torch.randn(len(labels), 4, requires_grad=True)
    y = torch.tensor(labels, dtype=torch.long)
    loss = triplet_loss(z, y, 0.2, mining, distance, generator=torch.Generator())
    loss.backward()
    assert str(loss.item()) == "0.0"  # and not minus zero
    assert loss.dtype == z.dtype
    assert z.grad.shape == z.shape
    assert z.grad.count_nonzero() == 0


def test_no_triplet_is_zero_in_half_precision_too():
    z = torch.full(
        (64, 200), 3.0, dtype=torch.float16
    )  # whose squares add up to more than it holds
    assert triplet_loss(z, torch.zeros(64), 0.2).item() == 0


def test_separated_classes_pay_nothing():
    z = torch.tensor([[0.0], [0.1], [5.0], [5.1]], requires_grad=True)
    loss = triplet_loss(z, torch.tensor([0, 0, 1, 1]), 1.0)
    loss.backward()
    assert loss.item() == 0
    assert z.grad.count_nonzero() == 0


def test_float32_keeps_small_differences_far_from_the_origin():
    z, y = embeddings(0, 60)
    near = (0.001 * z.detach()).float()
    far = near + 64
    exact = naive_triplet_loss(far.double(), y, 0.001, "all", "euclidean")
    assert triplet_loss(far, y, 0.001).item() == pytest.approx(exact.item(), rel=1e-5)


def test_random_draws_from_its_generator_only():
    z, y = embeddings(1, 20)
    before = torch.get_rng_state()
    first, again, other = (
        triplet_loss(z, y, 2.0, "random", generator=torch.Generator().manual_seed(seed)).item()
        for seed in (1, 1, 2)
    )
    assert first == again != other
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mining": "semihard"}, "'all', 'hard', 'semi-hard', 'random'"),
        ({"distance": "cos"}, "'euclidean', 'squared_euclidean', 'cosine'"),
        ({"mining": "random"}, "needs a generator"),
        ({"margin": -1}, "margin is -1"),
        ({"labels": torch.zeros(3)}, r"labels have shape \(3,\)"),
        ({"embeddings": torch.zeros(2)}, r"embeddings have shape \(2,\)"),
        ({"embeddings": torch.zeros(2, 2, dtype=torch.int64)}, "embeddings are torch.int64"),
    ],
)
def test_triplet_loss_refuses(options, message):
    arguments = {"embeddings": torch.zeros(2, 2), "labels": torch.zeros(2), "margin": 0.2}
    with pytest.raises(ValueError, match=message):
        triplet_loss(**(arguments | options))
