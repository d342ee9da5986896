"""What the packed records of a study say: of one condition, of two, in a table, in a sentence."""

from ser_lib.evidence.conditions import (
    BY_VALIDATION,
    Condition,
    Evidence,
    Missing,
    Protocol,
    Size,
    by_unit,
    inconsistencies,
)

__all__ = [
    "BY_VALIDATION",
    "Condition",
    "Evidence",
    "Missing",
    "Protocol",
    "Size",
    "by_unit",
    "inconsistencies",
]
