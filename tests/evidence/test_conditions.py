"""What records say of a condition: which runs it has, and what is refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ser_lib.evidence import Evidence, Missing
from ser_lib.evidence.consistency import inconsistencies
from ser_lib.metrics import accuracy_class
from tests.fake_records import (
    DRAWS,
    FOLDS,
    RUNS,
    SIZE,
    S,
    evidence,
    joined,
    made,
    records_of,
    vector_evidence,
)

SC = {**S, "objective": "S+C"}


def test_runs_of_other_settings_do_not_count():
    found = evidence(made(0.5), made(0.9, dropout=0.25), made(0.9, seconds=2.0))
    assert len(found.runs(S)) == RUNS
    assert accuracy_class(*found.answers(S)[["truth", "predicted"]].to_numpy().T) == 0.5
    assert len(found.runs({**S, "seconds": 2.0})) == RUNS
    with pytest.raises(ValueError, match="lambda3: no settings of a condition"):
        found.runs({**S, "lambda3": 1})


def test_equal_validation_accuracies_are_settled_by_cross_entropy():
    near = made(0.5, objective="S+C", lambda1=4.0, validated=0.9)
    far = made(0.5, objective="S+C", lambda1=0.0625, validated=1.1)
    found = evidence(made(0.5), near, far)
    chosen = {**SC, "lambda1": "validation"}
    assert set(found.answers(chosen)["run"]) == set(near[0]["run"])
    with pytest.raises(ValueError, match="with protocol 'speakers' nothing validates"):
        Evidence(
            found.records,
            replace(
                found.protocol,
                fixed={**found.protocol.fixed, "protocol": "speakers"},
                sizes={"emodb": {"speakers": found.protocol.sizes["emodb"]["sessions"]}},
            ),
        ).answers(chosen)
    with pytest.raises(ValueError, match="the plan has no weights"):
        Evidence(found.records, replace(found.protocol, weights=())).answers(chosen)


def test_by_validation_both_weights_are_counted_as_missing():
    with pytest.raises(Missing, match=f"^running: {RUNS} of {2 * RUNS} runs$"):
        evidence(made(0.5, objective="S+C", lambda1=4.0)).answers({**SC, "lambda1": "validation"})


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({**S, "corpus": "ravdess"}, "corpus 'ravdess' is not among the protocol's"),
        ({"input": "mfcc"}, "corpus None is not among"),
        ({**S, "protocol": "speakers"}, "protocol 'speakers' has no size for 'emodb'"),
        ({**S, "objective": "C"}, "objective 'C'"),
    ],
)
def test_a_condition_that_cannot_be_is_refused(condition, message):
    with pytest.raises(ValueError, match=message):
        evidence(made(0.5)).answers(condition)


def spoil(table, change):
    """Records of one condition, one of whose tables was changed."""
    tables = dict(zip(("runs", "predictions", "history"), made(0.5), strict=True))
    tables[table] = change(tables[table])
    return evidence(tuple(tables.values()))


def alike(runs):
    """The second run is of the first one's seed."""
    runs.loc[1, "seed"] = runs.loc[0, "seed"]
    return runs


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("runs", lambda t: t.drop(columns="dropout"), "the records have no column 'dropout'"),
        ("runs", alike, "two runs of .* is the second"),
        (
            "runs",
            lambda t: t.assign(corpus_hash=[*t["corpus_hash"][1:], "f" * 16]),
            "different copies of the corpus",
        ),
        (
            "runs",
            lambda t: pd.concat([t, t.assign(corpus_hash="f" * 16)]),
            "different copies of the corpus",
        ),
        (  # of another condition, which this one could be compared with
            "runs",
            lambda t: pd.concat([t, t.assign(objective="S+A", corpus_hash="f" * 16)]),
            "different copies of the corpus",
        ),
        ("predictions", lambda t: t[1:], "seed 0 tested 479 utterances, 479 different ones"),
        (
            "predictions",
            lambda t: t.assign(key=[t["key"].iloc[1], *t["key"][1:]]),
            "seed 0 tested 480 utterances, 479 different ones; the protocol has 480",
        ),
    ],
)
def test_records_that_contradict_the_protocol_are_refused(table, change, message):
    with pytest.raises(ValueError, match=message):
        spoil(table, change).answers(S)


def test_all_emotions_are_another_condition_with_a_number_of_utterances_of_its_own():
    five = ("anger", "fear", "happiness", "neutral", "sadness")
    runs, predictions, history = made(0.5)
    found = evidence((runs.assign(emotions=",".join(five)), predictions, history))
    every = {**S, "emotions": "all"}
    for utterances, fits in ((480, True), (600, False)):
        own = replace(found.protocol, emotions={"emodb": five}, of_all={"emodb": utterances})
        asked = Evidence(found.records, own)
        with pytest.raises(Missing):
            asked.answers(S)  # of four emotions there are none
        if fits:
            assert len(asked.answers(every)) == RUNS // FOLDS * 480
        else:
            with pytest.raises(ValueError, match="480 different ones; the protocol has 600"):
                asked.answers(every)


def test_measures_are_of_the_last_epoch_and_must_be_there():
    last = spoil("history", lambda t: t.assign(cross_entropy_0=t["epoch"] * 1.0))
    table = last.by_part(S, "cross_entropy")
    assert table.shape == (2 * FOLDS, RUNS // FOLDS)
    assert set(table.xs("0", level="part").to_numpy().ravel()) == {2.0}
    with pytest.raises(ValueError, match="measure 'beauty' is not in the records"):
        last.by_part(S, "beauty")
    for wrong in (float("nan"), float("inf"), 0.0, -1.0):
        broken = spoil("history", lambda t, value=wrong: t.assign(cross_entropy_1=value))
        with pytest.raises(ValueError, match="missing, infinite or not positive"):
            broken.by_part(S, "cross_entropy")


def test_predictions_without_a_run_are_an_inconsistency():
    runs, predictions, history = made(0.5)
    assert inconsistencies(joined((runs, predictions, history))) == ()
    lost = runs["run"].iloc[0]
    found = inconsistencies(joined((runs[1:], predictions, history)))
    assert f"run {lost}: predictions without a run" in found


def test_a_run_without_predictions_or_with_no_number_in_its_history_is_an_inconsistency():
    runs, predictions, history = made(0.5)
    lost = runs["run"].iloc[0]
    silent = joined((runs, predictions[predictions["run"] != lost], history))
    assert inconsistencies(silent) == (f"run {lost}: classifies, and has no predictions",)
    history.loc[history["run"] == lost, "accuracy_class_0"] = np.nan
    (found,) = inconsistencies(joined((runs, predictions, history)))
    assert found.startswith(f"run {lost}, way 1")
    assert "nan by its history" in found


def test_answers_are_told_apart_by_how_they_were_given():
    runs, answers = records_of(0.75, by=["softmax", "angle"])
    for row in answers:
        if row["by"] == "angle":
            row["predicted"] = row["truth"]
    found = vector_evidence((runs, answers))
    both = {by: found.answers({"corpus": "fake", "by": by}) for by in ("softmax", "angle")}
    assert (both["angle"]["truth"] == both["angle"]["predicted"]).all()
    assert found.answers({"corpus": "fake"}).equals(both["softmax"])
    assert set(both["angle"]["part"]) == {f"draw {n}" for n in range(DRAWS)}
    with pytest.raises(ValueError, match="no packed record answers by 'weights'"):
        found.answers({"corpus": "fake", "by": "weights"})


def test_seeds_of_a_condition_replace_those_of_the_protocol():
    found = vector_evidence(records_of(0.75, seeds=(0,)), seeds=(0, 1, 2))
    with pytest.raises(Missing):
        found.answers({"corpus": "fake"})
    assert len(found.answers({"corpus": "fake", "seeds": [0]})) == DRAWS * SIZE
