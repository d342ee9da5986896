"""Rules about printed accuracies, on records whose accuracy is known."""

import numpy as np
import pytest
from scipy import stats

from ser_lib.claims.printed import (
    DRAWINGS,
    attainable,
    granularity_fits,
    outranks,
    printed_accuracy,
)
from ser_lib.statistics import bootstrap_mean, bootstrap_pooled
from tests.fake_records import DRAWS, SIZE, records_of, vector_evidence

FIGURES = ["47.22", "58.33", "55.56", "56.94", "54.16", "61.11", "91.67"]


CLAIM = {"first": {}, "cells": [{"corpus": "fake"}]}


@pytest.mark.parametrize(
    ("value", "outcome"), [(79.0, "holds"), (95.0, "contradicted"), (60.0, "contradicted")]
)
def test_printed_accuracy(value, outcome):
    (cell,) = printed_accuracy({**CLAIM, "value": value}, vector_evidence(records_of(0.75))).cells
    assert cell.outcome == outcome
    expected = np.mean([(18 + fold % 3) / SIZE for fold in range(DRAWS)])
    assert cell.numbers["accuracy"][0] == pytest.approx(expected)
    assert cell.numbers["runs"] == DRAWS


def test_the_printed_figure_has_an_interval_of_its_own_beside_it():
    found = vector_evidence(records_of(0.75))
    claim = {**CLAIM, "value": 61.11, "test_size": 72}
    (cell,) = printed_accuracy(claim, found).cells
    assert cell.outcome == "contradicted"  # it decides nothing
    own = stats.binomtest(44, 72).proportion_ci(method="wilson")
    ends = [44 / 72, *own]
    assert cell.numbers["printed_accuracy"] == {"test_size": 72, "interval": pytest.approx(ends)}


def test_a_figure_at_an_end_that_the_drawing_decides_is_undecided():
    found = vector_evidence(records_of(0.75))
    answers = found.answers(CLAIM["first"] | CLAIM["cells"][0])
    lows = [
        bootstrap_pooled(answers, metric="accuracy_overall", seed=seed).low
        for seed in range(DRAWINGS)
    ]
    assert min(lows) < max(lows)
    for low, outcome in ((min(lows) - 0.01, "contradicted"), (max(lows) + 0.01, "holds")):
        assert printed_accuracy({**CLAIM, "value": 100 * low}, found).cells[0].outcome == outcome
    between = 50 * (min(lows) + max(lows))
    assert printed_accuracy({**CLAIM, "value": between}, found).cells[0].outcome == "undecided"


@pytest.mark.parametrize(("value", "reached"), [(83.33, 3), (79.17, 6), (75.0, 10), (87.5, 0)])
def test_attainable_counts_the_draws_that_reach_it(value, reached):
    (cell,) = attainable({**CLAIM, "value": value}, vector_evidence(records_of(0.75))).cells
    assert cell.numbers["reached"] == reached
    assert cell.numbers["draws"] == DRAWS
    assert cell.outcome == ("holds" if reached else "contradicted")
    assert cell.numbers["accuracies"]["highest"] == pytest.approx(20 / 24)


def test_missing_runs_are_counted():
    found = vector_evidence(records_of(0.75, folds=4))
    for rule in (printed_accuracy, attainable):
        (cell,) = rule({**CLAIM, "value": 50}, found).cells
        assert cell.outcome == "missing"
        assert cell.numbers == {"runs": 4, "runs_needed": DRAWS}
    (cell,) = outranks({**CLAIM, "others": [{"model": "fc"}]}, found).cells
    assert cell.numbers == {"runs": 4, "runs_needed": 2 * DRAWS}


@pytest.mark.parametrize(
    ("ours", "theirs", "outcome"),
    [(0.75, 0.5, "holds"), (0.5, 0.75, "contradicted"), (0.5, 0.5, "undecided")],
)
def test_outranks(ours, theirs, outcome):
    found = vector_evidence(
        records_of(ours), records_of(theirs, model="fc"), records_of(0.25, model="gru")
    )
    claim = {**CLAIM, "others": [{"model": "fc"}, {"model": "gru"}]}
    (cell,) = outranks(claim, found).cells
    assert cell.outcome == outcome
    assert list(cell.numbers["accuracies"]) == ["residual-11", "fc-11", "gru-11"]


def test_seven_figures_do_not_fit_the_stated_split():
    finding = granularity_fits(
        {"figures": FIGURES, "stated": 432}, vector_evidence(records_of(0.5))
    )
    assert finding.verdict == "not reproduced"
    assert finding.numbers["smallest_size"] == 72
    assert finding.numbers["probability_of_coincidence"] == pytest.approx(6.0**-7)


@pytest.mark.parametrize(
    ("figures", "stated", "verdict"),
    [(FIGURES, 72, "reproduced"), (FIGURES, 100, "not reproduced"), (["50.00"], 4, "reproduced")],
)
def test_figures_that_fit(figures, stated, verdict):
    claim = {"figures": figures, "stated": stated}
    assert granularity_fits(claim, vector_evidence(records_of(0.5))).verdict == verdict


def test_where_speakers_are_shared_an_interval_draws_utterances_with_all_their_answers():
    answers = vector_evidence(records_of(0.75)).answers({"corpus": "fake"})
    right = (answers["truth"] == answers["predicted"]).groupby(answers["speaker"]).mean()
    assert len(right) == SIZE
    (cell,) = printed_accuracy({**CLAIM, "value": 79.0}, vector_evidence(records_of(0.75))).cells
    expected = bootstrap_mean(right.to_frame())
    assert cell.numbers["accuracy"] == pytest.approx(
        [expected.estimate, expected.low, expected.high]
    )
