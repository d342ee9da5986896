"""Repositories with a ledger of made-up claims."""

import shutil

import pytest
import yaml

from ser_lib import claims
from tests.claims.ledgers import PLAN, ROOT, entry
from tests.fake_records import FOLDS, SEEDS, TAKES, joined, made, write


@pytest.fixture
def house(tmp_path):
    """A repository with a plan, an empty book, and a way to write its ledger."""
    for folder in ("results/paper1", "notebooks", "book"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "results/paper1/plan.toml").write_text(PLAN)
    shutil.copy(ROOT / "results/paper1/summary.md", tmp_path / "results/paper1")

    def ledger(*entries):
        size = {"folds": FOLDS, "utterances": 2 * FOLDS * 4 * TAKES}
        text = {
            "title": "The verdicts",
            "about": "Every claim.",
            "summary": [entries[0]["id"]],
            "rules": {
                "seeds": list(SEEDS),
                "corpora": {"emodb": size, "ravdess": size},
                "lambda1_by_validation": [4.0, 0.0625],
                "families": {c["family"]: "tests" for c in entries if "family" in c},
            },
            "claims": list(entries),
        }
        (tmp_path / "results/paper1/claims.yml").write_text(yaml.safe_dump(text, sort_keys=False))
        return tmp_path

    return ledger


@pytest.fixture
def checked(house, monkeypatch):
    """A repository on which the check says nothing."""
    root = house(
        entry("claim", family="table1", printed_effect=0.049), entry("other", rule="similar")
    )
    write(root, joined(made(0.5), made(0.75, objective="S+A")))
    claims.update("paper1", root)
    assert claims.check(root) == []
    monkeypatch.setenv("SER_RESULTS", str(root / "results"))
    return root
