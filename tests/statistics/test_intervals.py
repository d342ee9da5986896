"""Bootstrap intervals against loops and simulations; verdicts on them."""

import math

import numpy as np
import pandas as pd
import pytest

from ser_lib import statistics
from ser_lib.metrics import accuracy_class, accuracy_overall
from ser_lib.records import Records
from ser_lib.statistics import Interval, intervals

SPEAKERS = {f"{speaker}-{take}": speaker for speaker in "abc" for take in range(4)}


def records() -> Records:
    """Two folds of speakers a, b and c; the truth is sadness for odd takes, anger for even."""
    rng = np.random.default_rng(0)
    runs, predictions = [], []
    for weight in (0.1, 4.0):
        for seed in (0, 1):
            for fold, inside in enumerate(("ab", "c")):
                run = f"{weight}/{seed}/{fold}"
                facts = {"corpus": "x", "input": "mfcc", "objective": "S+C", "epochs": 60}
                place = {"fold": fold, "seed": seed, "training_seconds": rng.random()}
                runs.append({"run": run, "lambda1": weight, **facts, **place})
                for key, speaker in SPEAKERS.items():
                    if speaker in inside:
                        truth = ("anger", "sadness")[int(key[-1]) % 2]
                        predicted = rng.choice(["anger", "sadness", "neutral"])
                        answer = {"key": key, "truth": truth, "predicted": predicted}
                        predictions.append({"run": run, "way": 0, **answer})
    return Records(pd.DataFrame(runs), pd.DataFrame(predictions), pd.DataFrame(), pd.DataFrame())


def answers(made, weight):
    """What the runs of one weight answered, with the speaker and the seed of each answer."""
    rows = made.predictions.merge(made.runs[["run", "seed", "lambda1"]], on="run")
    rows["speaker"] = rows["key"].map(SPEAKERS)
    return rows[rows["lambda1"] == weight].sort_values(["seed", "key"], ignore_index=True)


# Bootstrap


def drawn(speakers, seeds, draws, seed):
    """The draws of the bootstrap, one at a time."""
    rng = np.random.default_rng(seed)
    who = rng.integers(speakers, size=(draws, speakers))
    which = rng.integers(seeds, size=(draws, speakers, seeds))
    for draw in range(draws):
        yield [
            (s, r) for s, seeds_of_s in zip(who[draw], which[draw], strict=True) for r in seeds_of_s
        ]


def test_bootstrap_equals_a_loop():
    values = np.random.default_rng(0).random((5, 3))
    means = [np.mean([values[cell] for cell in cells]) for cells in drawn(5, 3, 400, 7)]
    interval = statistics.bootstrap_mean(values, draws=400, level=0.9, seed=7)
    assert interval.estimate == pytest.approx(values.mean())
    assert (interval.low, interval.high) == pytest.approx(np.quantile(means, [0.05, 0.95]))
    assert interval.level == 0.9


def test_bootstrap_of_a_difference_is_paired():
    rng = np.random.default_rng(0)
    first = rng.random((6, 2))
    second = first - 0.1
    interval = statistics.bootstrap_difference(first, second)
    assert (interval.low, interval.high) == pytest.approx((0.1, 0.1))
    frame = pd.DataFrame(first, index=list("abcdef"))
    with pytest.raises(ValueError, match="differ in speakers"):
        statistics.bootstrap_difference(frame, frame.iloc[::-1])
    with pytest.raises(ValueError, match="differ in seeds"):
        statistics.bootstrap_difference(frame, frame.rename(columns={0: 5}))
    with pytest.raises(ValueError, match=r"\(6, 2\) and second \(6, 1\)"):
        statistics.bootstrap_difference(first, first[:, :1])


@pytest.mark.parametrize(("speakers", "expected"), [(10, 0.904), (24, 0.930)])
def test_coverage_of_the_bootstrap(speakers, expected):
    """The expected shares are of 3,000 simulations; two standard errors of 1,000 are 0.019."""
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(1000):
        values = rng.normal(0, 0.1, (speakers, 1)) + rng.normal(0, 0.03, (speakers, 3))
        interval = statistics.bootstrap_mean(values, draws=400, seed=rng)
        covered += interval.low <= 0 <= interval.high
    assert covered / 1000 == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("metric", ["accuracy_class", "accuracy_overall"])
@pytest.mark.parametrize("paired", [False, True])
def test_bootstrap_of_a_pooled_accuracy_equals_a_loop(metric, paired):
    """Only speaker a was ever angry, so that many a draw lacks the class."""
    made = records()
    kept = made.predictions[~made.predictions["key"].isin(["b-0", "b-2", "c-0", "c-2"])]
    thinned = Records(made.runs, kept, made.history, made.embeddings)
    first, second = (answers(thinned, weight) for weight in (0.1, 4.0))
    score = {"accuracy_class": accuracy_class, "accuracy_overall": accuracy_overall}[metric]

    def naive(frame, cells):
        parts = [frame[(frame["speaker"] == "abc"[s]) & (frame["seed"] == r)] for s, r in cells]
        rows = pd.concat(parts)
        return score(rows["truth"], rows["predicted"])

    expected = [
        naive(first, cells) - (naive(second, cells) if paired else 0)
        for cells in drawn(3, 2, 120, 5)
    ]
    for level in (0.95, 0.6, 0.2):
        interval = statistics.bootstrap_pooled(
            first.sample(frac=1, random_state=1),
            second if paired else None,
            metric=metric,
            draws=120,
            level=level,
            seed=5,
        )
        ends = np.quantile(expected, [(1 - level) / 2, (1 + level) / 2])
        assert (interval.low, interval.high) == pytest.approx(ends)
    pooled = [
        np.mean([score(rows["truth"], rows["predicted"]) for _, rows in frame.groupby("seed")])
        for frame in (first, second)
    ]
    assert interval.estimate == pytest.approx(pooled[0] - (pooled[1] if paired else 0))


def test_bootstrap_of_many_units_is_scored_in_parts():
    """Single utterances as units: the binomial's own interval, however many draws fit at a time."""
    answers = pd.DataFrame({"speaker": range(2_500), "seed": 0, "truth": "a"})
    answers["key"] = answers["speaker"].astype(str)
    answers["predicted"] = np.where(answers["speaker"] % 5 < 3, "a", "b")
    one, other = (
        statistics.bootstrap_pooled(answers, metric="accuracy_overall", draws=draws, seed=1)
        for draws in (800, 2_000)  # at most 838 of them fit into one part
    )
    for interval in (one, other):
        assert interval.estimate == pytest.approx(0.6)
        half = 1.96 * np.sqrt(0.6 * 0.4 / 2_500)
        assert interval.high - interval.low == pytest.approx(2 * half, rel=0.08)


def test_bootstrap_of_a_pooled_accuracy_refuses():
    rows = answers(records(), 4.0)

    def refused(text, frame, *others, **options):
        with pytest.raises(ValueError, match=text):
            statistics.bootstrap_pooled(frame, *others, **options)

    refused("no column seed, key", rows.drop(columns=["seed", "key"]))
    refused("no rows", rows[:0])
    refused("missing values in column truth", rows.assign(truth=None))
    refused("'a-0' stands twice in seed 0", pd.concat([rows, rows[:1]]))
    refused(
        "some cell has no utterance",
        rows[~rows["key"].str.startswith("a") | (rows["seed"] == 0)],
    )
    refused("not paired", rows, rows[1:])
    refused("not paired", rows, rows.assign(truth="fear"))
    refused("metric 'f1'", rows, metric="f1")


@pytest.mark.parametrize(
    ("values", "options", "text"),
    [
        ([], {}, r"shape \(0,\)"),
        ([1.0, 2.0], {}, r"\(2,\): \(speakers, seeds\)"),
        ([[1.0], [math.nan]], {}, "nan is not finite"),
        ([[1.0], [math.inf]], {}, "inf is not finite"),
        ([[1.0, 2.0]], {}, "1 speaker"),
        ([[1.0], [2.0]], {"draws": 99}, "draws is 99"),
        ([[1.0], [2.0]], {"level": 1.0}, "level is 1.0"),
        ([[1.0], [2.0]], {"level": math.nan}, "level is nan"),
    ],
)
def test_bootstrap_refuses(values, options, text):
    with pytest.raises(ValueError, match=text):
        statistics.bootstrap_mean(values, **options)


def test_many_units_are_drawn_from_one_stream():
    right = np.arange(2_500) % 5 < 3
    answers = pd.DataFrame({"speaker": range(2_500), "seed": 0, "truth": "a"})
    answers["key"] = [f"{n:04d}" for n in range(2_500)]
    answers["predicted"] = np.where(right, "a", "b")
    rng, expected = np.random.default_rng(1), []
    for part in (838, 838, 324):
        who = rng.integers(2_500, size=(part, 2_500))
        rng.integers(1, size=(part, 2_500, 1))
        expected += right[who].mean(1).tolist()
    _, draws = intervals.draw_pooled(answers, metric="accuracy_overall", draws=2_000, seed=1)
    np.testing.assert_allclose(draws, expected)


# Verdicts


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.01, 0.05, "higher"),
        (-0.05, -0.01, "lower"),
        (-0.01, 0.01, "no difference"),
        (0.001, 0.01, "higher"),  # surely positive, surely small
        (-0.01, -0.001, "lower"),
        (0.0, 0.01, "no difference"),
        (-0.01, 0.05, "undecided"),
        (-0.02, 0.01, "undecided"),  # the margin itself is not within the margin
        (0.0, 0.05, "undecided"),
        (0.02, 0.02, "higher"),
    ],
)
def test_verdict(low, high, said):
    assert statistics.verdict(Interval((low + high) / 2, low, high), 0.02) == said


def test_verdict_without_a_smallest_effect_never_says_no_difference():
    assert statistics.verdict(Interval(0, 0, 0), 0) == "undecided"
    assert statistics.verdict(Interval(1e-9, 1e-9, 1e-9), 0) == "higher"


@pytest.mark.parametrize("smallest", [-0.1, math.nan, math.inf])
def test_verdict_refuses(smallest):
    with pytest.raises(ValueError, match="smallest is"):
        statistics.verdict(Interval(0, -1, 1), smallest)


@pytest.mark.parametrize(
    ("numbers", "text"),
    [((0, 1, -1), "low end 1"), ((math.nan, 0, 1), "nan"), ((0, -1, 1, 0), "level is 0")],
)
def test_interval_refuses(numbers, text):
    with pytest.raises(ValueError, match=text):
        Interval(*numbers)
