"""Ledgers of made-up claims, and what the rules make of them."""

from pathlib import Path

from ser_lib import claims, records

ROOT = Path(__file__).parents[2]
PLAN = """
[rules]
smallest_effect = 0.02
[fixed]
emotions = "four"
protocol = "sessions"
epochs = 2
lambda2 = 100.0
"""
CHAPTER = """# %% [markdown]
# # Title
#
{prose}

# %% mystnb={{"image": {{"alt": "{alt}"}}}}
accuracy = 0.7512  # code may say 75.1 %
{code}
"""


def entry(name, **changes):
    return {
        "id": name,
        "says": f"S+A beats S, {name}",
        "place": "Table 1",
        "quote": "better",
        "printed": {"class": [66.1, 61.2]},
        "protocol": "here",
        "rule": "better",
        "first": {"objective": "S+A"},
        "second": {"objective": "S"},
        "cells": [{"corpus": "emodb", "input": "mfcc"}],
        **changes,
    }


def outcomes(root, name="claim"):
    judged = claims.judge(
        claims.load_ledger("paper1", root), records.load("paper1", root / "results")
    )["claims"][name]
    return judged["verdict"], [cell["outcome"] for cell in judged.get("cells", [])]


def chapter(root, *, prose="# Nothing is measured here.", alt="A line.", code=""):
    (root / "notebooks/one.py").write_text(CHAPTER.format(prose=prose, alt=alt, code=code))
    return claims.check(root)
