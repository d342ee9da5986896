"""Center and reconstruction loss against naive loops, worked examples and autograd."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ser_lib.losses import CenterLoss, reconstruction_loss


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
    ],
)
def test_refuses_bad_batches(z, y, message):
    loss = CenterLoss(2, 2)
    with pytest.raises(ValueError, match=message):
        loss(z, y)
    with pytest.raises(ValueError, match=message):
        loss.update_centers(z, y)


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
