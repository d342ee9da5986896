"""Tests, effect sizes, and the interval of a share."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from ser_lib.statistics.intervals import Array, Interval, finite, inside


@dataclass(frozen=True)
class Test:
    """A t-test of a mean: its statistic, degrees of freedom, p value and interval."""

    __test__ = False  # nothing for pytest to collect

    statistic: float
    degrees: int
    p_value: float
    interval: Interval


def corrected_t_test(differences: npt.ArrayLike, *, ratio: float, level: float = 0.95) -> Test:
    r"""Two-sided t-test of differences per fold, corrected for shared training data.

    .. math::
        t = \frac{\bar d}{\sqrt{\left(\frac1J + \frac{n_\text{test}}{n_\text{train}}\right)
        s^2}}, \qquad J - 1 \text{ degrees of freedom}

    (Nadeau and Bengio 2003, section 3). The correction was derived for random resampling; for
    cross-validation it is a customary approximation.

    Args:
        differences: (J,) paired differences, one for each fold.
        ratio: Test size over training size; 1/4 in five equal folds. With 0 it is Student's test.
        level: Confidence level of the interval around the mean difference.

    Raises:
        ValueError: fewer than two differences, one is not finite, all are the same, or an option
            is out of its range.

    Example:
        >>> test = corrected_t_test([0.01, 0.02, 0.03, 0.04, 0.05], ratio=1 / 4)
        >>> round(test.statistic, 6), test.degrees, round(test.p_value, 4)
        (2.828427, 4, 0.0474)
    """
    d, error = _standard_error(differences, ratio)
    inside("level", level)
    mean, degrees = float(d.mean()), d.size - 1
    statistic = mean / error
    half = float(stats.t.ppf((1 + level) / 2, degrees)) * error
    p_value = 2 * float(stats.t.sf(abs(statistic), degrees))
    return Test(statistic, degrees, p_value, Interval(mean, mean - half, mean + half, level))


def equivalence_test(
    differences: npt.ArrayLike, margin: float, *, ratio: float = 0.0, alpha: float = 0.05
) -> Test:
    r"""Two one-sided t-tests: is the mean difference smaller than ``margin`` either way?

    .. math:: p = \max\bigl(P(T \ge t_{-m}),\ P(T \le t_{+m})\bigr), \qquad
        t_{\pm m} = (\bar d \mp m) / \text{standard error}

    (Schuirmann 1987; Lakens 2017.) The difference is "smaller than the smallest effect of
    interest" if the p value is below ``alpha``, which is the same as: the interval at level
    ``1 - 2 * alpha`` lies within the margin (``Test.interval.within(margin)``). The statistic is
    the one of the two nearer to its null. The standard error is that of ``corrected_t_test``.

    Raises:
        ValueError: ``margin`` is not positive, ``alpha`` not in (0, 0.5), or as for
            ``corrected_t_test``.

    Example:
        >>> test = equivalence_test([0.001, -0.002, 0.000, 0.003], 0.02)
        >>> test.p_value < 0.05, test.interval.within(0.02)
        (True, True)
    """
    if not 0 < margin < math.inf:
        raise ValueError(f"margin is {margin}, it must be positive and finite")
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is {alpha}, it must be in (0, 0.5)")
    d, error = _standard_error(differences, ratio)
    mean, degrees = float(d.mean()), d.size - 1
    above, below = (mean + margin) / error, (mean - margin) / error
    p_value = max(float(stats.t.sf(above, degrees)), float(stats.t.cdf(below, degrees)))
    half = float(stats.t.ppf(1 - alpha, degrees)) * error
    interval = Interval(mean, mean - half, mean + half, 1 - 2 * alpha)
    return Test(min(above, below, key=abs), degrees, p_value, interval)


def cohens_d(differences: npt.ArrayLike) -> float:
    r"""Cohen's d of paired values: mean difference in standard deviations of the differences.

    .. math:: d_z = \bar d / s_d

    (Cohen 1988, section 2.3.5; the deviation has J - 1 in its denominator.)

    Raises:
        ValueError: fewer than two differences, one is not finite, or all are the same.

    Example:
        >>> cohens_d([1, 2, 3])
        2.0
    """
    d, _ = _standard_error(differences, 0.0)
    return float(d.mean() / d.std(ddof=1))


def cliffs_delta(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    r"""Cliff's delta: how much more often a value of ``first`` is above one of ``second``.

    .. math:: \delta = P(X > Y) - P(X < Y) \in [-1, 1]

    over all pairs of a value of each (Cliff 1993).

    Raises:
        ValueError: one of the lists is empty, no list, or holds a value that is not finite.

    Example:
        >>> cliffs_delta([3, 4], [1, 3])
        0.75
    """
    x, y = (
        finite(first, "first", ndim=1, kind="a list"),
        finite(second, "second", ndim=1, kind="a list"),
    )
    return float(np.sign(x[:, None] - y).mean())


def probability_of_superiority(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    r"""Probability that a value of ``first`` is above one of ``second``, ties counting half.

    .. math:: P(X > Y) + \tfrac12 P(X = Y) = (\delta + 1) / 2 \in [0, 1]

    (Vargha and Delaney 2000; :math:`\delta` is Cliff's delta.)

    Raises:
        ValueError: as for ``cliffs_delta``.

    Example:
        >>> probability_of_superiority([3, 4], [1, 3])
        0.875
    """
    return (cliffs_delta(first, second) + 1) / 2


def holm(p_values: npt.ArrayLike) -> Array:
    r"""Holm's step-down adjustment of p values for testing several hypotheses.

    .. math:: \tilde p_{(i)} = \min\bigl(1, \max_{j \le i} (m - j + 1)\, p_{(j)}\bigr)

    with the p values in rising order (Holm 1979). Compare the result, in the order given, with
    the level that should hold for all hypotheses together.

    Args:
        p_values: (m,) values in [0, 1].

    Raises:
        ValueError: there are none, or one is not in [0, 1].

    Example:
        >>> holm([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.06, 0.06]
    """
    p = finite(p_values, "p values", ndim=1, kind="a list")
    if (p < 0).any() or (p > 1).any():
        raise ValueError(f"p values {p.tolist()} are not all in [0, 1]")
    order = np.argsort(p, kind="stable")
    steps = np.arange(p.size, 0, -1) * p[order]
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(steps))
    return adjusted


def wilson(hits: int, total: int, *, level: float = 0.95) -> Interval:
    r"""Wilson's score interval of a share.

    .. math::
        \frac{\hat p + \frac{z^2}{2n} \pm
        z \sqrt{\frac{\hat p (1 - \hat p)}{n} + \frac{z^2}{4n^2}}}{1 + z^2 / n}

    (Wilson 1927.) It takes the ``total`` as independent, which utterances of one speaker are not.

    Raises:
        ValueError: no total, more hits than that, or a level that is not in (0, 1).

    Example:
        >>> share = wilson(66, 72)
        >>> round(100 * share.low, 1), round(100 * share.high, 1)
        (83.0, 96.1)
    """
    if total < 1 or not 0 <= hits <= total or hits % 1 or total % 1:  # inf % 1 is nan, thus true
        raise ValueError(f"{hits} hits of {total}: both must be counts, hits at most the total")
    inside("level", level)
    p, z = hits / total, float(stats.norm.ppf((1 + level) / 2))
    middle = p + z**2 / (2 * total)
    half = z * math.sqrt(p * (1 - p) / total + z**2 / (4 * total**2))
    scale = 1 + z**2 / total
    # Exactly 0 and 1 at the ends, where the difference is only rounding.
    low = 0.0 if hits == 0 else (middle - half) / scale
    return Interval(p, low, 1.0 if hits == total else (middle + half) / scale, level)


def _standard_error(differences: npt.ArrayLike, ratio: float) -> tuple[Array, float]:
    d = finite(differences, "differences", ndim=1, kind="a list")
    if d.size < 2:
        raise ValueError(f"{d.size} difference: at least 2 are needed")
    if not 0 <= ratio < math.inf:
        raise ValueError(f"ratio is {ratio}, test size over training size must be 0 or more")
    if np.ptp(d) <= 1e-12 * max(1.0, float(np.abs(d).max())):  # all that is left is rounding
        raise ValueError(f"all {d.size} differences are {d[0]}: their variance is zero")
    return d, math.sqrt((1 / d.size + ratio) * float(d.var(ddof=1)))
