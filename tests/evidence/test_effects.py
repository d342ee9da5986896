"""What chapters say of conditions, on records whose effects are known."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ser_lib import claims, records
from ser_lib.evidence import Missing, effects
from tests.fake_records import (
    DRAWS,
    FOLDS,
    RUNS,
    SA,
    WOBBLE,
    S,
    evidence,
    made,
    records_of,
    unbalanced,
    vector_evidence,
    without_first_run,
)


def test_accuracy_and_difference_are_those_of_the_records():
    proof = evidence(made(0.5), made(0.75, objective="S+A"))
    own = effects.accuracy(proof, S)
    assert (own.found, own.wanted) == (RUNS, RUNS)
    assert own.interval.estimate == pytest.approx(0.5)
    assert str(own) == own.judged == "50.0 (50.0 to 50.0)"
    gain = effects.difference(proof, SA, S)
    assert gain.found == 2 * RUNS
    assert gain.interval.estimate == pytest.approx(0.25)
    assert gain.judged == "+25.0 (+25.0 to +25.0), higher"
    assert effects.difference(proof, S, SA).judged.endswith(", lower")


def test_overall_accuracy_weighs_utterances_and_not_emotions():
    runs, predictions, history = made(0.5)
    predictions.loc[predictions["truth"] == "happiness", "truth"] = "anger"  # half are angry now
    proof = evidence((runs, predictions, history))
    right = float((predictions["truth"] == predictions["predicted"]).mean())
    assert effects.accuracy(proof, S).interval.estimate != pytest.approx(right)
    found = effects.accuracy(proof, S, "accuracy_overall")
    assert found.interval.estimate == pytest.approx(right)
    assert (found.found, found.wanted, len(found.speakers)) == (RUNS, RUNS, 2 * FOLDS)
    assert str(effects.accuracy(evidence(), S, "accuracy_overall")) == f"running: 0 of {RUNS} runs"


def test_the_same_runs_in_two_records():
    runs, predictions, history = made(0.5)
    lucky = runs.query("fold == 0 and seed == 1")["run"].item()
    every = predictions["run"] == lucky
    predictions.loc[every, "predicted"] = predictions.loc[every, "truth"]
    other = made(0.75)
    shuffled = (other[0], other[1].sample(frac=1, random_state=0), other[2])
    first, again = evidence((runs, predictions, history)), evidence(shuffled)
    found = effects.repetition(first, again, S)
    assert found.changed == pytest.approx(
        (predictions["predicted"] != other[1]["predicted"]).mean()
    )
    seeds = runs.set_index("run")["seed"]
    said = {s: predictions[predictions["run"].map(seeds) == s]["predicted"] for s in (0, 1)}
    assert found.changed_by_seed == pytest.approx(np.mean(said[0].values != said[1].values))
    assert 0 < found.changed_by_seed != found.changed > 0
    assert found.accuracy == pytest.approx(0.25)  # of the lucky one from 1 down, of the others up
    assert found.accuracy_by_seed == pytest.approx(0.5 / FOLDS)
    gain = effects.repeated(first, again, S)
    assert gain.interval.estimate == pytest.approx(0.75 - (0.5 + 0.5 / RUNS))
    assert (gain.found, len(gain.speakers)) == (2 * RUNS, 2 * FOLDS)
    assert effects.repeated(first, first, S).judged.endswith(" no difference")
    same = effects.repetition(again, again, S)
    assert (same.changed, same.accuracy, same.accuracy_by_seed) == (0, 0, 0)


def test_only_the_same_runs_can_be_held_against_each_other():
    first, missing = evidence(made(0.5)), evidence(without_first_run(made(0.75)))
    assert str(effects.repeated(first, missing, S)) == f"running: {RUNS - 1} of {RUNS} runs"
    with pytest.raises(Missing, match="running: 0 of"):
        effects.repetition(first, evidence(), S)
    renamed = [table.assign(run=table["run"] + "x") for table in made(0.5)]
    with pytest.raises(ValueError, match="are others in the second records"):
        effects.repetition(first, evidence(tuple(renamed)), S)


def test_a_difference_has_each_speaker_alone():
    gain = effects.difference(evidence(made(0.5), made(0.5, tilt=0.25, objective="S+A")), SA, S)
    assert len(gain.speakers) == 2 * FOLDS
    expected = [0.25 if int(speaker) % 2 == 0 else -0.25 for speaker in gain.speakers.index]
    np.testing.assert_allclose(gain.speakers, expected)
    assert gain.judged.endswith(", undecided")
    same = effects.difference(evidence(made(0.5), made(0.5, objective="S+A")), SA, S)
    assert same.judged == "+0.0 (+0.0 to +0.0), no difference"


@pytest.mark.parametrize("parts", [(), (without_first_run(made(0.5)),)])
def test_missing_runs_give_a_count_and_no_number(parts):
    proof = evidence(*parts)
    there = RUNS - 1 if parts else 0
    text = f"running: {there} of {RUNS} runs"
    assert str(effects.accuracy(proof, S)) == effects.running(proof, S) == text
    gain = effects.difference(proof, SA, S)
    assert gain.judged == f"running: {there} of {2 * RUNS} runs"
    assert (gain.interval, gain.speakers, gain.smallest) == (None, None, 0.02)
    assert str(effects.ratio(proof, SA, S, "cross_entropy")) == gain.judged
    assert str(effects.between_epochs(proof, S, 1, 2)) == text
    assert str(effects.other_way(proof, S)) == text
    assert str(effects.late_difference(proof, SA, S)) == gain.judged
    curve = effects.by_epoch(proof, S, "accuracy_class")
    assert list(curve.columns) == ["mean", "low", "high"]
    assert curve.empty


def test_only_the_condition_that_is_not_whole_is_counted():
    proof = evidence(made(0.5), without_first_run(made(0.5, objective="S+A")))
    assert str(effects.difference(proof, SA, S)) == f"running: {RUNS - 1} of {RUNS} runs"
    assert effects.running(proof, S) == ""


def test_ratio_is_that_of_the_measure():
    logs = np.log(0.2) + WOBBLE  # of the folds
    proof = evidence(made(0.5, objective="A"), made(0.5, objective="S+A", cost=0.2))
    change = effects.ratio(proof, SA, {**S, "objective": "A"}, "reconstruction")
    error = np.sqrt(1 + FOLDS / (FOLDS - 1)) * stats.sem(logs)  # they share training data
    low, high = stats.t.interval(0.95, FOLDS - 1, logs.mean(), error)
    ends = [np.exp(end) for end in (logs.mean(), low, high)]
    interval = change.interval
    assert (interval.estimate, interval.low, interval.high) == pytest.approx(ends)
    assert change.judged == "{:.2f} ({:.2f} to {:.2f})".format(*ends)


def test_other_way_is_the_second_speakers_accuracy_minus_the_firsts():
    # Part 0 has the even speakers, whom the tilt raises; they are tested in way 1.
    proof = evidence(made(0.5, tilt=0.25))
    assert effects.other_way(proof, S).interval.estimate == pytest.approx(-0.5)


def changed(history, **columns):
    """The history with other values at the last epoch."""
    history = history.copy()
    last = history.index[history["epoch"] == 2]
    history.loc[last, list(columns)] = list(columns.values())
    return history


def test_between_epochs_and_by_epoch():
    runs, predictions, history = made(0.5)
    history = changed(history, accuracy_class_0=0.8, accuracy_class_1=0.6)
    proof = evidence((runs, predictions, history))
    step = effects.between_epochs(proof, S, 2, 1)
    assert step.interval.estimate == pytest.approx(0.2)
    with pytest.raises(ValueError, match=r"epochs \[3\] are not in the history"):
        effects.between_epochs(proof, S, 2, 3)
    curve = effects.by_epoch(proof, S, "accuracy_class")
    assert curve.index.tolist() == [1, 2]
    np.testing.assert_allclose(curve["mean"], [0.5, 0.7])
    np.testing.assert_allclose(curve.loc[2], [0.7, 0.6, 0.8])
    with pytest.raises(ValueError, match="has no 'train_softmax'"):
        effects.by_epoch(proof, S, "train_softmax")


def test_the_last_epochs_without_a_choice():
    runs, predictions, history = made(0.5)
    history = changed(history, accuracy_class_0=0.8, accuracy_class_1=0.6)
    proof = evidence((runs, predictions, history), made(0.5, objective="S+A"))
    for last, expected in ((1, (0.8, 0.6)), (2, (0.65, 0.55)), (9, (0.65, 0.55))):
        parts = effects.late_accuracy(proof, S, last)
        for part, value in zip(("0", "1"), expected, strict=True):
            np.testing.assert_allclose(parts.xs(part, level="part"), value)
        effect = effects.late_difference(proof, SA, S, last=last)
        assert effect.interval.estimate == pytest.approx(0.5 - sum(expected) / 2)
        assert effect.supports == "lower"


def test_the_records_of_the_repository_can_be_asked(tmp_path):
    proof = claims.evidence("paper1")
    assert proof.protocol.smallest == 0.02
    assert (proof.protocol.weights, proof.protocol.fixed["lambda2"]) == ((4.0, 0.0625), 100.0)
    for name in ("plan.toml", "claims.yml"):
        path = tmp_path / "results" / "paper1" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((records.results_folder() / "paper1" / name).read_text())
    bare = claims.evidence("paper1", tmp_path)
    assert bare.records is None
    assert effects.running(bare, S) == "running: 0 of 15 runs"


def test_the_repeated_runs_were_all_made_by_the_same_other_sums():
    # The variable that steers the sums is no setting of a run, so only this tells.
    again, first = records.load("rounding").runs, records.load("paper1").runs
    (rounding,) = {json.loads(environment)["rounding"] for environment in again["environment"]}
    assert re.fullmatch("[0-9a-f]{8}", rounding)
    assert len(again) == 66
    assert set(again["run"]) <= set(first["run"])


def test_a_minus_is_a_minus():
    effect = effects.Effect(1, 1, effects.Interval(-0.01, -0.02, 0.0), pd.Series([-0.01]))
    assert str(effect) == "−1.0 (−2.0 to +0.0)"


def test_over_draws_takes_one_value_for_each():
    drawn = pd.Series([0.01, 0.02, 0.03, 0.04, 0.05])
    effect = effects.Effect(10, 10, effects.Interval(0.03, 0.02, 0.04), drawn, smallest=0.02)
    error = drawn.std() * np.sqrt(1 / 5 + 3 / 7)
    half = stats.t.ppf(0.975, 4) * error
    found = effects.over_draws(effect, ratio=3 / 7)
    assert (found.interval.low, found.interval.high) == pytest.approx((0.03 - half, 0.03 + half))
    assert (found.interval.estimate, found.smallest) == pytest.approx((0.03, 0.02))
    missing = effects.Effect(3, 10)
    assert effects.over_draws(missing, ratio=3 / 7) == missing


def test_gap_is_of_overall_accuracy_and_holds_its_estimate():
    found = evidence(*unbalanced(made(0.5), made(0.75, tilt=0.25, objective="S+A")))
    gap = effects.gap(found, S, SA)
    shares = [(a["truth"] == a["predicted"]).mean() for a in map(found.answers, (S, SA))]
    assert gap.interval.estimate == pytest.approx(shares[0] - shares[1])
    assert gap.interval.low < gap.interval.estimate < gap.interval.high


def test_gap_and_draws_of_a_chapter():
    found = vector_evidence(records_of(0.75), records_of(0.5, model="fc"))
    where = {"corpus": "fake"}
    gap = effects.gap(found, where, {**where, "model": "fc"})
    assert gap.interval is not None
    assert gap.interval.estimate == pytest.approx(0.25)
    # Nothing is paired, so that the interval is wider than that of the paired difference.
    paired = effects.difference(found, where, {**where, "model": "fc"}, "accuracy_overall")
    assert paired.interval is not None
    widths = [effect.high - effect.low for effect in (gap.interval, paired.interval)]
    assert widths[0] > 1.2 * widths[1]
    right = effects.right_by_draw(found, where)
    assert sorted(right) == sorted(18 + fold % 3 for fold in range(DRAWS))
    assert effects.right_by_draw(found, {**where, "model": "gru"}).empty
    assert str(effects.gap(found, where, {**where, "model": "gru"})) == "running: 0 of 10 runs"
