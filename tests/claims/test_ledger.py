"""Ledgers: what is refused, and that they ask for what the plans run."""

import tomllib
from dataclasses import asdict

import pytest

from ser_lib import claims
from ser_lib.claims.comparisons import conditions
from ser_lib.claims.rules import RULES
from ser_lib.config import RunConfig
from ser_lib.corpora.base import PAPER_EMOTIONS
from ser_lib.evidence import Evidence
from ser_lib.study import expanded
from tests.claims.ledgers import ROOT
from tests.commands import ser


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: "claims: [", "not valid"),
        (lambda text: text.replace("id: other", "id: claim"), "stands twice"),
        (lambda text: text.replace("rule: similar", "rule: nicer"), "unknown rule 'nicer'"),
        (lambda text: text.replace("quote: better", "quote: ''", 1), "lacks quote"),
        (lambda text: text.replace("rule: similar", "rule: lower"), "needs measure"),
        (lambda text: text.replace("id: other", "id: Other One"), "lower-case words"),
        (lambda text: text.replace("  family: table1", "  family: tabel1"), "'tabel1' is none of"),
        (lambda text: text.replace("rule: similar", "rule: similar\n  a: b"), "nothing reads a"),
        (lambda text: text.replace("objective: S+A", "objective: S+B"), "S+B"),
    ],
)
def test_a_bad_ledger_is_refused(checked, change, message):
    path = checked / "results/paper1/claims.yml"
    path.write_text(change(path.read_text()))
    assert message in ser("claims", "update", status=2).stderr


def test_the_ledger_is_about_what_the_plan_runs():
    """Every condition of a claim is one that a grid of the plan has; families are explained."""
    ledger = claims.load_ledger("paper1", ROOT)
    families = {claim["family"] for claim in ledger.claims if "family" in claim}
    assert families == set(ledger.text["rules"]["families"])
    assert set(ledger.text["rules"]["seeds"]) == {0, 1, 2}
    evidence = Evidence(None, ledger.protocol)
    planned = {_condition(config) for config in _planned(ledger.folder / "plan.toml")}
    for claim in ledger.claims:
        for where in claim.get("cells", ()):
            for side in conditions({"second": {}, **claim}, where)[: 2 - ("vary" in claim)]:
                weights = ledger.protocol.weights
                chosen = side.get("lambda1") == "validation"
                values = claim.get("values", weights if chosen else [side.get("lambda1", 4.0)])
                for weight in values:
                    config = evidence.config({**side, "lambda1": weight})
                    assert _condition(config) in planned, (claim["id"], side)


def _condition(config):
    kept = asdict(config.canonical())
    return tuple(v for k, v in kept.items() if k not in ("corpus_hash", "fold", "seed"))


def _planned(path):
    plan = tomllib.loads(path.read_text())
    for grid in plan["grid"]:
        for factors in expanded(grid):
            settings = {**plan["fixed"], **factors}
            if settings["emotions"] == "four":
                settings["emotions"] = list(PAPER_EMOTIONS)
                yield RunConfig.from_dict({"corpus_hash": "", "fold": 0, **settings})


def test_ledger_of_paper_2_asks_for_runs_of_its_plan():
    ledger = claims.load_ledger("paper2", ROOT)
    asker = Evidence(None, ledger.protocol)
    asked = set()
    for claim in ledger.claims:
        assert claim["rule"] in RULES
        for where in claim.get("cells", ()):
            sides = [
                {**claim["first"], **where},
                *({**s, **where} for s in claim.get("others", ())),
            ]
            if "second" in claim:
                sides = conditions(claim, where)
            if "vary" in claim:
                sides = [{**sides[0], claim["vary"]: value} for value in claim["values"]]
            for side in sides:
                config = asker.config(side)
                for seed in side.get("seeds", ledger.protocol.seeds):
                    asked.add((config, seed))
    plan = tomllib.loads((ledger.folder / "plan.toml").read_text())
    planned = set()
    for settings in (values for grid in plan["grid"] for values in expanded(grid)):
        seed = settings.pop("seed")
        planned.add((asker.config(settings), seed))
    assert asked <= planned
