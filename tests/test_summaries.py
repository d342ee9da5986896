"""Rows and differences of the tables, on records with known effects and on the repository's own."""

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ser_lib import claims
from ser_lib.evidence import Evidence, Missing
from ser_lib.statistics import (
    cohens_d,
    corrected_t_test,
    equivalence_test,
    probability_of_superiority,
)
from ser_lib.summaries import by_unit, contrast, planned, ratio, summarise
from tests.test_claims import FOLDS, SEEDS, made
from tests.test_effects import SA, S, evidence, without_first_run

ROOT = Path(__file__).parents[1]


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
    with pytest.raises(Missing, match=r"^running: 9 of 10 runs$"):
        summarise(evidence(without_first_run(made(0.5))).answers(S))


# ---- the plan ------------------------------------------------------------------------------


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
