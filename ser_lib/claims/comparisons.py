"""Rules that compare two conditions: from records to cells, and from cells to a verdict.

A *cell* is a claim on one corpus and input. What a cell's interval supports, and how cells make a
verdict, is the decision rule of ``results/paper1/plan.toml``:

- it *holds* if the 95 % interval of the effect lies above zero, is *contradicted* if it lies below,
  *absent* if it lies within the smallest effect on both sides of zero, else *undecided*; where the
  claim belongs to a family, an interval that excludes zero decides only if the one-sided p value,
  adjusted by Holm's rule over the family, is at most 0.025;
- reproduced: it holds in all cells; partly: in some, and is contradicted in none; undecided: so are
  all of them; else not reproduced; open while runs are missing.

The plan had no word for "undecided in all cells" and would have called it "not reproduced", which
is more than such runs can say.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from ser_lib.evidence import Evidence, Missing, by_unit
from ser_lib.evidence.pairs import by_fold, fold_test, log_ratios, together
from ser_lib.statistics import (
    Interval,
    Metric,
    draw_mean,
    draw_pooled,
    holm,
    one_sided_p,
    percentiles,
    verdict,
)
from ser_lib.statistics.intervals import Verdict

VERDICTS = (
    "reproduced", "partly", "not reproduced", "undecided", "not testable here", "open",
)  # fmt: skip
LEVEL_OF_FAMILY = 0.025
"""One-sided, so that the two sides together have 5 %."""

Outcome = Literal["holds", "contradicted", "absent", "undecided", "missing"]
Claim = Mapping[str, Any]


@dataclass
class Cell:
    """A claim in one place of the grid."""

    where: dict[str, Any]
    outcome: Outcome = "missing"
    numbers: dict[str, Any] = field(default_factory=dict)
    p_value: float | None = None
    """One-sided, of the side on which the estimate lies."""
    decides: bool = True
    """Whether it counts for the verdict, or only stands beside it."""

    def lacks(self, missing: Missing) -> None:
        """Say how many of its runs are there."""
        self.numbers = {"runs": missing.found, "runs_needed": missing.wanted}


@dataclass
class Finding:
    """What a rule made of a claim; a verdict of its own, or cells from which one follows."""

    cells: list[Cell] = field(default_factory=list)
    numbers: dict[str, Any] = field(default_factory=dict)
    verdict: str = ""
    planned: Finding | None = None
    """What the plan's analysis would make of it, where another decides now."""

    def settle(self) -> str:
        """Verdict that follows from the deciding cells, unless the rule gave one."""
        if self.verdict:
            return self.verdict
        outcomes = [cell.outcome for cell in self.cells if cell.decides]
        if not outcomes or "missing" in outcomes:
            return "open"
        if all(outcome == "holds" for outcome in outcomes):
            return "reproduced"
        if "holds" in outcomes and "contradicted" not in outcomes:
            return "partly"
        if all(outcome == "undecided" for outcome in outcomes):
            return "undecided"
        return "not reproduced"


def adjust(findings: Sequence[Finding]) -> None:
    """Adjust the p values of one family by Holm's rule and take back what they do not carry.

    Cells whose runs are missing count with a p value of 1, so that the number of comparisons is
    the planned one from the first record on.
    """
    cells = [cell for finding in findings for cell in finding.cells if cell.decides]
    if not cells:
        return
    adjusted = holm([1.0 if cell.p_value is None else cell.p_value for cell in cells])
    for cell, value in zip(cells, adjusted, strict=True):
        if cell.p_value is not None:
            cell.numbers["p_adjusted"] = float(value)
            if cell.outcome in ("holds", "contradicted") and value > LEVEL_OF_FAMILY:
                cell.outcome = "undecided"


# ---- comparisons ---------------------------------------------------------------------------------


def better(claim: Claim, evidence: Evidence) -> Finding:
    """``first`` has the higher accuracy: paired bootstrap over speakers and seeds.

    Class accuracy, unless the claim names another ``metric``.
    """
    return _compare(claim, _accuracy_effect(claim, evidence), _direction)


def similar(claim: Claim, evidence: Evidence) -> Finding:
    """The accuracies differ by less than the smallest effect.

    Holds if the interval lies within the smallest effect on both sides of zero, is contradicted if
    it lies wholly outside.
    """
    return _compare(claim, _accuracy_effect(claim, evidence), _equivalence)


def lower(claim: Claim, evidence: Evidence) -> Finding:
    """``first`` has the lower value of a positive ``measure``: t-test of the folds' log ratios.

    The effect is the mean over folds of the logarithm of second over first, each averaged over
    seeds and the parts of the fold, which the same networks were tested on; it is positive where
    the claim holds. ``smallest`` is a ratio, such as 1.1.
    """
    finding, finding.planned = (
        _compare(claim, _ratio_effect(claim, evidence, analysis), _direction, logarithm=True)
        for analysis in (_by_folds, _by_bootstrap)
    )
    return finding


Measured = tuple[Interval, float, dict[str, Any]]
"""An effect with its interval, its one-sided p value, and further numbers."""
Effect = Callable[[Mapping[str, Any], bool], Measured]


def _compare(
    claim: Claim,
    effect: Effect,
    judge: Callable[[Interval, float], Outcome],
    *,
    logarithm: bool = False,
) -> Finding:
    margin = float(claim["smallest"])
    margin = math.log(margin) if logarithm else margin
    cells = []

    def close(interval: Interval, adjusted: bool) -> bool:
        """Whether the outcome is another if both ends move by a twentieth of the margin."""
        found = set()
        for step in (-margin / 20, margin / 20):
            low, high = interval.low - step, interval.high + step
            outcome = judge(Interval(interval.estimate, min(low, high), max(low, high)), margin)
            if adjusted and outcome in ("holds", "contradicted"):
                outcome = "undecided"  # in a family it is the p value that decides on a side
            found.add(outcome)
        return len(found) > 1

    for where in claim["cells"]:
        for variant, decides in ({}, True), *((v, False) for v in claim.get("beside", ())):
            cell = Cell({**where, **variant}, decides=decides)
            cells.append(cell)
            try:
                interval, cell.p_value, numbers = effect(cell.where, decides)
            except Missing as missing:
                cell.lacks(missing)
                continue
            cell.outcome = judge(interval, margin)
            cell.numbers = {
                "effect": interval.estimate,
                "low": interval.low,
                "high": interval.high,
                "p": cell.p_value,
                **numbers,
            }
            if close(interval, decides and "family" in claim):
                cell.numbers["close"] = True
            if logarithm:
                cell.numbers["ratio"] = [math.exp(end) for end in interval.ends]
            if "printed_effect" in claim:
                inside = interval.low <= float(claim["printed_effect"]) <= interval.high
                cell.numbers["holds_printed_effect"] = inside
    return Finding(cells)


_OUTCOMES: dict[Verdict, Outcome] = {
    "higher": "holds", "lower": "contradicted", "no difference": "absent", "undecided": "undecided",
}  # fmt: skip


def _direction(interval: Interval, margin: float) -> Outcome:
    return _OUTCOMES[verdict(interval, margin)]


def _equivalence(interval: Interval, margin: float) -> Outcome:
    if interval.within(margin):
        return "holds"
    beyond = interval.low >= margin or interval.high <= -margin
    return "contradicted" if beyond else "undecided"


def conditions(claim: Claim, where: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Both conditions in a cell; a weight of the center loss goes only where there is one."""
    sides = []
    for name in ("first", "second"):
        side = {**claim[name], **where}
        if "C" not in side.get("objective", "S"):
            side.pop("lambda1", None)
        sides.append(side)
    return sides


def _accuracy_effect(claim: Claim, evidence: Evidence) -> Effect:
    metric: Metric = claim.get("metric", "accuracy_class")

    def effect(where: Mapping[str, Any], whole: bool) -> Measured:
        first, second = together(evidence.answers, conditions(claim, where))
        estimate, draws = draw_pooled(first, second, metric=metric)
        numbers: dict[str, Any] = {
            "first": float(by_unit(first, "seed", metric=metric).mean()),
            "second": float(by_unit(second, "seed", metric=metric).mean()),
            "runs": int(first["run"].nunique() + second["run"].nunique()),
        }
        if whole:  # the secondary metric, which decides nothing
            other: Metric = next(m for m in get_args(Metric) if m != metric)
            drawn = percentiles(*draw_pooled(first, second, metric=other))
            name = "overall" if other == "accuracy_overall" else "class"
            numbers[name] = list(drawn.ends)
        # The other analysis, which decides nothing either. Of thinned training sets it would need
        # another ratio, and of folds that all differ by the same there is no test.
        config = evidence.config({**claim["first"], **where, "lambda1": 1.0})
        thinned = config.train_share < 1 or config.proportions
        folds = by_fold(first, second, metric)
        if not (config.speaker_dependent or thinned) and np.ptp(folds) > 1e-9:
            test = fold_test(folds.to_frame()).interval
            numbers["by_fold"] = list(test.ends)
        return percentiles(estimate, draws), one_sided_p(estimate, draws), numbers

    return effect


def _ratio_effect(
    claim: Claim, evidence: Evidence, analysis: Callable[[pd.DataFrame], tuple[Interval, float]]
) -> Effect:
    def effect(where: Mapping[str, Any], whole: bool) -> Measured:
        first, second = together(
            lambda side: evidence.by_part(side, claim["measure"]), conditions(claim, where)
        )
        values = log_ratios(second, first)
        numbers = {  # geometric means: their ratio is that of the interval
            "first": math.exp(np.log(first.to_numpy()).mean()),
            "second": math.exp(np.log(second.to_numpy()).mean()),
            "folds": values.index.get_level_values(0).nunique(),
        }
        return *analysis(values), numbers

    return effect


def _by_folds(values: pd.DataFrame) -> tuple[Interval, float]:
    test = fold_test(values)
    return test.interval, test.p_value / 2


def _by_bootstrap(values: pd.DataFrame) -> tuple[Interval, float]:
    """Over held-out parts and seeds, as the plan says of accuracies."""
    drawn = draw_mean(values)
    return percentiles(*drawn), one_sided_p(*drawn)


def best(claim: Claim, evidence: Evidence) -> Finding:
    """The value ``chosen`` of the setting ``vary`` is the best of ``values`` in accuracy.

    Contradicted if another value is better by the rule of ``better``, adjusted over the values, or
    if the ``baseline``, where there is one, is; holds if the chosen one has the highest estimate
    and is better than the baseline or, where there is none, than one of the others, since one of
    the values always has the highest estimate, if only by luck; else undecided.
    """
    name, chosen = claim["vary"], claim["chosen"]
    others = [value for value in claim["values"] if value != chosen]
    cells = []
    for where in claim["cells"]:
        pairs: dict[str, Any] = {**claim, "cells": [where], "beside": ()}
        rivals = [
            better({**pairs, "first": {**claim["first"], name: value},
                    "second": {**claim["first"], name: chosen}}, evidence)
            for value in others
        ]  # fmt: skip
        adjust(rivals)
        inner = list(chain.from_iterable(rival.cells for rival in rivals))
        cell = Cell(dict(where))
        cells.append(cell)
        if any(rival.outcome == "missing" for rival in inner):
            there = sum(rival.outcome != "missing" for rival in inner)
            cell.numbers = {"values": there, "values_needed": len(inner)}
            continue
        accuracies = {str(v): r.numbers["first"] for v, r in zip(others, inner, strict=True)}
        highest = inner[0].numbers["second"] > max(accuracies.values())
        accuracies[str(chosen)] = inner[0].numbers["second"]
        against: Outcome = "undecided"
        if any(rival.outcome == "contradicted" for rival in inner):
            against = "holds"
        if "baseline" in claim:
            chosen_one = {**claim["first"], name: chosen}
            pair = {**pairs, "first": chosen_one, "second": claim["baseline"]}
            (baseline,) = better(pair, evidence).cells
            if baseline.outcome == "missing":
                cell.numbers = baseline.numbers
                continue
            against = baseline.outcome
            accuracies["baseline"] = baseline.numbers["second"]
        if against == "contradicted" or any(rival.outcome == "holds" for rival in inner):
            cell.outcome = "contradicted"
        else:
            cell.outcome = "holds" if highest and against == "holds" else "undecided"
        cell.numbers = {"accuracies": accuracies}
    return Finding(cells)
