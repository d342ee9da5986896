"""Two conditions side by side: asked for together, compared fold by fold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ser_lib.evidence.conditions import Missing, over_seeds
from ser_lib.statistics import Metric, Test, corrected_t_test


def together(ask: Callable[[Any], Any], sides: Sequence[Any]) -> list[Any]:
    """Ask for all conditions, or all studies, so that what is missing is counted for each.

    Raises:
        Missing: runs of one or more are not there.
    """
    found, missing = [], []
    for side in sides:
        try:
            found.append(ask(side))
        except Missing as error:
            missing.append(error)
    if missing:
        raise Missing.joined(missing)
    return found


def by_fold(
    first: pd.DataFrame, second: pd.DataFrame, metric: Metric = "accuracy_class"
) -> pd.Series[float]:
    """Difference of two conditions' accuracies in each fold, averaged over seeds."""
    return over_seeds(first, "fold", metric) - over_seeds(second, "fold", metric)


def log_ratios(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Logarithms of ``first / second``, two positive measures of the same units and seeds.

    Raises:
        ValueError: the two are not of the same units and seeds.
    """
    if not (first.index.equals(second.index) and first.columns.equals(second.columns)):
        raise ValueError(
            f"the two are not of the same units and seeds: {list(first.index)} by "
            f"{list(first.columns)} and {list(second.index)} by {list(second.columns)}"
        )
    return first.apply(np.log) - second.apply(np.log)


def size_ratio(folds: int) -> float:
    """Size of a test over that of its training, in K folds that test each recording once."""
    return 1 / (folds - 1)


def fold_test(values: pd.DataFrame) -> Test:
    """t-test of the means of folds, corrected for the training data that they share.

    The folds are those of a cross-validation, which tests each recording once.

    Args:
        values: (units, seeds), the units as in :meth:`ser_lib.evidence.Evidence.by_part`.
    """
    folds = values.mean(axis=1)
    if isinstance(folds.index, pd.MultiIndex):
        folds = folds.groupby(level=0).mean()
    return corrected_t_test(folds.to_numpy(), ratio=size_ratio(len(folds)))
