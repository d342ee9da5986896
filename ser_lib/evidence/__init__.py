"""What the packed records of a study say: of one condition, of two, in a table, in a sentence."""

from ser_lib.evidence.conditions import Evidence, Missing, Protocol, Size, by_unit

__all__ = ["Evidence", "Missing", "Protocol", "Size", "by_unit"]
