"""What the packed records of a study say of one condition: whole, or not there yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

import numpy as np
import pandas as pd

from ser_lib.config import RunConfig
from ser_lib.corpora.base import PAPER_EMOTIONS, speaker_of
from ser_lib.metrics import accuracy_class, accuracy_overall
from ser_lib.records import Records, as_column
from ser_lib.statistics import Metric

Condition = Mapping[str, Any]
"""Values of the fields of :class:`ser_lib.config.RunConfig`; what is not named has its default.

``by`` says which answers count (see :class:`ser_lib.training.Choice`): by default those by angle
after a triplet stage, else those by softmax. ``seeds`` replaces the seeds of the protocol.
"""

BY_VALIDATION = "validation"
"""Value of ``lambda1`` that stands for the better of several weights, chosen by validation."""

_SETTINGS = {f.name for f in fields(RunConfig)} - {"corpus_hash", "fold", "seed"}


class Missing(Exception):  # noqa: N818 - it is no error: the runs are still to come
    """Runs that a condition needs are not in the records.

    Its text is what stands in the place of a number: "running: 7 of 15 runs".
    """

    def __init__(self, found: int, wanted: int) -> None:
        """Say how many of how many runs are there."""
        super().__init__(f"running: {found} of {wanted} runs")
        self.found, self.wanted = found, wanted

    @classmethod
    def joined(cls, parts: Iterable[Self]) -> Self:
        """Join what several conditions lack."""
        parts = list(parts)
        return cls(sum(part.found for part in parts), sum(part.wanted for part in parts))


@dataclass(frozen=True)
class Size:
    """How much a protocol tests."""

    folds: int
    utterances: int
    """Tested utterances of all folds; one that two random draws share counts twice."""


@dataclass(frozen=True)
class Protocol:
    """What makes a condition whole, fixed before the runs."""

    seeds: tuple[int, ...]
    sizes: Mapping[str, Mapping[str, Size]]
    """How much each protocol tests of each corpus."""
    weights: tuple[float, ...]
    """What ``lambda1: validation`` chooses among."""
    fixed: Condition
    """Settings of all runs, ``[fixed]`` of the plan."""
    emotions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """All emotions of a corpus, where a condition asks for "all"."""
    of_all: Mapping[str, int] = field(default_factory=dict)
    """Tested utterances then, where the plan's usual emotions are fewer."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """What must be said of a corpus wherever it is shown."""
    smallest: float = 0.0
    """Smallest effect on class accuracy that counts, ``smallest_effect`` of the plan."""

    @classmethod
    def from_rules(cls, rules: Mapping[str, Any], fixed: Condition, smallest: float = 0.0) -> Self:
        """Read ``rules`` of a ledger or a plan.

        Raises:
            KeyError: an entry is missing.
            TypeError: an entry is of another kind.
        """
        corpora = rules["corpora"]
        usual = fixed.get("protocol", "sessions")
        sizes = {
            name: {
                protocol: Size(size["folds"], size["utterances"])
                for protocol, size in {usual: corpus, **corpus.get("protocols", {})}.items()
            }
            for name, corpus in corpora.items()
        }
        return cls(
            seeds=tuple(rules["seeds"]),
            sizes=sizes,
            weights=tuple(rules.get("lambda1_by_validation", ())),
            fixed=fixed,
            smallest=smallest,
            emotions={name: tuple(corpus.get("emotions", ())) for name, corpus in corpora.items()},
            of_all={
                name: c["utterances_of_all"]
                for name, c in corpora.items()
                if "utterances_of_all" in c
            },
            notes={name: size["note"] for name, size in corpora.items() if "note" in size},
        )

    def tested(self, config: RunConfig) -> int:
        """How many utterances all folds of a configuration test together."""
        if config.emotions == self.emotions.get(config.corpus) and config.corpus in self.of_all:
            return self.of_all[config.corpus]
        return self.sizes[config.corpus][config.protocol].utterances


class Evidence:
    """Records of a study, asked by condition."""

    def __init__(self, records: Records | None, protocol: Protocol) -> None:
        """Take packed records, or none where the study has not been run."""
        self.records = records
        self.protocol = protocol
        self._answers: dict[str, pd.DataFrame] = {}

    def runs(self, condition: Condition) -> pd.DataFrame:
        """Rows of ``runs`` of a condition, one for each fold and seed.

        Raises:
            Missing: some are not there.
            ValueError: the condition is wrong, two runs are of the same fold and seed, or the
                records have the corpus's emotions from different copies of it.
        """
        config = self.config(condition)
        seeds = condition.get("seeds", self.protocol.seeds)
        wanted = self.protocol.sizes[config.corpus][config.protocol].folds * len(seeds)
        if self.records is None:
            raise Missing(0, wanted)
        runs = self.records.runs
        kept = runs["seed"].isin(seeds).to_numpy()
        same = {}
        for name in _SETTINGS:
            if name not in runs:
                raise ValueError(f"the records have no column {name!r}")
            same[name] = (runs[name] == as_column(getattr(config, name))).to_numpy()
            kept = kept & same[name]
        # Of all runs, not of this condition's: another may be compared with it.
        if runs["corpus_hash"][same["corpus"] & same["emotions"]].nunique() > 1:
            raise ValueError(f"runs on {config.corpus} are of different copies of the corpus")
        found = runs[kept]
        if len(twice := found[found.duplicated(["fold", "seed"])]):
            raise ValueError(
                f"two runs of {config.label}: run {twice['run'].iloc[0]} is the second"
            )
        if len(found) < wanted:
            raise Missing(len(found), wanted)
        return found

    def answers(self, condition: Condition) -> pd.DataFrame:
        """Tested utterances of a condition: seed, key, speaker, truth and what was predicted.

        ``speaker`` is what an interval draws: under random protocols, which share speakers between
        training and test, it is the utterance. ``part`` is the speaker, or the random draw.

        With ``lambda1: validation`` each held-out part of each fold and seed brings the run that
        its own validation accuracy was higher with (then lower cross-entropy, then lower weight),
        so that the choice never saw the speakers that are tested.

        Raises:
            Missing: runs are not there.
            ValueError: as for ``runs``, or utterances are missing or doubled.
        """
        key = repr(sorted(condition.items()))
        if key not in self._answers:
            self._answers[key] = self._whole(condition)
        return self._answers[key].copy()

    def history(self, condition: Condition) -> pd.DataFrame:
        """Every epoch of the runs of a condition, with ``fold`` and ``seed``.

        Raises:
            Missing: runs are not there.
            ValueError: as for ``runs``.
        """
        runs = self.runs(condition)
        return self._records().history.merge(runs[["run", "fold", "seed"]], on="run")

    def by_part(self, condition: Condition, measure: str) -> pd.DataFrame:
        """A measure of each unit (row) and seed (column).

        ``reconstruction`` and ``cross_entropy`` are those of the last epoch on each held-out part;
        any other name is a column of ``runs``, with one unit a fold.

        Raises:
            Missing: runs are not there.
            ValueError: as for ``runs``, or the measure is unknown or not positive.
        """
        runs = self.runs(condition)
        if measure in ("reconstruction", "cross_entropy"):
            last = self.history(condition).sort_values("epoch").groupby("run").tail(1)
            parts = [c for c in (f"{measure}_0", f"{measure}_1") if c in last]
            rows = last.melt(id_vars=["fold", "seed"], value_vars=parts, var_name="part")
            rows["part"] = rows["part"].str.removeprefix(f"{measure}_")
            table = rows.pivot(index=["fold", "part"], columns="seed", values="value")
        elif measure in runs:
            table = runs.pivot(index="fold", columns="seed", values=measure)
        else:
            raise ValueError(f"measure {measure!r} is not in the records")
        table = table.astype(float)
        if table.empty or not (np.isfinite(table) & (table > 0)).all(axis=None):
            raise ValueError(
                f"{measure} of {dict(condition)} is missing, infinite or not positive somewhere"
            )
        return table

    def _records(self) -> Records:
        if self.records is None:
            raise Missing(0, 0)
        return self.records

    def config(self, condition: Condition) -> RunConfig:
        """Configuration of a condition, but for its corpus's hash, fold and seed.

        Raises:
            ValueError: a setting or its value is wrong, or the corpus is not in the protocol.
        """
        settings = {**self.protocol.fixed, **condition}
        for name in ("by", "seeds"):
            settings.pop(name, None)
        if settings.get("emotions") == "four":
            settings["emotions"] = list(PAPER_EMOTIONS)
        if settings.get("corpus") not in self.protocol.sizes:
            raise ValueError(f"corpus {settings.get('corpus')!r} is not among the protocol's")
        if settings.get("emotions") == "all":
            settings["emotions"] = list(self.protocol.emotions[settings["corpus"]])
        if strange := sorted(set(settings) - _SETTINGS):
            raise ValueError(f"{', '.join(strange)}: no settings of a condition")
        place = {"corpus_hash": "", "fold": 0, "seed": 0}
        config = RunConfig.from_dict({**settings, **place}).canonical()
        if config.protocol not in self.protocol.sizes[config.corpus]:
            raise ValueError(f"protocol {config.protocol!r} has no size for {config.corpus!r}")
        return config

    def _whole(self, condition: Condition) -> pd.DataFrame:
        if condition.get("lambda1") == BY_VALIDATION:
            rows = self._by_validation(condition)
        else:
            runs = self.runs(condition)
            rows = self._records().predictions.merge(runs[["run", "fold", "seed"]], on="run")
        config = self.config({**condition, "lambda1": 1.0})  # any weight: it is not looked at
        by = condition.get("by", config.answer)
        rows = pd.DataFrame(rows[rows["by"] == by])
        if rows.empty:
            raise ValueError(f"{dict(condition)}: no packed record answers by {by!r}")
        corpus = config.corpus
        if config.speaker_dependent:
            # Speakers are on both sides, so that the plan draws utterances; several folds may
            # test one, and it is drawn with all of its answers.
            part = "draw " + rows["fold"].astype(str)
            rows = rows.assign(part=part, speaker=rows["key"], key=part + " " + rows["key"])
        else:
            speakers = [speaker_of(corpus, key) for key in rows["key"]]
            rows = rows.assign(part=speakers, speaker=speakers)
        wanted = self.protocol.tested(config)
        for seed, found in rows.groupby("seed")["key"]:
            if len(found) != wanted or not found.is_unique:
                raise ValueError(
                    f"{dict(condition)}: seed {seed} tested {len(found)} utterances, "
                    f"{found.nunique()} different ones; the protocol has {wanted}"
                )
        return rows

    def _by_validation(self, condition: Condition) -> pd.DataFrame:
        """Join, for each fold, seed and way, the answers under the weight it chose."""
        if not self.protocol.weights:
            raise ValueError(f"{dict(condition)}: the plan has no weights to choose from")
        if (protocol := self.config({**condition, "lambda1": 1.0}).protocol) != "sessions":
            raise ValueError(f"{dict(condition)}: with protocol {protocol!r} nothing validates")
        options, lacking = [], []
        for weight in self.protocol.weights:
            try:
                rows = self.answers({**condition, "lambda1": weight})
            except Missing as missing:
                lacking.append(missing)
                continue
            options.append(rows.assign(weight=weight))
        if lacking:
            there = [Missing(n, n) for n in (rows["run"].nunique() for rows in options)]
            raise Missing.joined([*lacking, *there])
        rows = pd.concat(options, ignore_index=True)
        ways = rows[["run", "fold", "seed", "way", "epoch", "weight"]].drop_duplicates()
        ways = ways.merge(self._records().history, on=["run", "epoch"])
        for name in ("accuracy_class", "cross_entropy"):  # of the part that validates: its own
            ways[name] = np.where(ways["way"] == 0, ways[f"{name}_0"], ways[f"{name}_1"])
        order = ["accuracy_class", "cross_entropy", "weight"]
        ways = ways.sort_values(order, ascending=[False, True, True])
        chosen = ways.drop_duplicates(["fold", "seed", "way"])[["run", "way"]]
        return rows.merge(chosen, on=["run", "way"]).drop(columns="weight")


def by_unit(
    answers: pd.DataFrame, *names: str, metric: Metric = "accuracy_class"
) -> pd.Series[float]:
    """Accuracy of each value of some columns, such as ``"fold", "seed"``.

    Example:
        >>> answers = pd.DataFrame({"seed": [0, 0, 1], "truth": ["a", "b", "a"], "predicted": "a"})
        >>> by_unit(answers, "seed").to_dict()
        {0: 0.5, 1: 1.0}
    """
    groups = answers.groupby(names[0] if len(names) == 1 else list(names))
    score = accuracy_class if metric == "accuracy_class" else accuracy_overall
    scores = {place: score(own["truth"], own["predicted"]) for place, own in groups}
    return pd.Series(scores, dtype=float).rename_axis(list(names))


def over_seeds(
    answers: pd.DataFrame, name: str, metric: Metric = "accuracy_class"
) -> pd.Series[float]:
    """Accuracy of each value of a column, averaged over seeds.

    Another seed tests the same recordings and is no new resampling.
    """
    return by_unit(answers, name, "seed", metric=metric).groupby(name).mean()
