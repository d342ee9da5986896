"""From records to accuracies: per speaker and seed, and pooled over all speakers per seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import pandas as pd

from ser_lib.config import RunConfig
from ser_lib.metrics import accuracy_class, accuracy_overall

if TYPE_CHECKING:
    from ser_lib.records import Records

CONDITIONS = ("corpus", "input", "objective", "lambda1")
"""Columns of the runs that make a condition wherever they are not named."""

_SETTINGS = [f.name for f in fields(RunConfig) if f.name not in ("fold", "seed")]


@dataclass(frozen=True)
class AccuracyTable:
    """Accuracies of every condition of a study, in the two summaries that it reports.

    ``utterances`` has one row per tested utterance: the conditions, ``seed``, ``speaker``,
    ``key``, ``truth``, ``predicted``. ``by_speaker`` has one row per condition, seed and speaker,
    ``pooled`` one per condition and seed, over the utterances of all speakers together; both have
    the number of ``utterances``, ``accuracy_overall`` and ``accuracy_class`` (in [0, 1]).
    """

    conditions: tuple[str, ...]
    utterances: pd.DataFrame
    by_speaker: pd.DataFrame
    pooled: pd.DataFrame

    def array(self, metric: str = "accuracy_class", **condition: Any) -> pd.DataFrame:
        """One condition's accuracy per speaker (row) and seed (column), both sorted.

        Args:
            metric: ``accuracy_class`` or ``accuracy_overall``.
            **condition: Values of the columns in ``conditions``; together they must single out
                one condition.

        Raises:
            ValueError: the metric or a column is unknown, or none or several conditions are left.
        """
        if metric not in ("accuracy_class", "accuracy_overall"):
            raise ValueError(f"metric {metric!r}, known: accuracy_class, accuracy_overall")
        chosen = self._one(self.by_speaker, condition)
        return chosen.pivot(index="speaker", columns="seed", values=metric)

    def answers(self, **condition: Any) -> pd.DataFrame:
        """One condition's rows of ``utterances``, sorted by seed and key.

        Raises:
            ValueError: a column is unknown, or none or several conditions are left.
        """
        chosen = self._one(self.utterances, condition)
        return chosen.sort_values(["seed", "key"], ignore_index=True)

    def _one(self, frame: pd.DataFrame, condition: Mapping[str, Any]) -> pd.DataFrame:
        if unknown := sorted(set(condition) - set(self.conditions)):
            raise ValueError(f"no condition {', '.join(unknown)}; known: {self.conditions}")
        kept = frame
        for name, value in condition.items():
            kept = kept[kept[name] == value]
        names = list(self.conditions)
        left = kept[names].drop_duplicates()
        if len(left) != 1:
            known = frame[names].drop_duplicates() if left.empty else left
            raise ValueError(
                f"{dict(condition)} fits {len(left)} conditions, one is needed; there are: "
                f"{known.to_dict('records')}"
            )
        return kept


def accuracy_table(
    records: Records,
    speakers: Mapping[str, str],
    *,
    by: Sequence[str] | None = None,
    complete: bool = True,
) -> AccuracyTable:
    """Score the records of a study per speaker and seed, and pooled per seed.

    Runs without predictions (objective A, which does not classify) are left out.

    Args:
        records: ``runs`` and ``predictions`` of a study.
        speakers: Speaker of every tested utterance, by its key.
        by: Columns of ``runs`` that make a condition. If not given: ``CONDITIONS`` and whatever
            other setting differs between runs that agree in these.
        complete: Refuse a seed that did not test all that the condition's other seeds tested, as
            when a study is half run. Say no where every seed draws its own test set.

    Raises:
        ValueError: there is nothing to score; a column, run or key is unknown; a value is missing;
            the runs of one condition differ in another setting; an utterance was tested twice in
            one condition and seed; a seed is incomplete.
    """
    names = list(CONDITIONS if by is None else by)
    runs, predictions = records.runs, records.predictions
    needed = {"run", "seed", *names} - set(runs.columns)
    needed |= {"run", "key", "truth", "predicted"} - set(predictions.columns)
    if not names or needed:
        raise ValueError(f"conditions {names}: the records have no column {sorted(needed)}")
    if predictions.empty:
        raise ValueError("the records hold no predictions")
    if unknown := sorted(set(predictions["run"]) - set(runs["run"])):
        raise ValueError(f"predictions of runs that are not among the runs: {unknown}")
    runs = runs[runs["run"].isin(predictions["run"])]
    if len(twice := runs[runs["run"].duplicated()]):
        raise ValueError(f"run {twice['run'].iloc[0]!r} stands twice among the runs")
    _refuse_missing(runs, ["seed", *names])
    while mixed := _mixed(runs, names):
        if by is not None:
            raise ValueError(f"runs of the same {names} differ in {mixed!r}: add it to by")
        names.append(mixed)
    _refuse_missing(runs, names)

    columns = ["run", "key", "truth", "predicted"]
    _refuse_missing(predictions, columns)
    rows = predictions[columns].merge(runs[["run", "seed", *names]], on="run", validate="m:1")
    if strangers := sorted(set(rows["key"]) - set(speakers)):
        raise ValueError(
            f"{len(strangers)} tested utterances have no speaker, the first is {strangers[0]!r}"
        )
    rows["speaker"] = rows["key"].map(dict(speakers))
    _refuse_missing(rows, ["speaker"])
    if len(twice := rows[rows.duplicated([*names, "seed", "key"])]):
        first = twice.iloc[0]
        raise ValueError(
            f"utterance {first['key']!r} was tested twice in {_name(first, [*names, 'seed'])}"
        )
    if complete:
        _refuse_gaps(rows, names)
    rows = rows[[*names, "seed", "speaker", "key", "truth", "predicted"]]
    rows = rows.sort_values([*names, "seed", "speaker", "key"], ignore_index=True)
    return AccuracyTable(
        tuple(names),
        rows,
        _scored(rows, [*names, "seed", "speaker"]),
        _scored(rows, [*names, "seed"]),
    )


def _scored(rows: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    scored = []
    for values, group in rows.groupby(names, sort=True):
        truth, predicted = group["truth"].to_numpy(), group["predicted"].to_numpy()
        scored.append(
            {
                **dict(zip(names, values, strict=True)),
                "utterances": len(group),
                "accuracy_overall": accuracy_overall(truth, predicted),
                "accuracy_class": accuracy_class(truth, predicted),
            }
        )
    return pd.DataFrame(scored)


def _refuse_missing(frame: pd.DataFrame, names: list[str]) -> None:
    if empty := [name for name in names if frame[name].isna().any()]:
        raise ValueError(f"values are missing in column {', '.join(empty)}")


def _mixed(runs: pd.DataFrame, names: list[str]) -> str | None:
    """A setting in which runs of the same condition differ."""
    groups = runs.groupby(names)
    for name in _SETTINGS:
        known = name in runs and name not in names
        if known and (groups[name].nunique(dropna=False) > 1).any():
            return name
    return None


def _refuse_gaps(rows: pd.DataFrame, names: list[str]) -> None:
    for _, group in rows.groupby(names):
        everything = group["key"].nunique()
        for seed, count in group.groupby("seed")["key"].count().items():
            if count < everything:
                raise ValueError(
                    f"seed {seed} of {_name(group.iloc[0], names)} tested {count} of the "
                    f"{everything} utterances that its seeds tested together"
                )


def _name(row: pd.Series[Any], names: list[str]) -> str:
    return ", ".join(f"{name} {row[name]}" for name in names)
