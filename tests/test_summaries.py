"""Rows and differences of the tables, on records with known effects and on the repository's own."""

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ser_lib import claims, records
from ser_lib.evidence import Evidence, Missing, Protocol
from ser_lib.statistics import (
    cohens_d,
    corrected_t_test,
    equivalence_test,
    probability_of_superiority,
)
from ser_lib.summaries import by_unit, contrast, planned, printed, ratio, summarise
from tests.test_claims import FIXED, FOLDS, SEEDS, TAKES, joined, made

ROOT = Path(__file__).parents[1]
S = {"corpus": "emodb", "input": "mfcc", "objective": "S"}
SA = {**S, "objective": "S+A"}


def evidence(*parts):
    size = {"emodb": 2 * FOLDS * 4 * TAKES}
    protocol = Protocol(SEEDS, {"emodb": FOLDS}, size, (4.0, 0.0625), {**FIXED, "emotions": "four"})
    return Evidence(joined(*parts), protocol)


def history(*, objective="S+A", epochs=4, seed=0):
    """Runs of ``epochs`` epochs with random measures, all different."""
    rng = np.random.default_rng(seed)
    runs, predictions, old = made(0.5, objective=objective)
    rows = []
    for run in old["run"].unique():
        for epoch in range(1, epochs + 1):
            row = {"run": run, "epoch": epoch, "train_reconstruction": rng.random()}
            for part in (0, 1):
                row[f"accuracy_class_{part}"] = rng.integers(3) / 2  # with ties
                row[f"cross_entropy_{part}"] = rng.random()
                row[f"reconstruction_{part}"] = rng.random()
            rows.append(row)
    return runs, predictions, pd.DataFrame(rows)


# ---- epochs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("objective", ["S+A", "A"])
def test_a_part_is_measured_at_the_epoch_that_the_other_part_picked(objective):
    found = evidence(history(objective=objective))
    condition = {**S, "objective": objective}
    table = found.by_part(condition, "reconstruction", epoch="picked")
    assert table.shape == (2 * FOLDS, len(SEEDS))
    runs = found.runs(condition).set_index(["fold", "seed"])["run"]
    for (fold, part), row in table.iterrows():
        for seed, value in row.items():
            own = found.records.history.query(f"run == '{runs[fold, seed]}'")
            judge, best, merit = 1 - int(part), None, (-np.inf, -np.inf)
            for _, epoch in own.iterrows():  # the loop of ser_lib/training.py
                error = -epoch[f"reconstruction_{judge}"]
                score = (epoch[f"accuracy_class_{judge}"], -epoch[f"cross_entropy_{judge}"])
                if (score if "S" in objective else (error, error)) > merit:
                    merit = score if "S" in objective else (error, error)
                    best = epoch[f"reconstruction_{part}"]
            assert value == best


def test_the_last_epoch_and_the_training_error():
    found = evidence(history())
    table = found.by_epoch(SA, "reconstruction")
    assert list(table.columns) == [1, 2, 3, 4]
    last = found.by_part(SA, "reconstruction")
    assert np.array_equal(last.to_numpy().ravel(), table[4].to_numpy())
    training = found.by_epoch(SA, "train_reconstruction")
    assert set(training.index.get_level_values("part")) == {"train"}
    assert len(training) == FOLDS * len(SEEDS)
    with pytest.raises(ValueError, match="train_center"):
        found.by_epoch(SA, "train_center")


def test_the_epochs_of_this_repository_s_predictions_are_those_that_are_picked():
    packed = records.load("paper1", ROOT / "results")
    found = Evidence(packed, claims.load_ledger("paper1", ROOT).protocol)
    picked = found.picked(S)
    told = packed.predictions.merge(found.runs(S)[["run", "fold", "seed"]], on="run")
    told = told[["fold", "way", "seed", "epoch"]].drop_duplicates()
    assert len(told) == len(picked)
    for row in told.itertuples():
        assert picked[row.fold, str(1 - row.way), row.seed] == row.epoch


# ---- rows and differences ------------------------------------------------------------------------


def test_a_row_is_the_pooled_accuracy_of_its_answers():
    summary = summarise(evidence(made(0.75, tilt=0.25)).answers(S))
    assert summary.by_class.estimate == pytest.approx(0.75)
    assert summary.overall.estimate == pytest.approx(0.75)
    assert summary.by_class.low < 0.75 < summary.by_class.high
    assert summary.spread == pytest.approx(0.0)


def test_a_contrast_is_what_the_single_methods_give():
    found = evidence(made(0.5), made(0.5, tilt=0.25, objective="S+A"))
    first, second = found.answers(SA), found.answers(S)
    with pytest.raises(ValueError, match="not paired"):
        contrast(first[first["seed"] == 0], second, smallest=0.02)
    first.loc[(first["fold"] == 0) & (first["truth"] == "anger"), "predicted"] = "anger"
    made_by_hand = by_unit(first, "fold", "seed") - by_unit(second, "fold", "seed")
    assert len(made_by_hand) == FOLDS * len(SEEDS)
    both = contrast(first, second, smallest=0.02)
    assert both.corrected == corrected_t_test(made_by_hand, ratio=1 / 4)
    assert both.equivalence == equivalence_test(made_by_hand, 0.02, ratio=1 / 4)
    speakers = [by_unit(a, "speaker", "seed").groupby("speaker").mean() for a in (first, second)]
    assert both.cohens_d == cohens_d(speakers[0] - speakers[1])
    assert both.superiority == probability_of_superiority(*speakers)
    assert both.difference.estimate == pytest.approx(
        summarise(first).by_class.estimate - summarise(second).by_class.estimate
    )


def test_a_ratio_is_a_geometric_mean_and_turns_round():
    rng = np.random.default_rng(0)
    a, b = (pd.DataFrame(rng.random((6, 3)) + 0.1) for _ in range(2))
    there, back = ratio(a, b), ratio(b, a)
    assert there.estimate == pytest.approx(np.exp(np.log(a / b).to_numpy().mean()))
    assert (back.estimate, back.low, back.high) == pytest.approx(
        (1 / there.estimate, 1 / there.high, 1 / there.low)
    )
    with pytest.raises(ValueError, match="speakers"):
        ratio(a, b.rename(index={0: 9}))


def test_a_row_without_all_runs_is_no_number():
    runs, predictions, history = made(0.5)
    gone = runs["run"].iloc[0]
    parts = [frame[frame["run"] != gone] for frame in (runs, predictions, history)]
    with pytest.raises(Missing, match=r"^running: 9 of 10 runs$"):
        summarise(evidence(parts).answers(S))


# ---- plan and paper ------------------------------------------------------------------------------


def test_what_the_plan_of_this_repository_runs():
    plan = tomllib.loads((ROOT / "results/paper1/plan.toml").read_text())
    found = Evidence(None, claims.load_ledger("paper1", ROOT).protocol)

    def runs(corpus, given, **settings):
        return planned(found, plan, {"corpus": corpus, "input": given, **settings})

    assert runs("ravdess", "log_mel", objective="S+A+C", lambda1="validation")
    assert runs("emodb", "mfcc", objective="S+C", lambda1=0.0625, center_norm="l1")
    assert not runs("ravdess", "mfcc", objective="S+C", lambda1=0.0625, center_norm="l1")
    assert runs("emodb", "mfcc", objective="S", model="parent_cnn")
    assert not runs("ravdess", "mfcc", objective="S", model="parent_cnn")
    assert not runs("emodb", "mfcc", objective="S", units=65)
    assert runs("emodb", "mfcc", objective="S+C", lambda1=5.0)
    assert not runs("ravdess", "mfcc", objective="S+C", lambda1=5.0)


def test_what_the_paper_prints_is_read_from_the_ledger():
    paper = printed(claims.load_ledger("paper1", ROOT).claims)
    table1 = {
        ("mfcc", "S"): (70.5, 61.2),
        ("mfcc", "S+A"): (72.9, 65.4),
        ("mfcc", "S+C"): (73.4, 66.1),
        ("mfcc", "S+A+C"): (74.1, 66.7),
        ("log_mel", "S"): (71.2, 61.9),
        ("log_mel", "S+A"): (73.1, 65.2),
        ("log_mel", "S+C"): (73.6, 66.5),
        ("log_mel", "S+A+C"): (74.3, 67.2),
        ("log_mel", "parent_cnn"): (71.2, 61.9),
    }
    accuracies = paper[["overall", "class"]].dropna()
    assert dict(zip(accuracies.index, map(tuple, accuracies.to_numpy()), strict=True)) == table1
    assert paper["mse"].dropna().to_dict() == {
        ("mfcc", "A"): 21.32,
        ("mfcc", "S+A"): 3.62,
        ("mfcc", "S+A+C"): 3.47,
        ("log_mel", "A"): 18.31,
        ("log_mel", "S+A"): 3.23,
        ("log_mel", "S+A+C"): 3.29,
    }


def test_two_claims_that_quote_a_figure_differently_are_refused():
    claim = {
        "id": "one",
        "printed": {"class": [66.1, 61.2]},
        "first": {"objective": "S+A"},
        "second": {"objective": "S"},
        "cells": [{"corpus": "emodb", "input": "mfcc"}],
    }
    other = {**claim, "id": "two", "printed": {"class": [66.1, 61.3]}}
    with pytest.raises(ValueError, match=r"'two' quotes class 61\.3 of S on mfcc.* 61\.2"):
        printed([claim, other])
