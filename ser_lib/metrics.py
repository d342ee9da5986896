"""Accuracies as both papers report them."""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt

Labels = npt.ArrayLike


def accuracy_overall(truth: Labels, predicted: Labels) -> float:
    r"""Share of utterances that are right, the papers' "overall accuracy" (WA in tables).

    .. math:: \frac{1}{N} \sum_i [\hat y_i = y_i] \in [0, 1]

    Raises:
        ValueError: nothing to score, the lengths differ, or these are no labels of one kind.

    Example:
        >>> accuracy_overall(["sadness", "sadness", "anger"], ["sadness", "anger", "anger"])
        0.6666666666666666
    """
    t, p = _checked(truth, predicted)
    return float(np.mean(t == p))


def accuracy_class(truth: Labels, predicted: Labels) -> float:
    r"""Mean of the classes' recalls, the papers' "class accuracy" (UA in tables).

    .. math:: \frac{1}{K} \sum_k \frac{\sum_i [y_i = k][\hat y_i = k]}{\sum_i [y_i = k]} \in [0, 1]

    The :math:`K` classes are those that occur in ``truth``: a class that a speaker never used does
    not count, a class that was predicted but never true only costs recall elsewhere.

    Raises:
        ValueError: nothing to score, the lengths differ, or these are no labels of one kind.

    Example:
        >>> accuracy_class(["sadness", "sadness", "anger"], ["sadness", "anger", "anger"])
        0.75
    """
    t, p = _checked(truth, predicted)
    return float(np.mean([np.mean(p[t == label] == label) for label in np.unique(t)]))


def confusion(truth: Labels, predicted: Labels, classes: Labels) -> npt.NDArray[np.int64]:
    """Count utterances by true class (row) and predicted class (column).

    Raises:
        ValueError: as for the accuracies, a label is not in ``classes``, or a class stands twice.

    Example:
        >>> confusion(["sadness", "anger"], ["anger", "anger"], ["anger", "sadness"]).tolist()
        [[1, 0], [1, 0]]
    """
    t, p = _checked(truth, predicted)
    names = np.asarray(classes)
    if len(np.unique(names)) < len(names):
        raise ValueError(f"a class stands twice in {names.tolist()}")
    strangers = sorted(set(np.concatenate((t, p)).tolist()) - set(names.tolist()))
    if strangers:
        raise ValueError(f"labels {strangers} are not among the classes {names.tolist()}")
    rows = t[:, None] == names
    columns = p[:, None] == names
    return cast(npt.NDArray[np.int64], rows.astype(np.int64).T @ columns.astype(np.int64))


def compactness(embeddings: npt.ArrayLike, labels: Labels) -> float:
    r"""Spread within the classes over the distance between them: small is compact and apart.

    .. math:: \frac{\sqrt{\frac{1}{N} \sum_i \lVert z_i - \mu_{y_i} \rVert^2}}
       {\frac{2}{K (K - 1)} \sum_{j < k} \lVert \mu_j - \mu_k \rVert}

    with :math:`\mu_k` the mean embedding of class :math:`k`; in :math:`[0, \infty]`, and it does
    not change when all embeddings are scaled, moved or turned.

    Args:
        embeddings: shape ``(n, dim)``.
        labels: shape ``(n,)``.

    Raises:
        ValueError: the shapes do not fit, there are fewer than two classes, or a number is not
            finite.

    Example:
        >>> compactness([[0, 1], [0, -1], [4, 1], [4, -1]], ["fear", "fear", "anger", "anger"])
        0.25
    """
    z, y = np.asarray(embeddings, dtype=np.float64), np.asarray(labels)
    classes, index = np.unique(y, return_inverse=True)
    if z.ndim != 2 or y.shape != z.shape[:1] or len(classes) < 2:
        raise ValueError(
            f"embeddings {z.shape} and labels {y.shape} of {len(classes)} classes: expected "
            "(n, dim), (n,) and two classes or more"
        )
    if not np.isfinite(z).all():
        raise ValueError(f"embeddings {z.shape}: {z[~np.isfinite(z)][0]} is not finite")
    means = np.stack([z[index == k].mean(0) for k in range(len(classes))])
    within = np.sqrt(np.mean(np.sum((z - means[index]) ** 2, axis=1)))
    apart = np.linalg.norm(means[:, None] - means, axis=2)
    between = apart[np.triu_indices(len(classes), 1)].mean()
    return float(within / between) if between > 0 else float("inf")


def _checked(
    truth: Labels, predicted: Labels
) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]:
    t, p = np.asarray(truth), np.asarray(predicted)
    if t.ndim != 1 or t.shape != p.shape or t.size == 0:
        raise ValueError(
            f"truth {t.shape} and predicted {p.shape} must be two lists of the same length, "
            "not empty"
        )
    for name, labels in (("truth", t), ("predicted", p)):
        if labels.dtype.kind == "f" and (labels != np.floor(labels)).any():
            raise ValueError(
                f"{name} holds {labels[labels != np.floor(labels)][0]}, which is no label"
            )
    if (t.dtype.kind in "biuf") != (p.dtype.kind in "biuf"):
        raise ValueError(f"truth is of {t.dtype} and predicted of {p.dtype}: never the same label")
    return t, p
