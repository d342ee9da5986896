"""Rules about printed accuracies: are they ours, could a draw or a test set have given them?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ser_lib.claims.comparisons import Cell, Claim, Finding, Outcome
from ser_lib.evidence import Evidence, Missing, by_unit
from ser_lib.evidence.conditions import Condition
from ser_lib.evidence.pairs import together
from ser_lib.statistics import bootstrap_pooled, granularity, wilson

LUCK = 0.05
"""Below this a coincidence is no explanation."""
DRAWINGS = 5
"""Bootstraps that must agree on which side of an interval's end a printed figure lies."""


def printed_accuracy(claim: Claim, evidence: Evidence) -> Finding:
    """The printed overall accuracy, in per cent, lies in the 95 % interval of ours.

    Contradicted if it lies outside, on either side; undecided so close to an end that it is inside
    by one drawing of the bootstrap and outside by another. The interval that the printed figure
    itself would have, measured on ``test_size`` utterances, stands beside it and decides nothing.
    """
    printed = float(claim["value"]) / 100
    cells, whole = _asked(claim, (claim["first"],), evidence)
    for cell, (answers,) in whole:
        drawings = [
            bootstrap_pooled(answers, metric="accuracy_overall", seed=seed)
            for seed in range(DRAWINGS)
        ]
        inside = {drawn.low <= printed <= drawn.high for drawn in drawings}
        cell.outcome = (
            "undecided" if len(inside) > 1 else "holds" if inside.pop() else "contradicted"
        )
        drawn = drawings[0]
        cell.numbers = {
            "accuracy": list(drawn.ends),
            "class_accuracy": float(by_unit(answers, "seed").mean()),
            "runs": int(answers["run"].nunique()),
        }
        if size := claim.get("test_size"):
            own = wilson(round(printed * size), size)
            cell.numbers["printed_accuracy"] = {"test_size": size, "interval": list(own.ends)}
    return Finding(cells)


def attainable(claim: Claim, evidence: Evidence) -> Finding:
    """At least one of the draws of a test set reaches the printed overall accuracy, in per cent.

    Contradicted if none does. A draw counts as reaching it if it has as many right answers as the
    printed figure, rounded to a whole number of utterances.
    """
    cells, whole = _asked(claim, (claim["first"],), evidence)
    for cell, (answers,) in whole:
        right = answers["truth"] == answers["predicted"]
        draws = right.groupby(answers["run"]).agg(["sum", "size"])
        needed = (float(claim["value"]) / 100 * draws["size"]).round()
        reached = int((draws["sum"] >= needed).sum())
        share = wilson(reached, len(draws))
        shares = draws["sum"] / draws["size"]
        cell.outcome = "holds" if reached else "contradicted"
        cell.numbers = {
            "draws": len(draws),
            "reached": reached,
            "share": list(share.ends),
            "accuracies": {
                "lowest": float(shares.min()),
                "mean": float(shares.mean()),
                "highest": float(shares.max()),
            },
        }
    return Finding(cells)


def granularity_fits(claim: Claim, evidence: Evidence) -> Finding:
    """The printed accuracies fit a test set of the ``stated`` size without a coincidence.

    They could if the counts they imply need not all share a factor that the smallest possible size
    does not have, or if that has a probability of at least one in twenty.
    """
    figures, stated = claim["figures"], int(claim["stated"])
    possible = granularity.sizes(figures, largest=stated)
    smallest = possible[0] if possible else None
    numbers: dict[str, Any] = {"smallest_size": smallest, "stated_size": stated}
    if stated not in possible or smallest is None:
        return Finding(numbers=numbers, verdict="not reproduced")
    factor = stated // math.gcd(stated, smallest)
    luck = granularity.by_luck(factor, len(figures))
    numbers["probability_of_coincidence"] = luck
    return Finding(numbers=numbers, verdict="reproduced" if luck >= LUCK else "not reproduced")


def outranks(claim: Claim, evidence: Evidence) -> Finding:
    """``first`` has a higher mean overall accuracy than each of the ``others``, in every cell.

    That is, the interval of each difference lies above zero; contradicted where one lies below, not
    adjusted for their number; else undecided, whichever mean is the highest.
    """
    sides = [claim["first"], *claim["others"]]
    cells, whole = _asked(claim, sides, evidence)
    for cell, found in whole:
        means = [by_unit(answers, "seed", metric="accuracy_overall").mean() for answers in found]
        drawn = [
            bootstrap_pooled(found[0], other, metric="accuracy_overall") for other in found[1:]
        ]
        outcome: Outcome = "undecided"
        if all(interval.side > 0 for interval in drawn):
            outcome = "holds"
        elif any(interval.side < 0 for interval in drawn):
            outcome = "contradicted"
        cell.outcome = outcome
        names = [f"{side.get('model', 'residual')}-{side.get('layers', 11)}" for side in sides]
        cell.numbers = {
            "accuracies": {n: float(np.round(m, 6)) for n, m in zip(names, means, strict=True)},
            "runs": int(sum(answers["run"].nunique() for answers in found)),
        }
    return Finding(cells)


def _asked(
    claim: Claim, sides: Sequence[Condition], evidence: Evidence
) -> tuple[list[Cell], list[tuple[Cell, list[pd.DataFrame]]]]:
    """A cell for each place, and those that are whole with the answers of each side there."""
    cells, whole = [], []
    for where in claim["cells"]:
        cell = Cell(dict(where))
        cells.append(cell)
        try:
            found = together(evidence.answers, [{**side, **where} for side in sides])
        except Missing as missing:
            cell.lacks(missing)
        else:
            whole.append((cell, found))
    return cells, whole
