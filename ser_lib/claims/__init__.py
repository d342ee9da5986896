"""Every claim of a paper, judged by its rule from the packed records."""

from ser_lib.claims.ledger import load_ledger, studies
from ser_lib.claims.verdicts import (
    check,
    count,
    downloads,
    evidence,
    judge,
    ledger_page,
    load_verdicts,
    summary_page,
    update,
    verdict,
)

__all__ = [
    "check",
    "count",
    "downloads",
    "evidence",
    "judge",
    "ledger_page",
    "load_ledger",
    "load_verdicts",
    "studies",
    "summary_page",
    "update",
    "verdict",
]
