"""Tables 1 and 2 of paper 1, row by row beside what the records of a study say."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ser_lib import records
from ser_lib.claims.ledger import load_ledger
from ser_lib.evidence import Evidence, Missing, Protocol
from ser_lib.evidence.conditions import BY_VALIDATION, Condition
from ser_lib.statistics import Interval, Metric, bootstrap_mean, bootstrap_pooled

PAPER_CORPUS = "iemocap"
"""The paper's corpus has a column whether it was run or not."""

NOT_RUN = "not run here"
INPUTS = {"mfcc": "MFCC", "log_mel": "spectrogram"}
CORPORA = {"emodb": "EMO-DB", "ravdess": "RAVDESS"}
"""The corpora of this study, as a reader knows them."""
ACCURACIES: tuple[Metric, ...] = ("accuracy_overall", "accuracy_class")


@dataclass(frozen=True)
class Row:
    """A row as the paper prints it, and the condition that stands for it here."""

    model: str
    input: str
    printed: tuple[float, ...]
    """Overall and class accuracy in per cent, or the error in units of 1e-4."""
    condition: Condition | None
    """None where the paper quotes another network, which is not built here."""


def _ours(objective: str, input: str, *printed: float) -> Row:
    return Row(objective, input, printed, {"objective": objective, "input": input})


TABLE_1 = (
    Row("Lee and Tashev (2015)", "log_mel", (62.8, 63.9), None),
    Row("Satt et al. (2017)", "log_mel", (68.8, 59.4), None),
    Row(
        "Yenigalla et al. (2018)",
        "log_mel",
        (71.2, 61.9),
        {"model": "parent_cnn", "input": "log_mel"},
    ),
    _ours("S", "mfcc", 70.5, 61.2),
    _ours("S+A", "mfcc", 72.9, 65.4),
    _ours("S+C", "mfcc", 73.4, 66.1),
    _ours("S+A+C", "mfcc", 74.1, 66.7),
    _ours("S", "log_mel", 71.2, 61.9),
    _ours("S+A", "log_mel", 73.1, 65.2),
    _ours("S+C", "log_mel", 73.6, 66.5),
    _ours("S+A+C", "log_mel", 74.3, 67.2),
)
"""Paper 1, Table 1."""


def printed_gain(model: str, input: str) -> float:
    """Class accuracy that Table 1 prints for a row, minus that of S with the same input, in points.

    Example:
        >>> round(printed_gain("S+A", "mfcc"), 6)
        4.2
    """
    by_class = {(row.model, row.input): row.printed[1] for row in TABLE_1}
    return by_class[model, input] - by_class["S", input]


TABLE_2 = (
    _ours("A", "mfcc", 21.32),
    _ours("S+A", "mfcc", 3.62),
    _ours("S+A+C", "mfcc", 3.47),
    _ours("A", "log_mel", 18.31),
    _ours("S+A", "log_mel", 3.23),
    _ours("S+A+C", "log_mel", 3.29),
)
"""Paper 1, Table 2."""


def compare(study: str) -> dict[str, Any]:
    """Both tables with a cell for each corpus, from the packed records.

    A cell of Table 1 has both accuracies in per cent (all speakers of a corpus together, mean over
    seeds), one of Table 2 the mean squared error on held-out speakers after the last epoch, in
    units of 1e-4: the value and the two ends of its 95 % interval. A row with a center loss stands
    once for each weight that the study fixed, and in Table 1 for the weight that validation chose.
    A cell whose runs are missing says so.

    Args:
        study: a folder of ``results/``; its ``claims.yml``, or else its plan, says under ``rules``
            when a row is whole.

    Raises:
        ValueError: the study has no plan or no such rules, or its records contradict them.
    """
    folder = records.study_folder(study)
    protocol = _protocol(folder)
    evidence = Evidence(records.load_if_any(study), protocol)
    corpora = (PAPER_CORPUS, *(name for name in protocol.sizes if name != PAPER_CORPUS))
    return {
        "study": study,
        "seeds": list(protocol.seeds),
        "corpora": {name: _about(name, protocol) for name in corpora},
        "table1": _rows(
            TABLE_1, evidence, corpora, _accuracies, (*protocol.weights, BY_VALIDATION)
        ),
        "table2": _rows(TABLE_2, evidence, corpora, _error, protocol.weights),
    }


def _protocol(folder: Path) -> Protocol:
    if (folder / "claims.yml").is_file():
        return load_ledger(folder.name).protocol
    path = folder / "plan.toml"
    try:
        plan = tomllib.loads(path.read_text(encoding="utf-8"))
        return Protocol.from_rules(plan["rules"], plan.get("fixed", {}))
    except FileNotFoundError as error:
        raise ValueError(f"study {folder.name!r} has no plan: {path} does not exist") from error
    except (KeyError, TypeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(
            f"{path} does not say when a row of a table is whole, as results/iemocap/plan.toml "
            f"does under [rules]: {type(error).__name__} {error}"
        ) from error


def _about(corpus: str, protocol: Protocol) -> dict[str, Any]:
    if corpus not in protocol.sizes:
        return {"missing": NOT_RUN}
    if "sessions" not in protocol.sizes[corpus]:
        raise ValueError(f"the study's runs on {corpus!r} are not by paper 1's protocol 'sessions'")
    utterances = protocol.sizes[corpus]["sessions"].utterances
    notes = [protocol.notes[corpus]] if corpus in protocol.notes else []
    if corpus == PAPER_CORPUS:
        from ser_lib.corpora.iemocap import EXPECTED

        complete = next(sum(e.labels.values()) for e in EXPECTED if e.part == "improvised")
        if utterances != complete:
            notes.append(f"not the paper's data, which are {complete:,} utterances")
    return {"utterances": utterances, "notes": notes}


Cell = dict[str, Any]


def _rows(
    rows: Iterable[Row],
    evidence: Evidence,
    corpora: Iterable[str],
    measure: Callable[[Evidence, Condition], Cell],
    weights: Iterable[float | str],
) -> list[dict[str, Any]]:
    made = []
    for row in rows:
        centered = "C" in (row.condition or {}).get("objective", "")
        for named in [{"lambda1": weight} for weight in weights] if centered else [{}]:
            entry: dict[str, Any] = {
                "model": row.model,
                "input": row.input,
                **named,
                "printed": list(row.printed),
            }
            if row.condition is not None:
                entry["here"] = {
                    corpus: _cell(evidence, {**row.condition, **named, "corpus": corpus}, measure)
                    for corpus in corpora
                }
            made.append(entry)
    return made


def _cell(
    evidence: Evidence, condition: Condition, measure: Callable[[Evidence, Condition], Cell]
) -> Cell:
    if condition["corpus"] not in evidence.protocol.sizes:
        return {"missing": NOT_RUN}
    try:
        return measure(evidence, condition)
    except Missing as missing:
        if missing.found == 0:
            return {"missing": NOT_RUN}
        return {"missing": f"{missing.found} of {missing.wanted} runs"}


def _accuracies(evidence: Evidence, condition: Condition) -> Cell:
    answers = evidence.answers(condition)
    return {name: _scaled(bootstrap_pooled(answers, metric=name), 100) for name in ACCURACIES}


def _error(evidence: Evidence, condition: Condition) -> Cell:
    return {"mse": _scaled(bootstrap_mean(evidence.by_part(condition, "reconstruction")), 1e4)}


def _scaled(interval: Interval, factor: float) -> list[float]:
    return [factor * end for end in interval.ends]


# ---- as text -------------------------------------------------------------------------------------


def text(document: Mapping[str, Any]) -> str:
    """Lay out what :func:`compare` gave for a terminal."""
    seeds = ", ".join(map(str, document["seeds"]))
    corpora = document["corpora"]
    lines = [
        f"Table 1: overall / class accuracy in %, all speakers together, mean of seeds {seeds};",
        "in brackets the 95 % interval of class accuracy over speakers and seeds",
        "",
        *_grid(document["table1"], corpora, _accuracies_text),
        "",
        "Table 2: mean squared error of the reconstruction in 1e-4, held-out speakers, last epoch;",
        "in brackets its 95 % interval over held-out parts and seeds. It depends on how the input",
        "is scaled: compare ratios.",
        "",
        *_grid(document["table2"], corpora, _error_text),
        "",
    ]
    for name, about in corpora.items():
        told = [f"{about['utterances']:,} utterances", *about["notes"]] if "notes" in about else []
        lines.append(f"{name}: {'; '.join(told) or about['missing']}")
    return "\n".join(lines)


def _grid(
    rows: Iterable[Mapping[str, Any]], corpora: Iterable[str], show: Callable[[Cell], str]
) -> list[str]:
    table = [["model", "input", "paper", *corpora]]
    for row in rows:
        said = row["model"]
        if "lambda1" in row:
            weight = row["lambda1"]
            said += f", lambda1 by {weight}" if weight == BY_VALIDATION else f", lambda1 {weight:g}"
        printed = " / ".join(f"{value:.4g}" for value in row["printed"])
        cells = [show(row["here"][name]) if "here" in row else "-" for name in corpora]
        table.append([said, INPUTS[row["input"]], printed, *cells])
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(entry.ljust(width) for entry, width in zip(line, widths, strict=True)).rstrip()
        for line in table
    ]


def _accuracies_text(cell: Cell) -> str:
    if "missing" in cell:
        return str(cell["missing"])
    (overall, _, _), (mean, low, high) = (cell[name] for name in ACCURACIES)
    return f"{overall:.1f} / {mean:.1f} [{low:.1f}, {high:.1f}]"


def _error_text(cell: Cell) -> str:
    if "missing" in cell:
        return str(cell["missing"])
    mean, low, high = cell["mse"]
    return f"{mean:.2f} [{low:.2f}, {high:.2f}]"
