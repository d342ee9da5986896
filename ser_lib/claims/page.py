"""The ledger as pages: a summary, and every claim with its verdict, rule and numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from ser_lib.claims.comparisons import LEVEL_OF_FAMILY, VERDICTS
from ser_lib.claims.ledger import Ledger
from ser_lib.claims.paper_tables import CORPORA, INPUTS
from ser_lib.claims.rules import ON_PAPER, RULES
from ser_lib.statistics import Interval

_MEANING = {
    "reproduced": "holds wherever we could test it",
    "partly": "holds in some places, and is contradicted in none",
    "not reproduced": "contradicted, or without an effect of a size that counts; where runs "
    "decide, it may hold with other data, or with settings that are not printed",
    "undecided": "no interval decides, on any corpus, or none after Holm's rule",
    "not testable here": "needs what is not at hand, says nothing that could be measured, or no "
    "test of it was planned",
    "open": "the runs or timings it needs are not all there yet",
}
_OUTCOMES = {"missing": "runs missing"}
_SAID = {
    **CORPORA,
    **INPUTS,
    "log_mel": "spectrograms",
    "parent_cnn": "the network of Yenigalla et al.",
    "lambda1": "λ₁",
}
"""How a page says what a configuration calls otherwise."""

_VERDICTS = """\
## Verdicts

| verdict | means | claims |
|---|---|---|
{rows}

On one corpus and input, a claim that one condition is better than another *holds* if the 95 %
interval of the effect lies above zero, however small the effect is. It is *contradicted* if the
interval lies below zero, *absent* if it lies within the smallest effect that counts, {smallest:g}
points to each side, and else *undecided*; of a ratio the interval lies above or below one. Where a
claim belongs to a family, an interval that leaves zero out decides only if its one-sided p value,
adjusted by Holm's rule over the family, is at most {level:g}; else that is undecided too. "Absent"
has no p value, so it is not adjusted, which helps no claim of a gain. What another rule asks stands
in the box of each claim it judges. Rows marked "beside" are shown and do not decide; nothing there
is adjusted.

Two limits. Intervals of accuracies draw speakers, as the plan says, or utterances where training
and test share speakers. With as few as ten speakers they are too narrow: on data without any
difference they leave zero out about twice as often as they should, and five times as often if the
recordings that folds train on in common make their results correlate by 0.2 (the chapter on
{{doc}}`paper 1's Table 1 </notebooks/table-1>` counts it). And p values far out in the tail are too
small, so that Holm's rule holds back less than it promises. "Would another analysis say
otherwise?", below, counts what hangs on that.
"""

_ANALYSES = """\
The plan's analysis was fixed before the runs and decides alone. Two more are made of the same
answers and decide nothing: the other accuracy (overall for class, class for overall) by the same
bootstrap; and a t-test over folds, corrected for the training data that they share, which takes
everybody tested in one fold, over all seeds, as one value (the chapter on {{doc}}`paper 1's Table 1
</notebooks/table-1>` computes one by hand, and shows on data without any difference how often each
analysis is wrong). No interval here is adjusted for the number of comparisons. Left out are
protocols that share speakers, and thinned training sets, for which the correction is another.

Of {total} comparisons of two accuracies (those that decide, those "beside", and claims of
similarity) the plan's interval leaves zero out in {plan}; a verdict needs more, Holm's rule. They
are not independent: a condition that is poor shows in every comparison it is part of. Of these
{plan}, the t-test's interval leaves zero out on the same side in {folds}; the other accuracy's,
computed for {asked} of them, in {other}. The other way round, the plan's interval
holds zero and one of the two others does not in {beyond}; in {opposite}, two of the three lie on
opposite sides of zero.
The plan's intervals reach {reach:.1f} points to each side of the estimate, those of the t-test
{reach_folds:.1f} (medians): differences much smaller than that would mostly have gone unseen here,
whether there are any or not.
"""

_DIFFER = """\
The comparisons on which the analyses differ, in points, estimate and 95 % interval:

| claim | where | plan | other accuracy | folds |
|---|---|---|---|---|
{rows}
"""

_RATIOS = """\
Ratios were to be judged by the plan's bootstrap, over held-out parts or folds, and are judged by
the t-test over folds (why, say the deviations). By the bootstrap, {count} of the {total} claims on
ratios would read otherwise{which}.
"""

_WORDS = """\
The plan has no word for "undecided": by its own words the {undecided} undecided claims would be not
reproduced{save}.
"""

_CLAIM = r"`?\b([a-z0-9]+(?:-[a-z0-9]+)+)\b`?"

_CLOSE = """\
Close calls among the comparisons that decide, where the outcome would be another if both ends of
the interval moved by a twentieth of the smallest effect (where it is a bootstrap's, another seed
can do that): {which}.
"""

_DEVIATIONS = """\
## Deviations from the plan

{rows}
"""

_OURS = """\
## Questions of ours

No sentence of the source claims these; we ask them. They are judged by the same rules and not
counted above.
"""

_RECORDS = """\
## The records

{downloads}

In `runs.parquet` each row is a run with its whole configuration; `predictions.parquet` has one row
for each tested utterance, with the probability of every class; `history.parquet` one for each
epoch; `embeddings.parquet` the last hidden layer of some runs. They share the column `run`.
"""

_EXAMPLE = """
These lines recompute the main table's rows with either fixed weight:

```{{literalinclude}} /results/{study}/table1.py
:language: python
```
"""


def markdown(ledger: Ledger, document: Mapping[str, Any], files: Collection[str]) -> str:
    """The page in Markdown.

    Args:
        ledger: the claims.
        document: what ``verdicts.json`` holds.
        files: names of the study's files that the book offers.
    """
    judged = document["claims"]
    groups = _by_verdict(ledger, judged)
    smallest = 100 * ledger.protocol.smallest
    rows = [f"| {word} | {_MEANING[word]} | {len(group)} |" for word, group in groups.items()]
    parts = [
        f"# {ledger.text['title']}\n\n{ledger.text['about']}",
        _VERDICTS.format(rows="\n".join(rows), level=LEVEL_OF_FAMILY, smallest=smallest),
    ]
    for word, group in groups.items():
        parts.append(f"### {word[0].upper()}{word[1:]}\n")
        parts += [_entry(claim, judged[claim["id"]]) for claim in group]
    if ledger.ours:
        parts += [_OURS, *(_entry(claim, judged[claim["id"]]) for claim in ledger.ours)]
    links = {c["id"]: f"[{c['says']}](#claim-{c['id']})" for c in ledger.claims}
    counted, otherwise = analyses(judged), _otherwise(ledger, judged, links)
    if counted or otherwise:
        parts.append("## Would another analysis say otherwise?\n")
    if counted:
        parts.append(_ANALYSES.format(**asdict(counted)))
        if counted.rows:
            rows = [f"| {links[name]} | {row} |" for name, row in counted.rows]
            parts.append(_DIFFER.format(rows="\n".join(rows)))
    parts += otherwise
    deviations = [
        f"- {re.sub(_CLAIM, lambda found: _linked(found, links), ' '.join(text.split()))}"
        for text in ledger.text.get("deviations", ())
    ]
    if deviations:
        parts.append(_DEVIATIONS.format(rows="\n".join(deviations)))
    downloads = ", ".join(
        f"{{download}}`{name} </results/{ledger.study}/{name}>`" for name in files
    )
    there = "runs.parquet" in files
    lead = (
        "All of it can be downloaded: " if there else "The records follow when the runs are done: "
    )
    parts.append(_RECORDS.format(downloads=f"{lead}{downloads}."))
    if "table1.py" in files:
        parts.append(_EXAMPLE.format(study=ledger.study))
    return "\n".join(parts)


def summary(ledger: Ledger, document: Mapping[str, Any], seconds: Collection[float]) -> str:
    """One page in the form of the ML Reproducibility Challenge, in Markdown.

    Args:
        ledger: the claims; its ``summary`` names those that are shown with their numbers.
        document: what ``verdicts.json`` holds.
        seconds: that each run of the records took.
    """
    judged = document["claims"]
    theirs, groups = ledger.theirs, _by_verdict(ledger, judged)
    counts = ", ".join(f"{len(group)} {word}" for word, group in groups.items())
    on_paper = [c["id"] for c in theirs if c["rule"] in ON_PAPER]
    reproduced = sum(judged[name]["verdict"] == "reproduced" for name in on_paper)
    results = f"Of the {len(theirs)} claims: {counts}."
    if on_paper:
        results += (
            f" The {len(on_paper)} that are about printed figures, counts and the size of the "
            f"network need no training; {reproduced} of them are reproduced."
        )
    compared = [claim["id"] for claim in theirs if "cells" in claim]
    held = Counter(judged[name]["verdict"] for name in compared)
    results += (
        f" Of the {len(compared)} that compare trained networks, {held['reproduced']} are "
        f"reproduced and {held['partly']} partly."
    )
    if not document["records"]:
        results += " The runs are not finished, so that no comparison is judged yet."
    chosen = [c for c in ledger.claims if c["id"] in ledger.text["summary"]]
    rows = [
        f"| {{ref}}`{claim['says']} <claim-{claim['id']}>`"
        f"{' (asked by us)' if claim.get('ours') else ''} | "
        f"{judged[claim['id']]['verdict']} | {_in_short(judged[claim['id']])} |"
        for claim in chosen
    ]
    text = (ledger.folder / "summary.md").read_text(encoding="utf-8")
    return text.format(
        total=len(theirs),
        seeds=", ".join(map(str, ledger.protocol.seeds)),
        smallest=100 * ledger.protocol.smallest,
        results=results,
        table="\n".join(["| claim | verdict | measured |", "|---|---|---|", *rows]),
        compute=f"The {len(seconds):,} runs in the records took {sum(seconds) / 3600:.0f} hours, "
        "each on one thread of a CPU.",
    )


def _by_verdict(
    ledger: Ledger, judged: Mapping[str, Mapping[str, Any]]
) -> dict[str, list[Mapping[str, Any]]]:
    """The paper's claims under each verdict that one of them has."""
    groups: dict[str, list[Mapping[str, Any]]] = {word: [] for word in VERDICTS}
    for claim in ledger.theirs:
        groups[judged[claim["id"]]["verdict"]].append(claim)
    return {word: group for word, group in groups.items() if group}


def _in_short(judged: Mapping[str, Any]) -> str:
    """What was measured for a claim, where it was: the deciding effects alone."""
    told = []
    for cell in judged.get("cells", ()):
        numbers = cell["numbers"]
        if cell.get("beside"):
            continue
        if "ratio" in numbers:
            text = f"{Interval(*numbers['ratio']).text('{:.2f}', 1)} times"
        elif "effect" in numbers:
            text = f"{_points([numbers[name] for name in ('effect', 'low', 'high')])} points"
        elif "accuracy" in numbers:
            text = f"{Interval(*numbers['accuracy']).text('{:.1f}')} %"
        elif "accuracies" in numbers:
            text = ", ".join(f"{name} {100 * v:.1f} %" for name, v in numbers["accuracies"].items())
        else:
            text = _OUTCOMES.get(cell["outcome"], cell["outcome"])
        told.append(f"{_where(cell)}: {text}")
    if not told and (numbers := judged.get("numbers")) and {"ratio", "low", "high"} <= set(numbers):
        ends = Interval(numbers["ratio"], numbers["low"], numbers["high"])
        told.append(f"{ends.text('{:.2f}', 1)} times")
    return "<br>".join(told)


@dataclass(frozen=True)
class Analyses:
    """How often the plan's analysis of two accuracies and two others say the same.

    A comparison that stands beside several claims counts once.
    """

    total: int
    plan: int
    """Comparisons whose interval by the plan leaves zero out."""
    asked: int
    """Those of them that have the other accuracy as well."""
    other: int
    """Those of ``asked`` whose other accuracy lies on the same side of zero."""
    folds: int
    """Those of ``plan`` whose t-test over folds does."""
    beyond: int
    """Comparisons on which the plan's interval holds zero and one of the two others does not."""
    opposite: int
    """Comparisons on which two lie on opposite sides of zero."""
    reach: float
    """Median of half the plan's intervals' lengths, in points."""
    reach_folds: float
    """The same of the t-tests' intervals."""
    rows: tuple[tuple[str, str], ...]
    """A claim and the cells of its row, for each comparison on which the analyses differ."""


def analyses(judged: Mapping[str, Mapping[str, Any]]) -> Analyses | None:
    """Count what ``claims`` of ``verdicts.json`` hold; None if they compare no accuracies yet."""
    found: dict[tuple[float, ...], tuple[str, str, list[Sequence[float] | None]]] = {}
    for name, entry in judged.items():
        for cell in entry.get("cells", ()):
            numbers = cell["numbers"]
            if "by_fold" not in numbers:
                continue
            plan = [numbers[k] for k in ("effect", "low", "high")]
            other = next((numbers[k] for k in ("overall", "class") if k in numbers), None)
            key = (*plan, *numbers["by_fold"])
            if key not in found or found[key][2][1] is None:
                found[key] = name, _where(cell), [plan, other, numbers["by_fold"]]
    if not found:
        return None
    sides = [[_side(value) for value in values] for *_, values in found.values()]
    decided = [by for by in sides if by[0]]
    asked = [by for by in decided if by[1] is not None]
    return Analyses(
        total=len(found),
        plan=len(decided),
        asked=len(asked),
        other=sum(by[0] == by[1] for by in asked),
        folds=sum(by[0] == by[2] for by in decided),
        beyond=sum(not plan and bool(other or folds) for plan, other, folds in sides),
        opposite=sum({-1, 1} <= set(by) for by in sides),
        reach=_reach(key[1:3] for key in found),
        reach_folds=_reach(key[4:6] for key in found),
        rows=tuple(
            (name, " | ".join([where, *map(_points, values)]))
            for (name, where, values), by in zip(found.values(), sides, strict=True)
            if len(set(by) - {None}) > 1
        ),
    )


def _linked(found: re.Match[str], links: Mapping[str, str]) -> str:
    """A claim's name as a link to its box; what is no claim's name stays."""
    return f"[{found[1]}](#claim-{found[1]})" if found[1] in links else found[0]


def _otherwise(
    ledger: Ledger, judged: Mapping[str, Mapping[str, Any]], links: Mapping[str, str]
) -> list[str]:
    """What the plan's own analysis and words would have made of the verdicts, and close calls."""
    parts = []
    ratios = {name: entry for name, entry in judged.items() if "planned" in entry}
    changed = [
        f"{links[name]}, {entry['planned']['verdict']} instead of {entry['verdict']}"
        for name, entry in ratios.items()
        if entry["planned"]["verdict"] != entry["verdict"]
    ]
    if ratios:
        which = f": {'; '.join(changed)}" if changed else ""
        parts.append(_RATIOS.format(count=len(changed), total=len(ratios), which=which))
    undecided = sum(judged[claim["id"]]["verdict"] == "undecided" for claim in ledger.theirs)
    if undecided:
        judged_otherwise = any(
            entry["verdict"] == "undecided" != entry["planned"]["verdict"]
            for entry in ratios.values()
        )
        exception = ", but for the ratios that its own bootstrap judges otherwise"
        save = exception if judged_otherwise else ""
        parts.append(_WORDS.format(undecided=undecided, save=save))
    close = [
        f"{links[name]} ({_where(cell)})"
        for name, entry in judged.items()
        for cell in entry.get("cells", ())
        if cell["numbers"].get("close") and not cell.get("beside")
    ]
    if close:
        parts.append(_CLOSE.format(which="; ".join(close)))
    return parts


def _side(values: Sequence[float] | None) -> int | None:
    """On which side of zero an interval lies (estimate, low, high); 0 if it holds zero."""
    return None if values is None else Interval(*values).side


def _reach(ends: Iterable[Sequence[float]]) -> float:
    return median(100 * (high - low) / 2 for low, high in ends)


def _points(values: Sequence[float] | None) -> str:
    return "–" if values is None else Interval(*values).text()


def _entry(claim: Mapping[str, Any], judged: Mapping[str, Any]) -> str:
    rule = RULES[claim["rule"]]
    facts = {
        "name": f"`{claim['id']}`",
        "place": claim["place"],
        "words": claim["quote"],
        "printed": _printed(claim.get("printed")),
        "here": claim["protocol"],
        "rule": f"`{claim['rule']}`: {rule.__doc__ or ''}",
        "why": claim.get("reason", ""),
        "source": claim.get("source", ""),
        "compared": _compared(claim),
        "smallest effect": _smallest(claim),
        "family": claim.get("family", ""),
        "by the plan's bootstrap": _planned(judged.get("planned")),
        "computed": _computed(judged.get("numbers")),
    }
    rows = [f"| {name} | {_cell(text)} |" for name, text in facts.items() if text]
    lines = [
        f"(claim-{claim['id']})=",
        f"::::{{dropdown}} {claim['says']}: {judged['verdict']}",
        "| entry | text |\n|---|---|",
        *rows,
        "",
        *_cells(judged.get("cells", ()), claim.get("metric", "accuracy_class")),
        "::::\n",
    ]
    return "\n".join(lines)


def _cells(cells: Iterable[Mapping[str, Any]], metric: str) -> list[str]:
    rows = []
    for cell in cells:
        numbers = cell["numbers"]
        outcome = _OUTCOMES.get(cell["outcome"], cell["outcome"])
        outcome += " (close)" if numbers.get("close") else ""
        rows.append(
            f"| {_where(cell)} | {outcome} | {_effect(numbers, metric)} | {_p_value(numbers)} |"
        )
    head = ["| where | outcome | effect, 95 % interval | p (adjusted) |", "|---|---|---|---|"]
    return [*head, *rows, ""] if rows else []


def _where(cell: Mapping[str, Any]) -> str:
    where = ", ".join(_setting(*pair) for pair in cell["where"].items())
    return f"{where} (beside)" if cell.get("beside") else where


def _effect(numbers: Mapping[str, Any], metric: str) -> str:
    if "ratio" in numbers:
        text = f"second over first {Interval(*numbers['ratio']).text('{:.2f}', 1)}"
        return f"{text}; geometric means {numbers['first']:.4g} and {numbers['second']:.4g}"
    if "effect" in numbers:
        effect = _points([numbers[name] for name in ("effect", "low", "high")])
        ours = f"{100 * numbers['first']:.1f} and {100 * numbers['second']:.1f}"
        names = ("overall", "class")
        main, other = names if metric == "accuracy_overall" else names[::-1]
        text = f"{effect} points; {main} accuracies {ours}"
        if other in numbers:
            text += f"; {other} accuracy {_points(numbers[other])}"
        if "by_fold" in numbers:
            text += f"; over folds {_points(numbers['by_fold'])}"
        if "holds_printed_effect" in numbers:
            side = "inside" if numbers["holds_printed_effect"] else "outside"
            text += f"; the printed gain lies {side}"
        return text
    if "accuracy" in numbers:
        reached = Interval(*numbers["accuracy"])
        text = f"overall accuracy {reached.text('{:.1f}')}"
        if "printed_accuracy" in numbers:
            size, ends = numbers["printed_accuracy"].values()
            theirs = Interval(*ends)
            side = "inside" if theirs.low <= reached.estimate <= theirs.high else "outside"
            text += f"; the printed one, if of {size} utterances, {theirs.text('{:.1f}')}: "
            text += f"ours lies {side}"
        return text
    if "share" in numbers:
        ends = [100 * numbers["accuracies"][name] for name in ("lowest", "mean", "highest")]
        spread = f"{ends[0]:.1f} to {ends[2]:.1f}, mean {ends[1]:.1f}"
        return f"{numbers['reached']} of {numbers['draws']} draws; accuracies {spread}"
    if "accuracies" in numbers:
        return ", ".join(f"{name}: {100 * v:.1f}" for name, v in numbers["accuracies"].items())
    for what in ("runs", "values"):
        if wanted := numbers.get(f"{what}_needed"):
            return f"{numbers[what]} of {wanted} {what}"
    return ""


def _p_value(numbers: Mapping[str, Any]) -> str:
    if "p" not in numbers:
        return ""
    adjusted = f" ({numbers['p_adjusted']:.4f})" if "p_adjusted" in numbers else ""
    return f"{numbers['p']:.4f}{adjusted}"


def _compared(claim: Mapping[str, Any]) -> str:
    sides = []
    for name in ("first", "second"):
        if name in claim:
            settings = ", ".join(_setting(*pair) for pair in claim[name].items())
            sides.append(settings or ("the same without that" if name == "second" else ""))
    compared = " against ".join(filter(None, sides))
    if "vary" in claim:
        others = ", ".join(f"{value:g}" for value in claim["values"])
        compared += f": {_setting(claim['vary'], claim['chosen'])} among {others}"
    return compared


def _smallest(claim: Mapping[str, Any]) -> str:
    if claim["rule"] == "lower":
        return f"a ratio of {claim['smallest']:g}"
    if claim["rule"] in ("better", "similar"):
        return f"{100 * claim['smallest']:g} points"
    return ""


def _setting(name: str, value: Any) -> str:
    if name in ("corpus", "input", "objective", "model"):
        return _SAID.get(value, str(value))
    name = _SAID.get(name, name.replace("_", " "))
    if value == "validation":
        return f"{name} by validation"
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    return f"{name} = {value:g}" if isinstance(value, float) else f"{name} {value}"


def _printed(printed: Mapping[str, Any] | None) -> str:
    if not printed:
        return ""
    values = {k: v if isinstance(v, list) else [v] for k, v in printed.items()}
    return "; ".join(f"{k.replace('_', ' ')} {', '.join(map(str, v))}" for k, v in values.items())


def _computed(numbers: Mapping[str, Any] | None) -> str:
    if not numbers:
        return ""
    return "; ".join(f"{name.replace('_', ' ')}: {_plain(v)}" for name, v in numbers.items())


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(_plain(inner) for inner in value)
    return (
        f"{value:,.4g}"
        if isinstance(value, float)
        else f"{value:,}"
        if isinstance(value, int)
        else str(value)
    )


def _planned(planned: Mapping[str, Any] | None) -> str:
    if not planned or planned["verdict"] == "open":
        return ""
    cells = (
        f"{cell['outcome']} {Interval(*cell['ratio']).text('{:.2f}', 1)}"
        for cell in planned["cells"]
        if cell["ratio"]
    )
    return f"{planned['verdict']}: {', '.join(cells)}"


def _cell(text: str) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")
