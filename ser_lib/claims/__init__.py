"""Every claim of a paper, judged by its rule from the packed records."""

from ser_lib.claims.chain import (
    Ledger,
    check,
    count,
    downloads,
    evidence,
    judge,
    ledger_page,
    load_ledger,
    load_verdicts,
    studies,
    update,
    verdict,
)

__all__ = [
    "Ledger",
    "check",
    "count",
    "downloads",
    "evidence",
    "judge",
    "ledger_page",
    "load_ledger",
    "load_verdicts",
    "studies",
    "update",
    "verdict",
]
