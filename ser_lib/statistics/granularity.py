"""The granularity test: which test-set sizes could have given the printed percentages?

A share of ``n`` utterances is a multiple of ``1/n``, so a few printed figures tell much about
``n``. The idea is the GRIM test of Brown and Heathers (2017), applied to accuracies. It is exact
integer arithmetic. It presumes that the figures are plain accuracies over one common test set; it
cannot tell that set from a larger one whose counts happen to share a factor (``by_luck``), nor say
which utterances were in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Literal, get_args

Figure = str | float
Rounding = Literal["round", "truncate", "either"]


def counts(
    figure: Figure, size: int, *, decimals: int = 2, rounding: Rounding = "either"
) -> tuple[int, ...]:
    r"""Every number of hits out of ``size`` that is printed as ``figure`` per cent.

    With :math:`s = 100 \cdot 10^d` and the figure as a whole number :math:`P` of units of
    :math:`10^{-d}` per cent, the counts :math:`k` are those with

    .. math::
        P \le s k / n < P + 1 \quad\text{(truncate)}, \qquad
        P - \tfrac12 \le s k / n \le P + \tfrac12 \quad\text{(round)}

    or one of the two ("either"). Both ends are taken when rounding, as a tie may go either way.

    Args:
        figure: Percentage as printed, as text or number.
        size: Number of utterances n.
        decimals: Decimals that the source prints, d.
        rounding: How the source shortens a figure.

    Raises:
        ValueError: the figure is no percentage of at most that many decimals, the size is not
            positive, or the rounding is unknown.

    Example:
        >>> counts("91.67", 72), counts("54.16", 72), counts("54.16", 72, rounding="round")
        ((66,), (39,), ())
    """
    if size < 1:
        raise ValueError(f"size is {size}, at least 1 utterance is needed")
    if decimals < 0:
        raise ValueError(f"decimals is {decimals}, at least 0 is needed")
    if rounding not in get_args(Rounding):
        raise ValueError(f"rounding {rounding!r}, known: {', '.join(get_args(Rounding))}")
    units = _units(figure, decimals)
    scale = 100 * 10**decimals
    # Twice everything, to keep the halves whole; -(-a // b) is a / b rounded up.
    least = 2 * units - (rounding != "truncate")
    low = -(-least * size // (2 * scale))
    if rounding == "round":
        high = (2 * units + 1) * size // (2 * scale)
    else:
        high = -(-(units + 1) * size // scale) - 1
    return tuple(range(max(low, 0), min(high, size) + 1))


def attainable(
    figures: Sequence[Figure], size: int, *, decimals: int = 2, rounding: Rounding = "either"
) -> bool:
    """Say whether every figure can be a share of ``size`` utterances.

    With "either", each figure may have been rounded or truncated, whatever the others were.

    Raises:
        ValueError: there are no figures, or as for ``counts``.

    Example:
        >>> attainable(["47.22", "91.67"], 72), attainable(["47.22", "91.67"], 100)
        (True, False)
    """
    if isinstance(figures, str) or not len(figures):
        raise ValueError(f"figures is {figures!r}, a list of at least one figure is needed")
    options = [counts(f, size, decimals=decimals, rounding=rounding) for f in figures]
    return all(options)


def sizes(
    figures: Sequence[Figure], *, largest: int, decimals: int = 2, rounding: Rounding = "either"
) -> tuple[int, ...]:
    """Every test-set size up to ``largest`` that could have given all figures.

    From ``100 * 10**decimals`` utterances on every figure fits, and the test says nothing.

    Raises:
        ValueError: ``largest`` is not positive, or as for ``attainable``.

    Example:
        >>> sizes(["33.3", "16.7"], largest=20, decimals=1)
        (6, 12, 18)
    """
    if largest < 1:
        raise ValueError(f"largest is {largest}, at least 1 utterance is needed")
    return tuple(
        size
        for size in range(1, largest + 1)
        if attainable(figures, size, decimals=decimals, rounding=rounding)
    )


def by_luck(factor: int, figures: int) -> float:
    r"""Probability that all counts of a test set ``factor`` times as large are its multiples.

    .. math:: k^{-m}

    for ``m`` figures and the factor ``k``, if a count is as likely to leave any remainder and the
    counts are independent. (Figures of one test set are only roughly so.)

    Raises:
        ValueError: the factor or the number of figures is not positive.

    Example:
        A test set of 432 that looks like one of 72 in seven figures:

        >>> f"{by_luck(6, 7):.1e}"
        '3.6e-06'
    """
    if factor < 1 or figures < 1:
        raise ValueError(f"factor is {factor} and figures {figures}, both must be at least 1")
    return float(factor) ** -figures


def _units(figure: Figure, decimals: int) -> int:
    try:
        value = Decimal(str(figure))
    except InvalidOperation as error:
        raise ValueError(f"figure {figure!r} is not a number") from error
    if not value.is_finite() or not 0 <= value <= 100:
        raise ValueError(f"figure {figure!r} is not a percentage from 0 to 100")
    units = value.scaleb(decimals)
    if units != units.to_integral_value():
        raise ValueError(f"figure {figure!r} has more than {decimals} decimals")
    return int(units)
