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
        ValueError: nothing to score, or the lengths differ.

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
        ValueError: nothing to score, or the lengths differ.

    Example:
        >>> accuracy_class(["sadness", "sadness", "anger"], ["sadness", "anger", "anger"])
        0.75
    """
    t, p = _checked(truth, predicted)
    return float(np.mean([np.mean(p[t == label] == label) for label in np.unique(t)]))


def confusion(truth: Labels, predicted: Labels, classes: Labels) -> npt.NDArray[np.int64]:
    """Count utterances by true class (row) and predicted class (column).

    Raises:
        ValueError: nothing to score, the lengths differ, or a label is not in ``classes``.

    Example:
        >>> confusion(["sadness", "anger"], ["anger", "anger"], ["anger", "sadness"]).tolist()
        [[1, 0], [1, 0]]
    """
    t, p = _checked(truth, predicted)
    names = np.asarray(classes)
    strangers = sorted(set(np.concatenate((t, p)).tolist()) - set(names.tolist()))
    if strangers:
        raise ValueError(f"labels {strangers} are not among the classes {names.tolist()}")
    rows = t[:, None] == names
    columns = p[:, None] == names
    return cast(npt.NDArray[np.int64], rows.astype(np.int64).T @ columns.astype(np.int64))


def _checked(
    truth: Labels, predicted: Labels
) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]:
    t, p = np.asarray(truth), np.asarray(predicted)
    if t.ndim != 1 or t.shape != p.shape or t.size == 0:
        raise ValueError(
            f"truth {t.shape} and predicted {p.shape} must be two lists of the same length, "
            "not empty"
        )
    return t, p
