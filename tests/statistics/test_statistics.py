"""Intervals, tests, effect sizes and verdicts against loops, scipy and sums done by hand."""

import math
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from ser_lib import statistics
from ser_lib.metrics import accuracy_class, accuracy_overall
from ser_lib.records import Records
from ser_lib.statistics import Interval, intervals

POSTER = ["47.22", "58.33", "55.56", "56.94", "54.16", "61.11", "91.67"]
"""The seven accuracies that paper 2 reports on RAVDESS."""

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


# Tests

numbers = st.floats(-1, 1).map(lambda value: round(value, 6))
several = st.lists(numbers, min_size=2, max_size=12).filter(lambda d: np.ptp(d) > 1e-5)


def test_corrected_t_test_by_hand():
    """Mean 3, variance 2.5, J = 5: error sqrt((1/5 + 1/4) 2.5) = sqrt(1.125) = 1.06066."""
    test = statistics.corrected_t_test([1, 2, 3, 4, 5], ratio=1 / 4)
    assert test.statistic == pytest.approx(2.828427)
    assert test.degrees == 4
    # Student's t, 4 degrees, two-sided: 2.776445 for 5 %.
    assert test.p_value == pytest.approx(0.0474, abs=1e-4)
    assert test.interval.low == pytest.approx(3 - 2.776445 * 1.06066, abs=1e-5)
    assert test.interval.high == pytest.approx(3 + 2.776445 * 1.06066, abs=1e-5)


@given(several)
def test_without_correction_it_is_students_test(differences):
    test = statistics.corrected_t_test(differences, ratio=0)
    oracle = scipy.stats.ttest_1samp(differences, 0)
    ends = oracle.confidence_interval(0.95)
    assert (test.statistic, test.p_value) == pytest.approx((oracle.statistic, oracle.pvalue))
    assert (test.interval.low, test.interval.high) == pytest.approx((ends.low, ends.high))
    assert test.degrees == oracle.df


@given(several, st.floats(0.01, 2))
def test_the_correction_only_costs_power(differences, ratio):
    plain = statistics.corrected_t_test(differences, ratio=0)
    assert statistics.corrected_t_test(differences, ratio=ratio).p_value >= plain.p_value


@given(several, st.floats(0.01, 1), st.sampled_from([0.01, 0.05, 0.1]))
def test_equivalence_is_two_one_sided_tests(differences, margin, alpha):
    test = statistics.equivalence_test(differences, margin, alpha=alpha)
    above = scipy.stats.ttest_1samp(differences, -margin, alternative="greater")
    below = scipy.stats.ttest_1samp(differences, margin, alternative="less")
    assert test.p_value == pytest.approx(max(above.pvalue, below.pvalue))
    nearer = min(above.statistic, below.statistic, key=abs)
    assert abs(test.statistic) == pytest.approx(abs(nearer))
    if abs(test.p_value - alpha) > 1e-9:
        assert test.interval.within(margin) == (test.p_value < alpha)


def test_equivalence_with_correction_is_harder():
    differences = [0.001, -0.002, 0.0, 0.003]
    plain, corrected = (
        statistics.equivalence_test(differences, 0.0035, ratio=ratio).p_value for ratio in (0, 0.25)
    )
    assert plain < 0.05 < corrected


@pytest.mark.parametrize(
    ("differences", "options", "text"),
    [
        ([], {}, "not empty"),
        ([0.1], {}, "1 difference"),
        ([[0.1, 0.2]], {}, r"shape \(1, 2\): a list"),
        ([0.1, math.nan], {}, "nan is not finite"),
        ([0.1, 0.3 - 0.2], {}, "variance is zero"),
        ([0.1, 0.2], {"ratio": -1}, "ratio is -1"),
        ([0.1, 0.2], {"ratio": math.nan}, "ratio is nan"),
        ([0.1, 0.2], {"level": 0}, "level is 0"),
    ],
)
def test_t_test_refuses(differences, options, text):
    with pytest.raises(ValueError, match=text):
        statistics.corrected_t_test(differences, **{"ratio": 0.25, **options})


@pytest.mark.parametrize(
    ("margin", "alpha", "text"),
    [(0, 0.05, "margin is 0"), (math.nan, 0.05, "margin is nan"), (0.1, 0.5, "alpha is 0.5")],
)
def test_equivalence_refuses(margin, alpha, text):
    with pytest.raises(ValueError, match=text):
        statistics.equivalence_test([0.1, 0.2], margin, alpha=alpha)


# Effect sizes, many tests, shares


@given(st.lists(numbers, min_size=1, max_size=8), st.lists(numbers, min_size=1, max_size=8))
def test_cliffs_delta_equals_a_loop(first, second):
    pairs = [(x, y) for x in first for y in second]
    delta = sum((x > y) - (x < y) for x, y in pairs) / len(pairs)
    assert statistics.cliffs_delta(first, second) == pytest.approx(delta)
    superiority = sum((x > y) + (x == y) / 2 for x, y in pairs) / len(pairs)
    assert statistics.probability_of_superiority(first, second) == pytest.approx(superiority)
    mann_whitney = scipy.stats.mannwhitneyu(first, second, method="asymptotic").statistic
    assert superiority == pytest.approx(mann_whitney / len(pairs))


@given(several)
def test_cohens_d_is_t_without_the_size(differences):
    t = scipy.stats.ttest_1samp(differences, 0).statistic
    assert statistics.cohens_d(differences) == pytest.approx(t / math.sqrt(len(differences)))


def test_effect_sizes_refuse():
    with pytest.raises(ValueError, match="second of shape"):
        statistics.cliffs_delta([1.0], [])
    with pytest.raises(ValueError, match="nan is not finite"):
        statistics.probability_of_superiority([math.nan], [1.0])
    with pytest.raises(ValueError, match="variance is zero"):
        statistics.cohens_d([0.1, 0.1])


def test_holm_by_hand():
    """Sorted 0.005, 0.01, 0.03, 0.04 by 4, 3, 2, 1: 0.02, 0.03, 0.06, then 0.04 raised to 0.06."""
    assert statistics.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert statistics.holm([0.6, 0.7]) == pytest.approx([1, 1])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_keeps_order_and_lies_between_none_and_bonferroni(p_values):
    p, adjusted = np.array(p_values), statistics.holm(p_values)
    order = np.argsort(p, kind="stable")
    assert (np.diff(adjusted[order]) >= 0).all()
    assert (adjusted >= p).all()
    assert (adjusted <= np.minimum(1, p * len(p)) + 1e-15).all()
    # The same hypotheses fall as when one steps down until the first that stands.
    rejected = []
    for rank, index in enumerate(order):
        if p[index] * (len(p) - rank) > 0.05:
            break
        rejected.append(index)
    assert sorted(rejected) == np.flatnonzero(adjusted <= 0.05).tolist()


@pytest.mark.parametrize(
    ("p_values", "text"), [([], "not empty"), ([0.1, 1.1], "1.1"), ([math.nan], "nan")]
)
def test_holm_refuses(p_values, text):
    with pytest.raises(ValueError, match=text):
        statistics.holm(p_values)


def test_wilson_of_66_in_72():
    """By hand with z = 1.959964, z² = 3.841459.

    p = 0.916667; middle (0.916667 + 0.026677) / 1.053354 = 0.895562;
    half 1.959964 sqrt(0.00106096 + 0.00018526) / 1.053354 = 0.065685.
    """
    interval = statistics.wilson(66, 72)
    assert interval.estimate == pytest.approx(66 / 72)
    assert (interval.low, interval.high) == pytest.approx((0.829877, 0.961247), abs=2e-6)


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_equals_scipy(pair):
    interval = statistics.wilson(*pair, level=0.9)
    oracle = scipy.stats.binomtest(*pair).proportion_ci(0.9, method="wilson")
    assert (interval.low, interval.high) == pytest.approx((oracle.low, oracle.high), abs=1e-12)
    assert 0 <= interval.low <= interval.estimate <= interval.high <= 1


@pytest.mark.parametrize(("hits", "total"), [(0, 0), (-1, 3), (4, 3), (math.nan, 3)])
def test_wilson_refuses(hits, total):
    with pytest.raises(ValueError, match=f"{hits} hits of {total}"):
        statistics.wilson(hits, total)


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


# Granularity


def printed(hits, size, rounding, decimals=2):
    """Per cent as a source prints it; a tie is rounded up here."""
    share = Fraction(100 * hits, size) * 10**decimals
    if rounding == "truncate":
        return math.floor(share)
    return math.floor(share + Fraction(1, 2))


@given(st.integers(1, 150), st.integers(0, 100), st.integers(0, 2))
def test_counts_equal_a_loop(size, whole, decimals):
    figure = Decimal(whole)
    for rounding in ("round", "truncate"):
        naive = [
            k
            for k in range(size + 1)
            if printed(k, size, rounding, decimals) == whole * 10**decimals
        ]
        found = statistics.counts(whole, size, decimals=decimals, rounding=rounding)
        ties = {Fraction(100 * k, size) - Fraction(figure) for k in set(found) - set(naive)}
        assert set(naive) <= set(found)
        assert ties <= {Fraction(1, 2 * 10**decimals)}  # a tie may also have been rounded down
    either = statistics.counts(whole, size, decimals=decimals)
    assert set(either) == {
        k
        for rounding in ("round", "truncate")
        for k in statistics.counts(whole, size, decimals=decimals, rounding=rounding)
    }


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_what_was_printed_is_attainable(pair):
    hits, size = pair
    exact = Decimal(100 * hits) / Decimal(size)
    for rounding, mode in (("round", ROUND_HALF_UP), ("truncate", ROUND_DOWN)):
        figure = str(exact.quantize(Decimal("0.01"), rounding=mode))
        assert hits in statistics.counts(figure, size, rounding=rounding)
        assert statistics.attainable([figure], size)


def test_the_posters_figures_fit_multiples_of_72_only():
    assert statistics.sizes(POSTER, largest=1440) == tuple(range(72, 1441, 72))
    naive = [
        size
        for size in range(1, 1441)
        if all(
            any(
                printed(k, size, rounding) == int(figure.replace(".", ""))
                for k in {int(float(figure) * size / 100) + step for step in (-1, 0, 1, 2)}
                for rounding in ("round", "truncate")
            )
            for figure in POSTER
        )
    ]
    assert naive == list(range(72, 1441, 72))
    hits = [statistics.counts(figure, 72) for figure in POSTER]
    assert hits == [(34,), (42,), (40,), (41,), (39,), (44,), (66,)]


def test_the_poster_both_rounds_and_truncates():
    """54.16 is 39 of 72 cut off; 55.56 and 91.67 are 40 and 66 of 72 rounded: no one rule fits."""
    fits = {
        rounding: [figure for figure in POSTER if statistics.counts(figure, 72, rounding=rounding)]
        for rounding in ("round", "truncate")
    }
    assert set(POSTER) - set(fits["round"]) == {"54.16"}
    assert set(POSTER) - set(fits["truncate"]) == {"55.56", "91.67"}
    for rounding in ("round", "truncate"):
        assert statistics.sizes(POSTER, largest=1440, rounding=rounding) == ()
    # The finding does not hang on the odd one: the six others, all rounded, say the same.
    six = [figure for figure in POSTER if figure != "54.16"]
    assert statistics.sizes(six, largest=1440, rounding="round") == tuple(range(72, 1441, 72))


def test_by_luck():
    assert statistics.by_luck(6, 7) == pytest.approx(3.57e-6, rel=1e-3)
    assert statistics.by_luck(2, 7) == pytest.approx(0.0078125)
    assert statistics.by_luck(1, 7) == 1
    # Of the 433 counts that 432 utterances allow, 73 are multiples of six.
    assert statistics.by_luck(6, 1) == pytest.approx(73 / 433, rel=0.02)


@pytest.mark.parametrize(
    ("figure", "size", "options", "text"),
    [
        ("nan", 72, {}, "not a percentage"),
        (math.nan, 72, {}, "not a percentage"),
        ("many", 72, {}, "not a number"),
        ("100.01", 72, {}, "not a percentage"),
        (-1, 72, {}, "not a percentage"),
        ("54.167", 72, {}, "more than 2 decimals"),
        ("54.16", 0, {}, "size is 0"),
        ("54.16", 72, {"decimals": -1}, "decimals is -1"),
        ("54.16", 72, {"rounding": "up"}, "rounding 'up'"),
    ],
)
def test_counts_refuse(figure, size, options, text):
    with pytest.raises(ValueError, match=text):
        statistics.counts(figure, size, **options)


def test_granularity_refuses():
    for figures in ([], "54.16"):
        with pytest.raises(ValueError, match="figures is"):
            statistics.attainable(figures, 72)
    with pytest.raises(ValueError, match="largest is 0"):
        statistics.sizes(POSTER, largest=0)
    for factor, figures in ((0, 7), (6, 0)):
        with pytest.raises(ValueError, match="at least 1"):
            statistics.by_luck(factor, figures)


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
