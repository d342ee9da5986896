"""The page of claims, and that the book has it with its downloads."""

import re
import shutil

import pytest
import yaml

from ser_lib import claims
from ser_lib.book import build
from ser_lib.claims.page import analyses
from tests.claims.ledgers import PLAN, ROOT
from tests.fake_records import RUNS


def test_what_other_analyses_say_is_counted_once_for_each_comparison():
    def cell(plan, by_fold, **more):
        numbers = dict(zip(("effect", "low", "high"), plan, strict=True))
        return {"where": {"corpus": "emodb"}, "numbers": {**numbers, "by_fold": by_fold, **more}}

    above, below, around = [0.2, 0.1, 0.3], [-0.2, -0.3, -0.1], [0.01, -0.05, 0.07]
    shown_only = cell(above, around)
    cells = [
        {**shown_only, "beside": True},
        cell(below, below, overall=below),
        cell(around, above, overall=around),
        cell(above, [0.0, -0.5, 0.5], **{"class": below}),
        cell(above, around, overall=above),  # the first one, now with the other accuracy
        {"where": {}, "numbers": {"effect": 0.1, "low": 0.05, "high": 0.2}},
        {"where": {}, "numbers": {"runs": 3, "runs_needed": 15}},
    ]
    found = analyses({"one": {"cells": cells[:3]}, "two": {"cells": cells[3:]}, "three": {}})
    assert (found.total, found.plan, found.asked, found.other, found.folds) == (4, 3, 3, 2, 1)
    assert (found.beyond, found.opposite) == (1, 1)
    assert (found.reach, found.reach_folds) == pytest.approx((10.0, 10.0))
    assert len(found.rows) == 3  # all but the one on which they agree
    name, row = found.rows[0]
    assert name == "two"
    assert row == "EMO-DB | +20.0 (+10.0 to +30.0) | +20.0 (+10.0 to +30.0) | +1.0 (−5.0 to +7.0)"
    assert analyses({"three": {}, "four": {"cells": cells[5:]}}) is None


def test_the_page_shows_every_claim_with_its_verdict(checked):
    page = claims.ledger_page("paper1", checked)
    for name, word in (("claim", "reproduced"), ("other", "not reproduced")):
        assert f"(claim-{name})=\n::::{{dropdown}} S+A beats S, {name}: {word}" in page
    assert page.startswith("# The verdicts\n\nEvery claim.")
    assert "+25.0 (+25.0 to +25.0) points; class accuracies 75.0 and 50.0" in page
    assert "by its own words the" not in page  # nothing is undecided
    assert "Questions of ours" not in page
    ledger = yaml.safe_load((checked / "results/paper1/claims.yml").read_text())
    ledger["claims"][1]["ours"] = True
    ledger["deviations"] = ["one more seed for other, held-out"]
    assert claims.count("paper1", checked)["not reproduced"] == 1
    (checked / "results/paper1/claims.yml").write_text(yaml.safe_dump(ledger))
    assert claims.count("paper1", checked)["not reproduced"] == 0
    page = claims.ledger_page("paper1", checked)
    assert page.index("## Questions of ours") < page.index("(claim-other)=")
    assert "## Deviations from the plan\n\n- one more seed for other, held-out\n" in page
    assert "the printed gain lies outside" in page
    assert "{download}`runs.parquet </results/paper1/runs.parquet>`" in page


def test_the_summary_counts_and_shows_what_the_ledger_names(checked):
    page = claims.summary_page("paper1", checked)
    for part in ("Scope", "Methodology", "Results", "Compute", "What was easy"):
        assert f"**{part}.**" in page
    assert "Of the 2 claims: 1 reproduced, 1 not reproduced." in page
    assert "Of the 2 that compare trained networks, 1 are reproduced and 0 partly." in page
    assert "about printed figures" not in page  # no claim is about them
    row = "| {ref}`S+A beats S, claim <claim-claim>` | reproduced |"
    assert f"{row} EMO-DB, MFCC: +25.0 (+25.0 to +25.0) points |" in page
    assert "<claim-other>" not in page
    assert f"The {2 * RUNS} runs in the records took {2 * RUNS / 60:.0f} hours" in page
    ledger = yaml.safe_load((checked / "results/paper1/claims.yml").read_text())
    ledger["claims"][1]["ours"] = True
    (checked / "results/paper1/claims.yml").write_text(yaml.safe_dump(ledger))
    assert "Of the 1 claims: 1 reproduced." in claims.summary_page("paper1", checked)
    for wrong, message in (
        ({"summary": ["no"]}, "names no, which"),
        ({"about": ""}, "lacks about"),
    ):
        (checked / "results/paper1/claims.yml").write_text(yaml.safe_dump({**ledger, **wrong}))
        with pytest.raises(ValueError, match=message):
            claims.summary_page("paper1", checked)


@pytest.mark.parametrize("study", ["paper1", "paper2"])
def test_a_page_can_be_written_of_every_ledger(study):
    page = claims.ledger_page(study, ROOT)
    short = claims.summary_page(study, ROOT)
    assert ("that are about printed figures" in short) is (study == "paper1")
    assert len(short) < 11_000  # a page, with its table
    for claim in claims.load_ledger(study, ROOT).claims:
        assert f"(claim-{claim['id']})=" in page
    deviations = page[page.index("## Deviations from the plan") :]
    assert re.search(r"\[([a-z0-9-]+)\]\(#claim-\1\)", deviations)  # both name claims
    other = page.index("## Would another analysis say otherwise?")
    assert page.rindex("\n### ") < other  # no verdict stands under it
    assert other < page.index("## Deviations from the plan")


def test_the_book_is_laid_out_with_the_page_and_the_downloads(checked, tmp_path_factory):
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(ROOT / name, checked)
    (checked / "ser_lib").mkdir()
    plain = checked / "results/plain/plan.toml"  # a study without claims
    plain.parent.mkdir()
    plain.write_text(PLAN)
    stage = tmp_path_factory.mktemp("stage")
    build._stage(checked, checked / "executed", stage, None)
    assert (stage / "book/verdicts.md").read_text() == claims.ledger_page("paper1", checked)
    assert (stage / "book/summary.md").read_text() == claims.summary_page("paper1", checked)
    for path in claims.downloads("paper1", checked):
        assert (stage / path.relative_to(checked)).read_bytes() == path.read_bytes()
    assert (stage / plain.relative_to(checked)).read_text() == PLAN
