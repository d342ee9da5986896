"""Triplets, their counts and their statistics against loops, the library, and a real collapse."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.miners import BatchHardMiner, TripletMarginMiner

from ser_lib import toys
from ser_lib.mining import count_active, describe, pairwise_distances, triplets


def batch(seed: int, size: int = 12, classes: int = 3, dim: int = 4):
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(size, dim, generator=generator, dtype=torch.float64)
    return z, torch.randint(classes, (size,), generator=generator)


def all_by_loop(y):
    indices = range(len(y))
    return {
        (a, p, n)
        for a, p, n in itertools.product(indices, indices, indices)
        if a != p and y[a] == y[p] and y[a] != y[n]
    }


def as_set(found):
    vectors = [v.tolist() for v in found]
    listed = list(zip(*vectors, strict=True))
    assert len(set(listed)) == len(listed)
    return set(listed)


def library_set(kind, z, y, margin):
    miner = TripletMarginMiner(
        margin, type_of_triplets=kind, distance=LpDistance(normalize_embeddings=False)
    )
    return as_set(miner(z, y))


@pytest.mark.parametrize("seed", range(5))
def test_lists_the_sets_of_the_loop_and_of_the_library(seed):
    z, y = batch(seed)
    d = pairwise_distances(z)
    everything = as_set(triplets(d, y, 0.5))
    assert everything == all_by_loop(y.tolist())
    semi = as_set(triplets(d, y, 0.5, "semi-hard"))
    assert semi == {(a, p, n) for a, p, n in everything if d[a, p] < d[a, n] < d[a, p] + 0.5}
    assert 0 < len(semi) < len(everything)
    assert semi == library_set("semihard", z, y, 0.5)
    # What is in the wrong order (hard), nearly right (semi-hard) and right (easy) is everything.
    parts = [library_set(kind, z, y, 0.5) for kind in ("hard", "easy")]
    assert sum(map(len, [semi, *parts])) == len(everything) == len(semi.union(*parts))


@pytest.mark.parametrize("seed", range(5))
def test_hard_triplets_are_the_hardest_and_the_librarys(seed):
    z, y = batch(seed)
    d = pairwise_distances(z)
    hard = as_set(triplets(d, y, 0.5, "hard"))
    everything = all_by_loop(y.tolist())
    assert hard <= everything
    assert {a for a, _, _ in hard} == {a for a, _, _ in everything}
    for a, p, n in hard:
        others = [t for t in everything if t[0] == a]
        assert d[a, p] == max(d[a, q] for _, q, _ in others)
        assert d[a, n] == min(d[a, q] for _, _, q in others)
    assert hard == as_set(BatchHardMiner(distance=LpDistance(normalize_embeddings=False))(z, y))


def test_of_equally_hard_ones_the_first_is_taken():
    # The anchor at 0 has positives at -1 and 1, negatives at -2 and 2.
    line = torch.tensor([[0.0], [-1.0], [1.0], [-2.0], [2.0]])
    found = triplets(pairwise_distances(line), torch.tensor([0, 0, 0, 1, 1]), 0.5, "hard")
    assert [v[0].item() for v in found] == [0, 1, 3]


def test_random_triplets_are_valid_repeatable_and_reach_every_pair():
    z, y = batch(0)
    d, everything = pairwise_distances(z), all_by_loop(y.tolist())
    first, second = (
        triplets(d, y, 0.5, "random", generator=torch.Generator().manual_seed(3)) for _ in "12"
    )
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    generator = torch.Generator().manual_seed(4)
    drawn = set()
    for _ in range(400):
        one = as_set(triplets(d, y, 0.5, "random", generator=generator))
        assert one <= everything
        drawn |= one
    assert {t[:2] for t in drawn} == {t[:2] for t in everything}
    assert {t[::2] for t in drawn} == {t[::2] for t in everything}


def counts_by_loop(d, y, margin, mining):
    weights, active = torch.zeros(d.shape, dtype=torch.long), 0
    for a, p, n in all_by_loop(y.tolist()):
        if d[a, n] < d[a, p] + margin and (mining == "all" or d[a, p] < d[a, n]):
            weights[a, p] += 1
            weights[a, n] -= 1
            active += 1
    return weights, active


@pytest.mark.parametrize("mining", ["all", "semi-hard"])
@settings(max_examples=60)
@given(
    places=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), max_size=9),
    labels=st.lists(st.integers(0, 3), min_size=9, max_size=9),
    margin=st.sampled_from([0.0, 1.0, 2.0, 0.3]),
)
def test_counting_equals_listing_at_ties_too(mining, places, labels, margin):
    # Whole numbers on a grid make equal distances, and negatives exactly at the limit.
    z = torch.tensor(places, dtype=torch.float64).reshape(-1, 2)
    y = torch.tensor(labels[: len(z)], dtype=torch.long)
    d = (z[:, None] - z).abs().sum(2)
    counts = count_active(d, y, margin, mining)
    weights, active = counts_by_loop(d, y, margin, mining)
    assert torch.equal(counts.weights, weights)
    assert counts.active == active
    assert counts.valid == len(all_by_loop(y.tolist()))


def test_a_tie_at_the_limit_is_not_active():
    # Positive at 1, margin 2, negative at 3: the hinge is exactly zero.
    d = torch.tensor([[0.0, 1.0, 3.0], [1.0, 0.0, 9.0], [3.0, 9.0, 0.0]]).double()
    y = torch.tensor([0, 0, 1])
    assert count_active(d, y, 2.0).active == 0
    assert count_active(d, y, 2.0000001).active == 1


@pytest.mark.parametrize("rows", [24, 26, 64])
def test_distances_survive_an_offset(rows):
    generator = torch.Generator().manual_seed(0)
    near = torch.randn(rows, 8, generator=generator) * 0.01
    far = near + 100
    expected = (far[:, None].double() - far.double()).norm(dim=2)
    torch.testing.assert_close(pairwise_distances(far), expected, rtol=1e-9, atol=1e-9)


def test_distances_by_hand():
    z = torch.tensor([[3.0, 4.0], [0.0, 0.0], [4.0, -3.0], [-6.0, -8.0]])
    torch.testing.assert_close(
        pairwise_distances(z, "euclidean")[0], torch.tensor([0, 5, 50**0.5, 15]).double()
    )
    torch.testing.assert_close(
        pairwise_distances(z, "squared_euclidean")[0], torch.tensor([0, 25, 50, 225]).double()
    )
    # The origin has no direction.
    torch.testing.assert_close(
        pairwise_distances(z, "cosine")[0], torch.tensor([0, 1, 1, 2]).double()
    )


@pytest.mark.parametrize("distance", ["euclidean", "squared_euclidean", "cosine"])
@pytest.mark.parametrize("rows", [4, 40])
def test_gradients_are_finite_where_embeddings_coincide(distance, rows):
    z = torch.ones(rows, 3)
    z[0], z[1] = 0, 2
    z.requires_grad_()
    pairwise_distances(z, distance).sum().backward()
    assert torch.isfinite(z.grad).all()
    same = torch.ones(rows, 3, requires_grad=True)
    pairwise_distances(same).sum().backward()
    assert same.grad.count_nonzero() == 0


def test_statistics_by_hand():
    # On a line: class 0 at 0 and 1, class 1 at 3. Triplets (0, 1, 2) and (1, 0, 2).
    z, y = torch.tensor([[0.0], [1.0], [3.0]]), torch.tensor([0, 0, 1])
    found = describe(z, y, 2.0)
    assert found.loss == pytest.approx((0 + 1) / 2)
    assert found.active == 0.5
    assert found.positive == 1
    assert found.negative == pytest.approx(2.5)
    assert found.norm == pytest.approx(4 / 3)
    assert found.spread == pytest.approx((1 + 3 + 2) / 3)
    assert not found.collapsed
    nothing = describe(z[:1], y[:1], 2.0)
    assert (nothing.loss, nothing.active, nothing.positive, nothing.spread) == (0, 0, 0, 0)
    assert not nothing.collapsed


def test_two_points_of_unequal_weight_are_no_collapse():
    # Two of class 0 a margin and more away from 60 of class 1: small mean distance, no loss.
    z, y = torch.zeros(62, 2), torch.tensor([0] * 2 + [1] * 60)
    z[:2, 0] = 1.2
    found = describe(z, y, 1.0)
    assert found.spread < 0.1
    assert found.loss == 0
    assert not found.collapsed
    assert describe(0.01 * z, y, 1.0).collapsed


@pytest.mark.parametrize("seed", range(3))
def test_hard_mining_collapses_on_noisy_labels_and_all_triplets_do_not(seed):
    data = toys.clouds(50, seed)
    _, (before, *_, after) = toys.train(data, "hard", steps=150, seed=seed)
    assert not before.collapsed
    assert after.collapsed
    assert after.loss == pytest.approx(0.5, abs=0.02)
    assert after.active > 0.99
    assert after.spread < before.spread / 5
    *_, healthy = toys.train(data, "all", steps=150, seed=seed)[1]
    assert not healthy.collapsed
    assert healthy.loss < 0.4
    assert healthy.active < 0.9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(2, 2), torch.zeros(2), 0.1, "semihard"), "'semi-hard', 'random'"),
        ((torch.zeros(2, 2), torch.zeros(2), -0.1, "all"), "margin is -0.1"),
        ((torch.zeros(2, 2), torch.zeros(2), float("nan"), "all"), "margin is nan"),
        ((torch.zeros(2, 2), torch.zeros(3), 0.1, "all"), r"labels have shape \(3,\)"),
        ((torch.zeros(2, 3), torch.zeros(2), 0.1, "all"), r"distances \(2, 3\)"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        triplets(*arguments)
    with pytest.raises(ValueError, match=message):
        count_active(*arguments)


def test_refuses_what_cannot_be_drawn_counted_or_measured():
    d, y = torch.zeros(2, 2), torch.zeros(2)
    with pytest.raises(ValueError, match="needs a generator"):
        triplets(d, y, 0.1, "random")
    with pytest.raises(ValueError, match="'hard' is listed"):
        count_active(d, y, 0.1, "hard")
    with pytest.raises(ValueError, match="'euclidean', 'squared_euclidean', 'cosine'"):
        pairwise_distances(d, "manhattan")
    with pytest.raises(ValueError, match=r"embeddings have shape \(2,\)"):
        pairwise_distances(y)
