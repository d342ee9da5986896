"""Accuracies against scikit-learn and audmetric, and the four conventions of UA."""

import audmetric
import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from ser_lib.metrics import accuracy_class, accuracy_overall, compactness, confusion

pairs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60)


@given(pairs)
def test_equals_other_libraries(labels):
    truth, predicted = np.array(labels).T
    assert accuracy_overall(truth, predicted) == pytest.approx(
        sklearn.metrics.accuracy_score(truth, predicted)
    )
    assert accuracy_overall(truth, predicted) == pytest.approx(audmetric.accuracy(truth, predicted))
    present = np.unique(truth)
    assert accuracy_class(truth, predicted) == pytest.approx(
        sklearn.metrics.recall_score(truth, predicted, labels=present, average="macro")
    )
    assert np.array_equal(
        confusion(truth, predicted, range(5)),
        sklearn.metrics.confusion_matrix(truth, predicted, labels=range(5)),
    )


def test_four_conventions_of_class_accuracy():
    """One prediction, four numbers in the literature; ours counts the classes in the truth."""
    truth, predicted = [0, 0, 1, 1], [0, 2, 1, 1]
    assert accuracy_class(truth, predicted) == 0.75
    assert sklearn.metrics.recall_score(truth, predicted, labels=[0, 1], average="macro") == 0.75
    assert audmetric.unweighted_average_recall(truth, predicted) == 0.5
    assert sklearn.metrics.recall_score(
        truth, predicted, labels=range(4), average="macro", zero_division=0
    ) == pytest.approx(0.375)


@given(pairs, st.integers(0, 4))
def test_class_accuracy_ignores_how_often_a_class_occurs(labels, doubled):
    more = labels + [pair for pair in labels if pair[0] == doubled]
    assert accuracy_class(*np.array(labels).T) == pytest.approx(accuracy_class(*np.array(more).T))


def test_constant_prediction():
    truth = ["anger", "anger", "anger", "fear", "sadness"]
    assert accuracy_class(truth, ["anger"] * 5) == pytest.approx(1 / 3)
    assert accuracy_overall(truth, ["anger"] * 5) == pytest.approx(3 / 5)


@pytest.mark.parametrize("metric", [accuracy_overall, accuracy_class])
@pytest.mark.parametrize(("truth", "predicted"), [([], []), ([0], [0, 1]), ([[0]], [[0]])])
def test_refuses_nothing_to_score(metric, truth, predicted):
    with pytest.raises(ValueError, match="same length"):
        metric(truth, predicted)


def test_confusion_refuses_a_stranger():
    with pytest.raises(ValueError, match="fear"):
        confusion(["fear"], ["anger"], ["anger"])


def naive_compactness(z, y):
    labels = sorted(set(y))
    means = {
        k: [np.mean([a[d] for a, b in zip(z, y, strict=True) if b == k]) for d in (0, 1)]
        for k in labels
    }
    squares = [
        (a[0] - means[b][0]) ** 2 + (a[1] - means[b][1]) ** 2 for a, b in zip(z, y, strict=True)
    ]
    apart = [
        np.hypot(means[j][0] - means[k][0], means[j][1] - means[k][1])
        for j in labels
        for k in labels
        if j < k
    ]
    return np.sqrt(np.mean(squares)) / np.mean(apart)


@given(st.integers(0, 9999))
def test_compactness(seed):
    rng = np.random.default_rng(seed)
    y = np.concatenate((np.arange(3), rng.integers(3, size=9)))
    z = rng.normal(size=(12, 2))
    value = compactness(z, y)
    assert value == pytest.approx(naive_compactness(z.tolist(), y.tolist()))
    angle = rng.uniform(0, 6)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    assert compactness(7 * z @ turn + 3, y) == pytest.approx(value)


def test_compactness_refuses():
    with pytest.raises(ValueError, match="of 1 classes"):
        compactness([[0.0], [1.0]], [0, 0])
    with pytest.raises(ValueError, match=r"\(2,\)"):
        compactness([0.0, 1.0], [0, 1])
    with pytest.raises(ValueError, match=r"\(2, 1\): nan is not finite"):
        compactness([[0.0], [float("nan")]], [0, 1])


@pytest.mark.parametrize(
    ("truth", "predicted", "message"),
    [
        (["0", "1"], [0, 1], "never the same label"),
        ([0, 1], [0.2, 0.9], "predicted holds 0.2, which is no label"),
        ([0.0, float("nan")], [0, 1], "truth holds nan, which is no label"),
    ],
)
def test_labels_are_of_one_kind(truth, predicted, message):
    for score in (accuracy_class, accuracy_overall):
        with pytest.raises(ValueError, match=message):
            score(truth, predicted)


def test_confusion_has_each_class_once():
    with pytest.raises(ValueError, match=r"twice in \['a', 'a', 'b'\]"):
        confusion(["a"], ["b"], ["a", "a", "b"])
