"""Two conditions side by side: asked for together, compared fold by fold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from ser_lib.evidence.conditions import Missing, by_unit, missing_total
from ser_lib.statistics import Metric, Test, corrected_t_test


def both(ask: Callable[[Any], Any], sides: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Ask for both conditions, so that what is missing is counted for both.

    Raises:
        Missing: runs of one or both are not there.
    """
    found, missing = [], []
    for side in sides:
        try:
            found.append(ask(side))
        except Missing as error:
            missing.append(error)
    if missing:
        raise missing_total(missing)
    return found


def by_fold(
    first: pd.DataFrame, second: pd.DataFrame, metric: Metric = "accuracy_class"
) -> pd.Series[float]:
    """Difference of two conditions' accuracies in each fold, averaged over seeds.

    Another seed tests the same recordings and is no new resampling.
    """
    one, other = (
        by_unit(answers, "fold", "seed", metric=metric).groupby("fold").mean()
        for answers in (first, second)
    )
    return one - other


def fold_test(values: pd.DataFrame) -> Test:
    """t-test of the means of folds, corrected for the training data that they share.

    The K folds are those of a cross-validation, which tests each recording once: then a test is
    1 / (K - 1) of the size of its training.

    Args:
        values: (units, seeds), the units as in :meth:`ser_lib.evidence.Evidence.by_part`.
    """
    folds = values.mean(axis=1)
    if isinstance(folds.index, pd.MultiIndex):
        folds = folds.groupby(level=0).mean()
    return corrected_t_test(folds.to_numpy(), ratio=1 / (len(folds) - 1))
