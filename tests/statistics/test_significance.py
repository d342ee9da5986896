"""Tests, effect sizes and shares against scipy and sums done by hand."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from ser_lib import statistics

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
