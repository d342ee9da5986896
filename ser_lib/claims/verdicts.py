"""Verdicts: every claim judged by its rule from the packed records, written, and checked.

``verdicts.json`` beside a ledger holds what was computed, and is written by :func:`update` only.
:func:`check` computes it all again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from ser_lib import records
from ser_lib.claims import page, prose
from ser_lib.claims.comparisons import VERDICTS, Finding, adjust
from ser_lib.claims.ledger import Ledger, load_ledger, results_in, studies
from ser_lib.claims.rules import RULES
from ser_lib.evidence import Evidence, yardsticks
from ser_lib.evidence.consistency import inconsistencies
from ser_lib.files import atomic_write
from ser_lib.records import Records

TOLERANCE = 1.5e-6
"""By how much a number may differ from the one written: a flip of the last of six digits, which
summation order can bring, and not a result."""

_DIGITS = 6
_TIMINGS = {
    "inference_time": ("inference.json", ("batch", "device", "features", "microseconds")),
    "no_overhead": ("steps.json", ("objective", "milliseconds")),
}
"""Where a rule's timings are, which `ser bench` wrote, and what a row must have."""


def evidence(study: str, root: Path | None = None) -> Evidence:
    """Give a study's records, as many as there are, to be asked by condition.

    Raises:
        ValueError: the ledger or the records cannot be read.
    """
    ledger = load_ledger(study, root)
    return Evidence(records.load_if_any(ledger.study, ledger.folder.parent), ledger.protocol)


def judge(ledger: Ledger, found: Records | None) -> dict[str, Any]:
    """Judge every claim from records: what ``verdicts.json`` must hold.

    Raises:
        ValueError: naming the claim, where the records contradict the protocol (see
            :class:`ser_lib.evidence.Evidence`) or cannot be measured.
    """
    proof = Evidence(found, ledger.protocol)
    findings: dict[str, Finding] = {}
    for claim in ledger.claims:
        given = claim
        if claim["rule"] in _TIMINGS:
            given = {**claim, "timings": _timings(ledger.folder, claim["rule"])}
        try:
            findings[claim["id"]] = RULES[claim["rule"]](given, proof)
        except ValueError as error:
            raise ValueError(f"claim {claim['id']!r}: {error}") from error
    for family in {claim["family"] for claim in ledger.claims if "family" in claim}:
        members = [findings[c["id"]] for c in ledger.claims if c.get("family") == family]
        adjust(members)
        adjust([finding.planned for finding in members if finding.planned])
    judged = {}
    for name, finding in findings.items():
        entry: dict[str, Any] = {"verdict": finding.settle()}
        if finding.numbers:
            entry["numbers"] = finding.numbers
        if finding.planned:
            entry["planned"] = {
                "verdict": finding.planned.settle(),
                "cells": [
                    {"outcome": cell.outcome, "ratio": cell.numbers.get("ratio")}
                    for cell in finding.planned.cells
                ],
            }
        if finding.cells:
            entry["cells"] = [
                {
                    "where": cell.where,
                    **({} if cell.decides else {"beside": True}),
                    "outcome": cell.outcome,
                    "numbers": cell.numbers,
                }
                for cell in finding.cells
            ]
        judged[name] = entry
    document = {"records": _digests(ledger.folder, found), "claims": judged}
    rounded: dict[str, Any] = json.loads(json.dumps(_rounded(document)))
    return rounded


def load_verdicts(study: str, root: Path | None = None) -> dict[str, Any]:
    """Read what was computed last.

    Raises:
        ValueError: ``verdicts.json`` is missing or damaged.
    """
    path = results_in(root) / study / "verdicts.json"
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ValueError(f"{path} does not exist; run: ser claims update") from error
    except ValueError as error:
        raise ValueError(f"{path} is not valid: {error}; run: ser claims update") from error
    return document


def verdict(claim: str, root: Path | None = None) -> str:
    """Verdict word of a claim, for a chapter: ``glue("verdict-ID", claims.verdict("ID"))``.

    Raises:
        ValueError: no ledger has such a claim.
    """
    known: dict[str, Any] = {}
    for study in studies(root):
        known |= load_verdicts(study, root)["claims"]
    if claim not in known:
        raise ValueError(f"no claim {claim!r}; known: {', '.join(known)}")
    return str(known[claim]["verdict"])


def update(study: str, root: Path | None = None) -> dict[str, Any]:
    """Judge every claim and write ``verdicts.json``.

    Raises:
        ValueError: the ledger or the records cannot be used.
    """
    ledger = load_ledger(study, root)
    document = judge(ledger, records.load_if_any(ledger.study, ledger.folder.parent))
    with atomic_write(ledger.folder / "verdicts.json") as file:
        file.write((json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode())
    return document


def check(root: Path | None = None) -> list[str]:
    """Compute everything again and list every disagreement; none is the empty list.

    Compared are the records of each study with themselves; for each study with a ledger the written
    verdicts and numbers with those that the rules give; and the prose of all chapters with both
    (:mod:`ser_lib.claims.prose`).

    Raises:
        ValueError: a ledger cannot be read.
    """
    problems: list[str] = []
    printed: set[float] = set()
    words: dict[str, str] = {}
    for study in studies(root):
        ledger = load_ledger(study, root)
        printed |= ledger.printed
        found = records.load_if_any(ledger.study, ledger.folder.parent)
        try:
            computed = judge(ledger, found)
            written = load_verdicts(study, root)
        except ValueError as error:
            problems.append(str(error))
            continue
        differences = _differences(written, computed)
        problems += [f"{study}/verdicts.json, {line}" for line in differences]
        for name, entry in computed["claims"].items():
            if name in words:
                problems.append(f"claim {name} stands in two ledgers")
            words[name] = entry["verdict"]
    folder = results_in(root)
    for study in sorted(path.parent.name for path in folder.glob("*/runs.parquet")):
        contradictions = inconsistencies(records.load(study, folder))
        problems += [f"{study}, records: {problem}" for problem in contradictions]
    return problems + prose.check(results_in(root).parent, printed, words)


def count(study: str, root: Path | None = None) -> dict[str, int]:
    """How many of a paper's claims have each verdict, in the order of ``comparisons.VERDICTS``.

    Questions of ours, which the ledger marks as such, are not the paper's claims.

    Raises:
        ValueError: ``claims.yml`` or ``verdicts.json`` is missing or damaged, or a claim is in the
            first only.
    """
    judged = load_verdicts(study, root)["claims"]
    theirs = load_ledger(study, root).theirs
    if new := [claim["id"] for claim in theirs if claim["id"] not in judged]:
        raise ValueError(f"not judged yet: {', '.join(new)}; run `ser claims update`")
    counted = Counter(judged[claim["id"]]["verdict"] for claim in theirs)
    return {word: counted[word] for word in VERDICTS}


def downloads(study: str, root: Path | None = None) -> tuple[Path, ...]:
    """Files of a study that the book offers: plan, ledger, verdicts, and the records so far."""
    folder = results_in(root) / study
    names = ["plan.toml", "claims.yml", "verdicts.json", "table1.py", *yardsticks.FILES]
    names += [*(name for name, _ in _TIMINGS.values()), "layer.json"]
    names += [f"{name}.parquet" for name in records.TABLES]
    return tuple(folder / name for name in names if (folder / name).is_file())


def ledger_page(study: str, root: Path | None = None) -> str:
    """Markdown of the book's page on all claims (:mod:`ser_lib.claims.page`)."""
    files = [path.name for path in downloads(study, root)]
    return page.markdown(load_ledger(study, root), load_verdicts(study, root), files)


def summary_page(study: str, root: Path | None = None) -> str:
    """Markdown of the book's one page on a paper's claims (:mod:`ser_lib.claims.page`)."""
    ledger = load_ledger(study, root)
    found = records.load_if_any(study, ledger.folder.parent)
    seconds = [] if found is None else list(found.runs["training_seconds"])
    return page.summary(ledger, load_verdicts(study, root), seconds)


def _timings(folder: Path, rule: str) -> list[dict[str, Any]]:
    name, names = _TIMINGS[rule]
    path = folder / name
    if not path.is_file():
        return []
    try:
        rows = list(json.loads(path.read_text())["rows"])
        return [{**row, **{name: row[name] for name in names}} for row in rows]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no list of timings: {error!r}") from error


def _digests(folder: Path, found: Records | None) -> dict[str, Any] | None:
    """Rows and content hash of each table, the same however its file was compressed."""
    if found is None:
        return None
    made: dict[str, Any] = {
        name: {"sha256": sha256((folder / name).read_bytes()).hexdigest()}
        for name in yardsticks.FILES
        if (folder / name).is_file()
    }
    for name, order in records.TABLES.items():
        frame = getattr(found, name).sort_values(order)
        frame = frame[sorted(frame.columns)]
        digest = sha256()
        for column in {"scores", "z"} & set(frame.columns):
            for row in frame[column]:
                digest.update(np.asarray(row, dtype=np.float32).tobytes())
            frame = frame.drop(columns=column)
        digest.update(frame.to_csv(index=False, float_format="%.9g").encode())
        made[name] = {"rows": len(frame), "sha256": digest.hexdigest()}
    return made


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, float | np.floating):
        return round(float(value), _DIGITS)
    return value.item() if isinstance(value, np.generic) else value


def _differences(written: Any, computed: Any, place: str = "") -> list[str]:
    """Name every place at which two documents differ by more than the tolerance."""
    if isinstance(written, dict) and isinstance(computed, dict):
        lines = []
        for key in [*computed, *(key for key in written if key not in computed)]:
            inside = f"{place}.{key}" if place else str(key)
            if key not in written or key not in computed:
                lines.append(f"{inside}: {'not written' if key in computed else 'not computed'}")
            else:
                lines += _differences(written[key], computed[key], inside)
        return lines
    if isinstance(written, list) and isinstance(computed, list) and len(written) == len(computed):
        pairs = enumerate(zip(written, computed, strict=True))
        return [line for i, (a, b) in pairs for line in _differences(a, b, f"{place}[{i}]")]
    numbers = all(
        isinstance(v, int | float) and not isinstance(v, bool) for v in (written, computed)
    )
    same = abs(written - computed) <= TOLERANCE if numbers else written == computed
    return [] if same else [f"{place}: written {written!r}, computed {computed!r}"]
