"""What a table of results says: one condition's accuracies, and what two differ by.

Everything is computed from the answers of :class:`ser_lib.evidence.Evidence`, so that a condition
whose runs are not all there gives :class:`ser_lib.evidence.Missing` and no number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ser_lib.evidence.conditions import (
    BY_VALIDATION,
    Condition,
    Evidence,
    Missing,
    by_unit,
    over_seeds,
)
from ser_lib.evidence.pairs import by_fold, fold_test, log_ratios, size_ratio
from ser_lib.statistics import (
    Interval,
    Test,
    bootstrap_pooled,
    cohens_d,
    equivalence_test,
    probability_of_superiority,
)
from ser_lib.study import expanded


@dataclass(frozen=True)
class Summary:
    """Accuracies of one condition, pooled over all speakers, in [0, 1]."""

    overall: Interval
    by_class: Interval
    spread: float
    """Standard deviation of the pooled class accuracy over seeds; not a number for one seed."""


@dataclass(frozen=True)
class Contrast:
    """What two conditions differ by in class accuracy (first minus second), in several ways."""

    difference: Interval
    """Of the pooled class accuracy: bootstrap over speakers and seeds, the plan's rule."""
    overall: Interval
    """The same of the overall accuracy."""
    corrected: Test
    """t-test of the folds' differences, each the mean over seeds, by Nadeau and Bengio."""
    equivalence: Test
    """Two one-sided tests of the same differences against the smallest effect."""
    cohens_d: float
    """Of the speakers' differences, each the mean over seeds."""
    superiority: float
    """Probability that a speaker is above another speaker of the second condition."""


def summarise(answers: pd.DataFrame) -> Summary:
    """Score a condition.

    Args:
        answers: of :meth:`ser_lib.evidence.Evidence.answers`.

    Raises:
        ValueError: as for :func:`ser_lib.statistics.intervals.bootstrap_pooled`.
    """
    return Summary(
        overall=bootstrap_pooled(answers, metric="accuracy_overall"),
        by_class=bootstrap_pooled(answers),
        spread=float(by_unit(answers, "seed").std()),
    )


def contrast(first: pd.DataFrame, second: pd.DataFrame, *, smallest: float) -> Contrast:
    r"""Compare two conditions by every method of the book.

    The t-tests take the class accuracy of each fold, averaged over seeds: another seed tests the
    same recordings and is no new resampling. With K folds there are K - 1 degrees of freedom.

    Args:
        first: answers of one condition.
        second: answers of the other, to the same utterances.
        smallest: the effect that is too small to matter, of class accuracy in [0, 1].

    Raises:
        ValueError: the two are not paired, or all differences are the same.
    """
    difference = bootstrap_pooled(first, second)
    folds = by_fold(first, second)
    by_speaker = [over_seeds(answers, "speaker") for answers in (first, second)]
    return Contrast(
        difference=difference,
        overall=bootstrap_pooled(first, second, metric="accuracy_overall"),
        corrected=fold_test(folds.to_frame()),
        equivalence=equivalence_test(folds, smallest, ratio=size_ratio(len(folds))),
        cohens_d=cohens_d(by_speaker[0] - by_speaker[1]),
        superiority=probability_of_superiority(*by_speaker),
    )


def ratio(first: pd.DataFrame, second: pd.DataFrame) -> Interval:
    r"""Geometric mean of ``first / second``, with the interval of the ledger's test over folds.

    .. math:: \exp \overline{\log (x_{us} / y_{us})}

    The interval is that of a t-test of the mean logarithms of folds
    (:func:`ser_lib.evidence.pairs.fold_test`).

    Args:
        first: of :meth:`ser_lib.evidence.Evidence.by_part`, (units, seeds), positive.
        second: the same measure of another condition, of the same units and seeds.

    Raises:
        ValueError: the two are not of the same units and seeds, or all folds have the same ratio.

    Example:
        >>> six = ratio(pd.DataFrame([[4.0], [9.0]]), pd.DataFrame([[1.0], [1.0]]))
        >>> round(six.estimate, 6)
        6.0
    """
    log = fold_test(log_ratios(first, second)).interval
    return Interval(*(float(np.exp(end)) for end in log.ends))


def planned(evidence: Evidence, plan: Mapping[str, Any], condition: Condition) -> bool:
    """Say whether a plan runs a condition; one by validation, if all of its weights are run.

    Args:
        evidence: whose protocol the plan is of.
        plan: the text of ``plan.toml``.
        condition: values of the fields of a run's configuration.
    """
    weights = evidence.protocol.weights
    if condition.get("lambda1") == BY_VALIDATION:
        return all(planned(evidence, plan, {**condition, "lambda1": w}) for w in weights)
    wanted = evidence.config(condition)
    for grid in plan["grid"]:
        if grid.get("emotions", "four") != condition.get("emotions", "four"):
            continue
        for settings in expanded(grid):
            settings.pop("seed", None)
            if evidence.config(settings) == wanted:
                return True
    return False


def or_running(make: Callable[..., str], *arguments: Any) -> str:
    """Text of a cell, ``make(*arguments)``, or how many of its runs are there.

    Example:
        >>> def cell(name):
        ...     raise Missing(7, 15)
        >>> or_running(cell, "S+A")
        'running: 7 of 15 runs'
    """
    try:
        return make(*arguments)
    except Missing as missing:
        return str(missing)
