"""The rules by which a paper's claims are judged, by name.

Those that compare are in :mod:`ser_lib.claims.comparisons`, those about printed accuracies in
:mod:`ser_lib.claims.printed`. Each takes a claim of the ledger and the evidence, and gives a
finding: cells from which a verdict follows, or a verdict of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ser_lib.claims.comparisons import Claim, Finding, best, better, lower, similar
from ser_lib.claims.printed import attainable, granularity_fits, outranks, printed_accuracy
from ser_lib.evidence import Evidence


def parameters(claim: Claim, evidence: Evidence) -> Finding:
    """The network, built and counted, has the printed size, in millions to two decimals.

    With ``reference`` (millions) and ``per_cent``, the saving against it must round to that.
    """
    from ser_lib.models import ParallelCNN

    counts = []
    for shape in claim["inputs"]:
        network = ParallelCNN(4, tuple(shape))
        counts.append(sum(values.numel() for values in network.parameters()))
    if evidence.records is not None:
        runs = evidence.records.runs
        plain = (runs["objective"] == "S+C") & (runs["model"] == "parallel_cnn")
        four = runs["emotions"].str.count(",") == 3
        counts += [int(n) for n in runs[plain & four & (runs["units"] == 64)]["parameters"]]
    numbers: dict[str, Any] = {"parameters": sorted(set(counts))}
    fine = all(round(count / 1e6, 2) == claim["millions"] for count in counts)
    if "reference" in claim:
        saved = [100 * (1 - count / (1e6 * claim["reference"])) for count in counts]
        numbers["saved_per_cent"] = sorted(set(saved))
        fine = fine and all(round(value) == claim["per_cent"] for value in saved)
    return Finding(numbers=numbers, verdict="reproduced" if fine else "not reproduced")


def arithmetic(claim: Claim, evidence: Evidence) -> Finding:
    """Printed figures agree: each ``[a, b, difference]`` to within the ``tolerance``."""
    off = [abs(a - b - difference) for a, b, difference in claim["differences"]]
    fine = max(off) <= claim["tolerance"] + 1e-9
    numbers = {"largest_disagreement": max(off)}
    return Finding(numbers=numbers, verdict="reproduced" if fine else "not reproduced")


def shares(claim: Claim, evidence: Evidence) -> Finding:
    """Printed shares, in per cent, are those of the labels in IEMOCAP's improvised part.

    Reproduced if all agree as printed, partly if none is off by more than a point.
    """
    from ser_lib.corpora.iemocap import EXPECTED

    counts = next(dict(e.labels) for e in EXPECTED if e.part == "improvised")
    total = sum(counts.values())
    counted = {label: 100 * counts[label] / total for label in claim["shares"]}
    off = {label: abs(counted[label] - printed) for label, printed in claim["shares"].items()}
    exact = all(value < 0.05 for value in off.values())
    verdict = "partly" if max(off.values()) <= 1 else "not reproduced"
    numbers = {"counted": counted, "largest_disagreement": max(off.values())}
    return Finding(numbers=numbers, verdict="reproduced" if exact else verdict)


def rounds_to(claim: Claim, evidence: Evidence) -> Finding:
    """A number known from elsewhere (``known``, with ``source``) rounds to the printed one."""
    fine = round(claim["known"]) == claim["value"]
    return Finding(
        numbers={"known": claim["known"]}, verdict="reproduced" if fine else "not reproduced"
    )


def no_overhead(claim: Claim, evidence: Evidence) -> Finding:
    """A training step with ``objective`` takes less than ``smallest`` times one of softmax alone.

    Reads ``timings``, rows with ``objective`` and ``against_softmax``, a ratio with the ends of its
    interval (`ser bench objectives`). Reproduced if the interval is below, not reproduced if above.
    """
    rows = [row for row in claim.get("timings") or () if row["objective"] == claim["objective"]]
    if not rows:
        return Finding(verdict="open")
    if len(rows) > 1 or "against_softmax" not in rows[0]:
        raise ValueError(f"{claim['id']}: the timings of {claim['objective']} are not one ratio")
    row = rows[0]
    ratio, verdict = row["against_softmax"], "undecided"
    if ratio["high"] < claim["smallest"]:
        verdict = "reproduced"
    elif ratio["low"] > claim["smallest"]:
        verdict = "not reproduced"
    return Finding(numbers={"milliseconds": row["milliseconds"], **ratio}, verdict=verdict)


def inference_time(claim: Claim, evidence: Evidence) -> Finding:
    """The network takes at most twice the printed time for one utterance, features not included.

    Reads ``timings``, rows with ``batch``, ``microseconds`` an utterance, ``device`` and
    ``features`` (included or not). Partly: only in batches, or only on a GPU. Open while only one
    of the two was measured and is too slow, since the paper does not name the device.
    """
    rows = [row for row in claim.get("timings") or () if not row["features"]]
    limit = 2 * claim["microseconds"]
    quick = [row for row in rows if row["microseconds"] <= limit]
    alone = [row for row in quick if row["batch"] == 1 and row["device"] == "cpu"]
    verdict = "reproduced" if alone else "partly" if quick else "not reproduced"
    if not quick and len({row["device"] for row in rows}) < 2:
        verdict = "open"
    return Finding(numbers={"timings": rows}, verdict=verdict)


def not_testable(claim: Claim, evidence: Evidence) -> Finding:
    """The claim's ``reason`` says why."""
    return Finding(verdict="not testable here")


RULES: dict[str, Callable[[Claim, Evidence], Finding]] = {
    rule.__name__: rule
    for rule in (
        better,
        similar,
        lower,
        no_overhead,
        best,
        parameters,
        arithmetic,
        shares,
        rounds_to,
        inference_time,
        not_testable,
        printed_accuracy,
        attainable,
        granularity_fits,
        outranks,
    )
}

NEEDED: dict[str, tuple[str, ...]] = {
    "better": ("first", "second", "cells"),
    "similar": ("first", "second", "cells"),
    "lower": ("first", "second", "cells", "measure", "smallest"),
    "no_overhead": ("objective", "smallest"),
    "best": ("first", "cells", "vary", "chosen", "values"),
    "parameters": ("inputs", "millions"),
    "arithmetic": ("differences", "tolerance"),
    "shares": ("shares",),
    "rounds_to": ("known", "value", "source"),
    "inference_time": ("microseconds",),
    "not_testable": ("reason",),
    "printed_accuracy": ("first", "cells", "value"),
    "attainable": ("first", "cells", "value"),
    "granularity_fits": ("figures", "stated"),
    "outranks": ("first", "others", "cells"),
}
"""Entries that a claim must have for its rule."""

ON_PAPER = ("parameters", "arithmetic", "shares", "rounds_to", "granularity_fits")
"""Rules that look at printed figures, counts and the network's size: no training stands behind."""
