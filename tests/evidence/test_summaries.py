"""Rows and differences of the tables, on records with known effects and on the repository's own."""

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ser_lib import claims
from ser_lib.evidence import Evidence, Missing, by_unit
from ser_lib.evidence.summaries import contrast, planned, ratio, summarise
from ser_lib.metrics import accuracy_class, accuracy_overall
from ser_lib.statistics import cohens_d, probability_of_superiority
from tests.fake_records import FOLDS, SA, S, evidence, made, unbalanced, without_first_run

ROOT = Path(__file__).parents[2]


# ---- rows and differences ------------------------------------------------------------------------


def test_a_row_is_the_pooled_accuracy_of_its_answers():
    summary = summarise(evidence(made(0.75, tilt=0.25)).answers(S))
    assert summary.by_class.estimate == pytest.approx(0.75)
    assert summary.overall.estimate == pytest.approx(0.75)
    assert summary.by_class.low < 0.75 < summary.by_class.high
    assert summary.spread == pytest.approx(0.0)


def test_a_contrast_takes_each_fold_once_and_pays_for_shared_training():
    found = evidence(made(0.5), made(0.5, tilt=0.25, objective="S+A"))
    first, second = found.answers(SA), found.answers(S)
    with pytest.raises(ValueError, match="not paired"):
        contrast(first[first["seed"] == 0], second, smallest=0.02)
    first.loc[(first["fold"] == 0) & (first["truth"] == "anger"), "predicted"] = "anger"
    both = contrast(first, second, smallest=0.02)

    # By scipy and plain shares: every fold and seed has equally many of each emotion.
    shares = [
        (answers["truth"] == answers["predicted"]).groupby(answers["fold"]).mean()
        for answers in (first, second)
    ]
    d = (shares[0] - shares[1]).to_numpy()
    assert d.shape == (FOLDS,)
    wider = np.sqrt(1 + FOLDS / 4)
    t = stats.ttest_1samp(d, 0).statistic / wider
    assert both.corrected.degrees == both.equivalence.degrees == FOLDS - 1
    assert both.corrected.statistic == pytest.approx(t)
    assert both.corrected.p_value == pytest.approx(2 * stats.t.sf(abs(t), FOLDS - 1))
    half = stats.t.ppf(0.975, FOLDS - 1) * wider * stats.sem(d)
    interval = both.corrected.interval
    ends = (interval.estimate, interval.low, interval.high)
    assert ends == pytest.approx((d.mean(), d.mean() - half, d.mean() + half))
    above, below = (stats.ttest_1samp(d, null).statistic / wider for null in (-0.02, 0.02))
    p = max(stats.t.sf(above, FOLDS - 1), stats.t.cdf(below, FOLDS - 1))
    assert both.equivalence.p_value == pytest.approx(p)

    speakers = [by_unit(a, "speaker", "seed").groupby("speaker").mean() for a in (first, second)]
    assert both.cohens_d == cohens_d(speakers[0] - speakers[1])
    assert both.superiority == probability_of_superiority(*speakers)
    assert both.difference.estimate == pytest.approx(
        summarise(first).by_class.estimate - summarise(second).by_class.estimate
    )


def test_seeds_that_say_the_same_make_no_test_surer():
    found = evidence(made(0.5), made(0.5, tilt=0.25, objective="S+A"))
    once = [found.answers(c).query("seed == 0") for c in (SA, S)]
    once[0].loc[once[0]["fold"] == 0, "predicted"] = "anger"
    often = [pd.concat([a.assign(seed=seed) for seed in range(9)]) for a in once]
    one, many = contrast(*once, smallest=0.02), contrast(*often, smallest=0.02)
    for name in ("corrected", "equivalence"):
        few, several = getattr(one, name), getattr(many, name)
        assert (several.statistic, several.p_value, several.degrees) == pytest.approx(
            (few.statistic, few.p_value, few.degrees)
        )


def test_a_ratio_is_a_geometric_mean_and_turns_round():
    rng = np.random.default_rng(0)
    parts = pd.MultiIndex.from_product([range(6), ("reconstruction_0", "reconstruction_1")])
    a, b = (pd.DataFrame(rng.random((12, 3)) + 0.1, parts) for _ in range(2))
    there, back = ratio(a, b), ratio(b, a)
    logs = np.log(a / b).to_numpy()
    assert there.estimate == pytest.approx(np.exp(logs.mean()))
    by_fold = logs.reshape(6, -1).mean(axis=1)
    error = np.sqrt(1 + 6 / 5) * stats.sem(by_fold)  # they share training data
    low, high = stats.t.interval(0.95, 5, by_fold.mean(), error)
    assert (there.low, there.high) == pytest.approx((np.exp(low), np.exp(high)))
    assert (back.estimate, back.low, back.high) == pytest.approx(
        (1 / there.estimate, 1 / there.high, 1 / there.low)
    )
    with pytest.raises(ValueError, match="same units and seeds"):
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
    assert not runs("ravdess", "log_mel", objective="S+C", lambda1=0.0625, center_norm="l1")
    assert runs("emodb", "mfcc", objective="S", model="parent_cnn")
    assert not runs("ravdess", "mfcc", objective="S", model="parent_cnn")
    assert not runs("emodb", "mfcc", objective="S", units=65)
    assert runs("emodb", "mfcc", objective="S+C", lambda1=5.0)
    assert not runs("ravdess", "mfcc", objective="S+C", lambda1=5.0)
    assert runs("ravdess", "mfcc", objective="S+C", lambda1=0.0625, emotions="all")
    assert not runs("ravdess", "mfcc", objective="S+C", lambda1=4.0, emotions="all")
    assert not runs("ravdess", "log_mel", objective="S", emotions="all")


def test_summary_and_contrast_tell_overall_from_class_and_seeds_from_folds():
    found = evidence(*unbalanced(made(0.5), made(0.5, tilt=0.25, objective="S+A")))
    first, second = found.answers(SA).copy(), found.answers(S).copy()
    worse = (first["seed"] == 1) & (first["truth"] == "sadness") & (first["fold"] < 3)
    first.loc[worse, "predicted"] = "neutral"
    by_seed = [accuracy_class(g["truth"], g["predicted"]) for _, g in first.groupby("seed")]
    assert summarise(first).spread == pytest.approx(np.std(by_seed, ddof=1)) != 0
    overall = [accuracy_overall(a["truth"], a["predicted"]) for a in (first, second)]
    both = contrast(first, second, smallest=0.02)
    assert both.overall.estimate == pytest.approx(overall[0] - overall[1])
    assert both.overall.estimate != pytest.approx(both.difference.estimate)
