"""What printed figures imply, against loops over all counts."""

import math
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ser_lib import statistics

POSTER = ["47.22", "58.33", "55.56", "56.94", "54.16", "61.11", "91.67"]
"""The seven accuracies that paper 2 reports on RAVDESS."""


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
