"""What a chapter says of a study's conditions: a number with its interval, or how far the runs are.

While runs are missing nothing is computed from the others: an :class:`Effect` then says
"running: 12 of 30 runs", in a sentence, a table or a figure alike.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ser_lib.evidence import epochs, summaries
from ser_lib.evidence.conditions import Condition, Evidence, Missing, by_unit, over_seeds
from ser_lib.evidence.pairs import together
from ser_lib.statistics import (
    Interval,
    Metric,
    bootstrap_difference,
    bootstrap_mean,
    bootstrap_pooled,
    corrected_t_test,
    draw_pooled,
    percentiles,
    verdict,
)


@dataclass(frozen=True)
class Effect:
    """An estimate with its interval, or none while runs are missing.

    Example:
        >>> str(Effect(30, 30, Interval(0.012, -0.005, 0.029)))
        '+1.2 (−0.5 to +2.9)'
        >>> str(Effect(12, 30))
        'running: 12 of 30 runs'
    """

    found: int
    """Runs that are there; where some are missing, of the conditions that are not whole."""
    wanted: int
    interval: Interval | None = None
    speakers: pd.Series[float] | None = None
    """The same for each speaker alone, or each random draw, averaged over seeds."""
    smallest: float | None = None
    """Of a difference, the smallest that counts."""
    form: str = "{:+.1f}"
    """How one of the three numbers is written, in units of ``unit``."""
    unit: float = 0.01

    def __str__(self) -> str:
        """Write the estimate and its interval, or how far the runs are."""
        if self.interval is None:
            return str(Missing(self.found, self.wanted))
        return self.interval.text(self.form, self.unit)

    @property
    def supports(self) -> str:
        """What a difference's interval supports (:func:`ser_lib.statistics.verdict`), or ""."""
        if self.interval is None or self.smallest is None:
            return ""
        return verdict(self.interval, self.smallest)

    @property
    def about_zero(self) -> str:
        """Whether the interval "leaves zero out" or "holds zero"; without one it "waits"."""
        if self.interval is None:
            return "waits"
        return "leaves zero out" if self.interval.side else "holds zero"

    @property
    def judged(self) -> str:
        """As text, with what the interval supports.

        Example:
            >>> Effect(30, 30, Interval(0.05, 0.01, 0.09), smallest=0.02).judged
            '+5.0 (+1.0 to +9.0), higher'
        """
        return f"{self}, {self.supports}" if self.supports else str(self)


def accuracy(evidence: Evidence, condition: Condition, metric: Metric = "accuracy_class") -> Effect:
    """Accuracy of a condition, pooled over speakers: estimate, interval, each speaker or draw."""

    def measured() -> Effect:
        answers = evidence.answers(condition)
        runs = int(answers["run"].nunique())
        interval = bootstrap_pooled(answers, metric=metric)
        return Effect(runs, runs, interval, over_seeds(answers, "part", metric), form="{:.1f}")

    return _unless_missing(measured)


def difference(
    evidence: Evidence, first: Condition, second: Condition, metric: Metric = "accuracy_class"
) -> Effect:
    """Accuracy of ``first`` minus ``second``: paired bootstrap over speakers and seeds.

    The interval is that of the plan of paper 1 (:func:`ser_lib.statistics.bootstrap_pooled`), not
    adjusted for the number of comparisons, as the verdicts of the ledger are.
    """

    def measured() -> Effect:
        one, other = together(evidence.answers, (first, second))
        return _difference(one, other, metric, evidence.protocol.smallest)

    return _unless_missing(measured, evidence.protocol.smallest)


def repeated(evidence: Evidence, again: Evidence, condition: Condition) -> Effect:
    """Class accuracy of a condition in the records of ``again`` minus that in ``evidence``.

    The interval is that of :func:`difference`.
    """

    def measured() -> Effect:
        one, other = together(lambda records: records.answers(condition), (again, evidence))
        return _difference(one, other, "accuracy_class", evidence.protocol.smallest)

    return _unless_missing(measured, evidence.protocol.smallest)


@dataclass(frozen=True)
class Repetition:
    """How far the same runs, made twice, are from each other, and how far other seeds are."""

    changed: float
    """Share of the predictions that differ between a run and its repetition."""
    changed_by_seed: float
    """The same between two runs of one fold whose seeds differ, of the first records."""
    accuracy: float
    """Mean absolute difference in class accuracy between a run and its repetition."""
    accuracy_by_seed: float
    """The same between two runs of one fold whose seeds differ, of the first records."""


def repetition(evidence: Evidence, again: Evidence, condition: Condition) -> Repetition:
    """Compare the runs of a condition, one by one, with those of the same names in ``again``.

    Raises:
        Missing: runs are not there, in one or the other.
        ValueError: the two are not of the same runs.
    """
    first, second = together(lambda records: records.answers(condition), (evidence, again))
    place = ["way", "key", "fold", "seed"]
    both = first.merge(second, on=["run", *place], validate="one_to_one", suffixes=("", "_again"))
    if not len(first) == len(second) == len(both):
        raise ValueError(f"the runs of {dict(condition)} are others in the second records")
    runs, repeats = (by_unit(answers, "fold", "seed") for answers in (first, second))
    by_seed = runs.unstack("seed")
    said = first.pivot(index=place[:3], columns="seed", values="predicted")
    pairs = list(itertools.combinations(by_seed.columns, 2))
    return Repetition(
        changed=float((both["predicted"] != both["predicted_again"]).mean()),
        changed_by_seed=float(np.mean([(said[a] != said[b]).mean() for a, b in pairs])),
        accuracy=float((runs - repeats).abs().mean()),
        accuracy_by_seed=float(np.mean([(by_seed[a] - by_seed[b]).abs().mean() for a, b in pairs])),
    )


def over_draws(effect: Effect, ratio: float) -> Effect:
    """Give a difference under a random protocol the interval of a t-test over its draws.

    The interval of :func:`difference` draws utterances and seeds, but no new draws of the test set.

    Args:
        effect: a difference, with one value for each draw.
        ratio: test size over training size, for the correction
            (:func:`ser_lib.statistics.corrected_t_test`).
    """
    if effect.speakers is None:
        return effect
    return replace(effect, interval=corrected_t_test(effect.speakers, ratio=ratio).interval)


def gap(evidence: Evidence, first: Condition, second: Condition) -> Effect:
    """Overall accuracy under the protocol of ``first`` minus that of ``second``, which is another.

    The two test other utterances, so that nothing is paired: each side is drawn by itself.
    """

    def measured() -> Effect:
        sides = together(evidence.answers, (first, second))
        runs = sum(int(side["run"].nunique()) for side in sides)
        drawn = [
            draw_pooled(side, metric="accuracy_overall", seed=number)
            for number, side in enumerate(sides)
        ]
        estimate = drawn[0][0] - drawn[1][0]
        interval = percentiles(estimate, drawn[0][1] - drawn[1][1])
        return Effect(runs, runs, interval, smallest=evidence.protocol.smallest)

    return _unless_missing(measured, evidence.protocol.smallest)


def right_by_draw(evidence: Evidence, condition: Condition) -> pd.Series[int]:
    """Right answers of each run of a condition; none while runs are missing."""
    if running(evidence, condition):
        return pd.Series(dtype=int)
    answers = evidence.answers(condition)
    return (answers["truth"] == answers["predicted"]).groupby(answers["run"]).sum().astype(int)


def ratio(evidence: Evidence, first: Condition, second: Condition, measure: str) -> Effect:
    """A positive measure of ``first`` over that of ``second``, as a geometric mean over units.

    Units are what :meth:`ser_lib.evidence.Evidence.by_part` gives: held-out parts, or folds. The
    interval is that of the ledger's t-test over folds (:func:`ser_lib.evidence.summaries.ratio`).
    """

    def measured() -> Effect:
        one, other = together(lambda side: evidence.by_part(side, measure), (first, second))
        interval = summaries.ratio(one, other)
        runs = 2 * one.index.get_level_values("fold").nunique() * one.shape[1]
        return Effect(runs, runs, interval, form="{:.2f}", unit=1.0)

    return _unless_missing(measured)


def between_epochs(evidence: Evidence, condition: Condition, first: int, second: int) -> Effect:
    """Held-out class accuracy after epoch ``first`` minus that after ``second``.

    Units are the held-out parts, a speaker or two; no epoch is chosen.

    Raises:
        ValueError: the runs do not have both epochs.
    """

    def measured() -> Effect:
        table = epochs.table(evidence, condition, "accuracy_class")
        if lacking := sorted({first, second} - set(table.columns)):
            raise ValueError(f"epochs {lacking} are not in the history of {dict(condition)}")
        runs = len(evidence.runs(condition))
        one, other = (table[epoch].unstack("seed") for epoch in (first, second))
        interval = bootstrap_difference(one, other)
        return Effect(runs, runs, interval, smallest=evidence.protocol.smallest)

    return _unless_missing(measured, evidence.protocol.smallest)


def late_difference(
    evidence: Evidence, first: Condition, second: Condition, *, last: int = 10
) -> Effect:
    """Mean held-out class accuracy over the last epochs, of one condition minus of another.

    Units are the held-out parts, a speaker or two, drawn as if independent, though two of them
    share each network and its epochs; no epoch is chosen.
    """

    def measured() -> Effect:
        one, other = together(lambda which: late_accuracy(evidence, which, last), (first, second))
        runs = sum(len(evidence.runs(condition)) for condition in (first, second))
        interval = bootstrap_difference(one, other)
        return Effect(runs, runs, interval, smallest=evidence.protocol.smallest)

    return _unless_missing(measured, evidence.protocol.smallest)


def late_accuracy(evidence: Evidence, condition: Condition, last: int = 10) -> pd.DataFrame:
    """Class accuracy of each held-out part (row) and seed, the mean over the last epochs.

    Raises:
        Missing: runs are not there.
    """
    table = epochs.table(evidence, condition, "accuracy_class")
    return table.iloc[:, -last:].mean(axis=1).unstack("seed")


def other_way(evidence: Evidence, condition: Condition) -> Effect:
    """Class accuracy with the second speaker of each session tested, minus with the first.

    Units are the folds: different people are compared, and only the session is shared.
    """

    def measured() -> Effect:
        answers = evidence.answers(condition)
        table = by_unit(answers, "fold", "way", "seed").unstack(["way", "seed"])
        runs = int(answers["run"].nunique())
        interval = bootstrap_mean(table[0] - table[1])
        return Effect(runs, runs, interval, smallest=evidence.protocol.smallest)

    return _unless_missing(measured, evidence.protocol.smallest)


def running(evidence: Evidence, condition: Condition) -> str:
    """How far the runs of a condition are; the empty text if they are all there."""
    try:
        evidence.runs(condition)
    except Missing as missing:
        return str(missing)
    return ""


def by_epoch(evidence: Evidence, condition: Condition, measure: str) -> pd.DataFrame:
    """Mean and quartiles over runs of a measure after each epoch; no rows while runs are missing.

    Args:
        evidence: the records.
        condition: whose runs.
        measure: a column of the history such as ``train_softmax``, or the name that both held-out
            parts share, such as ``accuracy_class``.

    Returns:
        Columns ``mean``, ``low`` and ``high``, indexed by ``epoch``.

    Raises:
        ValueError: the history has no such measure.
    """
    if running(evidence, condition):
        return pd.DataFrame(columns=["mean", "low", "high"], dtype=float)
    found = epochs.table(evidence, condition, measure)
    quartiles = {"low": found.quantile(0.25), "high": found.quantile(0.75)}
    return pd.DataFrame({"mean": found.mean(), **quartiles})


def _unless_missing(measured: Callable[[], Effect], smallest: float | None = None) -> Effect:
    try:
        return measured()
    except Missing as missing:
        return Effect(missing.found, missing.wanted, smallest=smallest)


def _difference(one: pd.DataFrame, other: pd.DataFrame, metric: Metric, smallest: float) -> Effect:
    runs = int(one["run"].nunique() + other["run"].nunique())
    speakers = over_seeds(one, "part", metric) - over_seeds(other, "part", metric)
    interval = bootstrap_pooled(one, other, metric=metric)
    return Effect(runs, runs, interval, speakers, smallest=smallest)
