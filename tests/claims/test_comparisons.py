"""Rules that compare two conditions, on records with known effects."""

import numpy as np
import pytest
from scipy import stats

from ser_lib import claims
from ser_lib.claims.comparisons import Cell, Finding, _compare, _direction, adjust
from ser_lib.statistics import Interval
from tests.claims.ledgers import ROOT, entry, outcomes
from tests.fake_records import FOLDS, WOBBLE, joined, made, write


@pytest.mark.parametrize(
    ("first", "tilt", "verdict", "outcome"),
    [
        (0.75, 0.0, "reproduced", "holds"),
        (0.25, 0.0, "not reproduced", "contradicted"),
        (0.50, 0.0, "not reproduced", "absent"),
        (0.50, 0.25, "undecided", "undecided"),
    ],
)
def test_better(house, first, tilt, verdict, outcome):
    root = house(entry("claim"))
    write(root, joined(made(0.5), made(first, tilt=tilt, objective="S+A")))
    assert outcomes(root) == (verdict, [outcome])


@pytest.mark.parametrize(
    ("first", "tilt", "outcome"),
    [(0.5, 0.0, "holds"), (0.75, 0.0, "contradicted"), (0.5, 0.25, "undecided")],
)
def test_similar(house, first, tilt, outcome):
    root = house(entry("claim", rule="similar"))
    write(root, joined(made(0.5), made(first, tilt=tilt, objective="S+A")))
    assert outcomes(root)[1] == [outcome]


@pytest.mark.parametrize(
    ("cost", "outcome"), [(0.2, "holds"), (5.0, "contradicted"), (1.0, "absent")]
)
@pytest.mark.parametrize("measure", ["reconstruction", "compactness_train"])
def test_lower(house, cost, outcome, measure):
    given = {"rule": "lower", "measure": measure, "smallest": 1.1}
    root = house(entry("claim", **given, second={"objective": "A"}))
    write(root, joined(made(0.5, objective="A"), made(0.5, objective="S+A", cost=cost)))
    assert outcomes(root)[1] == [outcome]
    numbers = claims.update("paper1", root)["claims"]["claim"]["cells"][0]["numbers"]
    logs = -np.log(cost) - WOBBLE  # of folds: their parts share networks, and they training data
    wider = np.sqrt(1 + FOLDS / (FOLDS - 1))
    half = wider * stats.sem(logs) * stats.t.ppf(0.975, FOLDS - 1)
    ends = logs.mean() + half * np.array([-1, 1])
    assert numbers["ratio"] == pytest.approx([1 / cost, *np.exp(ends)])
    assert numbers["second"] / numbers["first"] == pytest.approx(numbers["ratio"][0], rel=1e-4)
    t = logs.mean() / (wider * stats.sem(logs))
    assert numbers["p"] == pytest.approx(stats.t.sf(abs(t), FOLDS - 1), abs=1e-6)
    assert numbers["folds"] == FOLDS
    planned = claims.update("paper1", root)["claims"]["claim"]["planned"]  # of folds that all agree
    assert planned["cells"][0]["outcome"] == outcome
    estimate, low, high = np.log(planned["cells"][0]["ratio"])
    assert estimate == pytest.approx(logs.mean(), abs=1e-5)
    assert logs.min() <= low < high <= logs.max()
    assert np.log(numbers["ratio"][1]) < low < high < np.log(numbers["ratio"][2])


def test_what_the_plan_would_say_of_a_ratio_is_adjusted_and_settled_too(house):
    given = {"rule": "lower", "measure": "reconstruction", "smallest": 1.1, "family": "table2"}
    claim = entry("claim", **given, second={"objective": "A"})
    other = {**claim, "id": "other", "cells": [{"corpus": "ravdess", "input": "mfcc"}]}
    root = house(claim, other)
    runs, predictions, history = made(0.5, objective="S+A")
    for fold, factor in enumerate((0.4, 0.9, 0.9, 0.9, 0.9)):  # one sign, one fold far away
        own = history["run"].isin(runs.loc[runs["fold"] == fold, "run"])
        for column in history.columns[history.columns.str.startswith("reconstruction")]:
            history.loc[own, column] *= factor
    write(root, joined(made(0.5, objective="A"), (runs, predictions, history)))
    judged = claims.update("paper1", root)["claims"]
    assert judged["claim"]["verdict"] == "undecided"
    assert judged["claim"]["planned"]["verdict"] == "reproduced"
    assert judged["other"]["planned"]["verdict"] == judged["other"]["verdict"] == "open"
    page = claims.ledger_page("paper1", root)
    assert "By the bootstrap, 1 of the 2 claims on\nratios" in page
    assert "otherwise: [S+A beats S, claim](#claim-claim), reproduced instead of undecided." in page
    assert "| by the plan's bootstrap | reproduced: holds 1." in page


@pytest.mark.parametrize(
    ("low", "high", "alone", "in_a_family"),
    [
        (0.0005, 0.05, True, False),  # there it is Holm's rule that decides on a side
        (-0.0195, 0.013, True, True),
        (-0.0205, 0.013, True, True),
        (0.0015, 0.05, False, False),
        (-0.03, 0.03, False, False),
        (-0.01, 0.01, False, False),
    ],
)
def test_a_close_call_is_marked(low, high, alone, in_a_family):
    claim = entry("claim", smallest=0.02)
    for given, close in ((claim, alone), ({**claim, "family": "table1"}, in_a_family)):
        interval = Interval((low + high) / 2, low, high)
        measured = (interval, 0.5, {})
        given = {**given, "beside": [{"lambda1": 4.0}]}
        cell, beside = _compare(given, lambda *_, found=measured: found, _direction).cells
        assert cell.numbers.get("close", False) is close
        assert beside.numbers.get("close", False) is alone  # no rule adjusts what stands beside


def test_a_test_over_folds_stands_beside_the_accuracy_that_decides(house):
    root = house(entry("claim"))
    plain, other = made(0.5), made(0.5, objective="S+A")
    write(root, joined(plain, other))
    found = claims.update("paper1", root)["claims"]["claim"]["cells"][0]["numbers"]
    assert "by_fold" not in found  # all folds differ by nothing: there is no test of that
    runs, predictions, history = other
    for fold, emotions in ((0, ["anger", "sadness"]), (3, ["anger"])):
        own = predictions["run"].isin(runs.loc[runs["fold"] == fold, "run"])
        better = own & predictions["truth"].isin(emotions)
        predictions.loc[better, "predicted"] = predictions.loc[better, "truth"]
    write(root, joined(plain, (runs, predictions, history)))
    found = claims.update("paper1", root)["claims"]["claim"]["cells"][0]["numbers"]
    d = np.array([0.25, 0, 0, 0.125, 0])  # half of an emotion's recordings were right already
    half = stats.t.ppf(0.975, FOLDS - 1) * stats.sem(d) * np.sqrt(1 + FOLDS / (FOLDS - 1))
    ends = [d.mean(), d.mean() - half, d.mean() + half]
    assert found["by_fold"] == pytest.approx(ends, abs=1e-6)


def test_where_the_training_set_is_thinned_no_test_over_folds_stands_beside(house):
    where = {"corpus": "emodb", "input": "mfcc", "train_share": 0.5}
    root = house(entry("claim", cells=[where]))
    runs, predictions, history = made(0.5, objective="S+A", train_share=0.5)
    first = predictions["run"] == runs["run"].iloc[0]
    predictions.loc[first, "predicted"] = predictions.loc[first, "truth"]
    write(root, joined(made(0.5, train_share=0.5), (runs, predictions, history)))
    found = claims.update("paper1", root)["claims"]["claim"]["cells"][0]
    assert found["outcome"] != "missing"
    assert "by_fold" not in found["numbers"]


def test_where_voices_are_shared_no_test_over_folds_stands_beside():
    judged = claims.load_verdicts("paper2", ROOT)["claims"]
    for name, there in (("triplets-add-with-shared-speakers", False), ("pretraining-helps", True)):
        assert all(("by_fold" in cell["numbers"]) == there for cell in judged[name]["cells"])


@pytest.mark.parametrize(
    ("at_four", "tilt", "outcome"),
    [
        (0.75, 0.0, "holds"),
        (0.25, 0.0, "contradicted"),
        (0.5, 0.0, "undecided"),
        (7 / 12, 0.25, "undecided"),  # the highest, but no better than any
    ],
)
def test_best(house, at_four, tilt, outcome):
    given = {"rule": "best", "vary": "lambda1", "chosen": 4.0, "values": [0.1, 4.0, 1.0]}
    root = house(entry("claim", **given, first={"objective": "S+C"}))
    others = [made(0.5, objective="S+C", lambda1=weight) for weight in (0.1, 1.0)]
    write(root, joined(*others, made(at_four, tilt=tilt, objective="S+C", lambda1=4.0)))
    assert outcomes(root)[1] == [outcome]


@pytest.mark.parametrize(
    ("plain", "outcome"), [(0.25, "holds"), (0.75, "undecided"), (1.0, "contradicted")]
)
def test_the_best_must_be_better_than_the_baseline(house, plain, outcome):
    given = {"rule": "best", "vary": "lambda1", "chosen": 4.0, "values": [0.1, 4.0]}
    given["baseline"] = {"objective": "S"}
    root = house(entry("claim", **given, first={"objective": "S+C"}))
    weights = [made(0.5, objective="S+C", lambda1=0.1), made(0.75, objective="S+C", lambda1=4.0)]
    write(root, joined(*weights))
    assert outcomes(root)[1] == ["missing"]
    write(root, joined(*weights, made(plain)))
    assert outcomes(root)[1] == [outcome]


def test_verdicts_over_several_cells():
    def settled(*words):
        return Finding([Cell({}, outcome=word) for word in words]).settle()

    assert settled("holds", "holds") == "reproduced"
    assert settled("holds", "undecided") == settled("holds", "absent") == "partly"
    assert settled("holds", "contradicted") == settled("absent", "undecided") == "not reproduced"
    assert settled("undecided", "undecided") == "undecided"
    assert settled("holds", "missing") == settled() == "open"
    beside = Cell({}, outcome="contradicted", decides=False)
    assert Finding([Cell({}, outcome="holds"), beside]).settle() == "reproduced"


def test_holms_rule_takes_back_what_a_family_does_not_carry():
    weak = Finding([Cell({}, outcome="holds", p_value=0.02)])
    strong = Finding([Cell({}, outcome="holds", p_value=0.001)])
    adjust([weak])
    assert weak.settle() == "reproduced"
    adjust([weak, strong, Finding([Cell({})])])  # the third one's runs are missing
    assert [f.cells[0].outcome for f in (weak, strong)] == ["undecided", "holds"]
    assert weak.cells[0].numbers["p_adjusted"] == pytest.approx(0.04)
