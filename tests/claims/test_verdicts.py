"""Verdicts: judged, written, and found out when something was changed."""

import copy
import json
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml

from ser_lib import claims
from ser_lib.corpora.base import PAPER_EMOTIONS
from tests.claims.ledgers import ROOT, entry
from tests.commands import ser
from tests.fake_records import FOLDS, SEEDS, joined, made, write


def test_missing_runs_are_open_and_no_error(house):
    root = house(entry("claim"))
    document = claims.update("paper1", root)
    assert document["claims"]["claim"]["verdict"] == "open"
    assert document["records"] is None
    assert claims.check(root) == []
    runs, predictions, history = made(0.5)
    first = runs["run"].iloc[0]
    kept = (t[t["run"] != first] for t in (runs, predictions, history))
    write(root, joined(tuple(kept), made(0.9, objective="S+A")))
    cell = claims.update("paper1", root)["claims"]["claim"]["cells"][0]
    assert cell["outcome"] == "missing"
    assert cell["numbers"] == {"runs": 9, "runs_needed": 10}
    assert claims.check(root) == []


def test_the_weight_is_chosen_by_validation_and_never_sees_the_test(house):
    """Of two weights, one is right on even speakers, the other on odd ones: each way picks blindly.

    Even speakers validate the way that tests the odd ones, so what is good on a part is chosen
    where it is bad.
    """
    root = house(entry("claim", first={"objective": "S+C", "lambda1": "validation"}))
    weights = [
        made(0.5, tilt=sign * 0.25, objective="S+C", lambda1=weight)
        for sign, weight in ((1, 4.0), (-1, 0.0625))
    ]
    write(root, joined(made(0.5), *weights))
    judged = claims.update("paper1", root)["claims"]["claim"]["cells"][0]
    assert judged["numbers"]["first"] == pytest.approx(0.25)
    assert judged["outcome"] == "contradicted"


def test_two_scores_that_rounding_made_one_do_not_fail_the_check(checked):
    path = checked / "results/paper1/predictions.parquet"
    frame = pd.read_parquet(path)
    frame["scores"] = [np.full(4, 0.25, dtype=np.float32)] * len(frame)
    frame.to_parquet(path, index=False)
    claims.update("paper1", checked)
    assert claims.check(checked) == []


def test_a_last_digit_may_flip_and_no_more(checked):
    path = checked / "results/paper1/verdicts.json"
    document = json.loads(path.read_text())
    numbers = document["claims"]["claim"]["cells"][0]["numbers"]
    for change, fails in ((1e-6, False), (-1e-6, False), (2e-6, True)):
        changed = copy.deepcopy(document)
        changed["claims"]["claim"]["cells"][0]["numbers"]["first"] = numbers["first"] + change
        path.write_text(json.dumps(changed))
        assert bool(claims.check(checked)) == fails


def test_one_changed_prediction_fails_the_check(checked):
    path = checked / "results/paper1/predictions.parquet"
    frame = pd.read_parquet(path)
    row = frame.index[frame["predicted"] == frame["truth"]][7]
    other = (PAPER_EMOTIONS.index(frame.loc[row, "predicted"]) + 1) % 4
    frame.loc[row, "predicted"] = PAPER_EMOTIONS[other]
    frame.to_parquet(path, index=False)
    problems = claims.check(checked)
    assert any("not the highest score's" in line for line in problems)
    assert any("records.predictions.sha256" in line for line in problems)
    assert any(".effect" in line for line in problems)
    # With scores to match it is still not what the history says.
    scores = [row.copy() for row in frame["scores"]]
    scores[row][:] = 0.1
    scores[row][other] = 0.7
    frame["scores"] = scores
    frame.to_parquet(path, index=False)
    claims.update("paper1", checked)
    problems = claims.check(checked)
    assert len(problems) == 1
    assert "by its history" in problems[0]


def test_records_without_a_ledger_and_yardsticks_are_checked_too(checked):
    (checked / "results/paper1/listeners.csv").write_text("key,share\n")
    assert any("records.listeners.csv: not written" in line for line in claims.check(checked))
    claims.update("paper1", checked)
    assert claims.check(checked) == []
    other = checked / "results/other"
    other.mkdir()
    for path in (checked / "results/paper1").glob("*.parquet"):
        shutil.copy(path, other)
    assert claims.check(checked) == []
    frame = pd.read_parquet(other / "history.parquet")
    frame["accuracy_class_0"] += 0.01
    frame.to_parquet(other / "history.parquet", index=False)
    problems = claims.check(checked)
    assert problems
    assert all(line.startswith("other, records: run") for line in problems)


def test_nothing_to_check_is_no_success(checked, monkeypatch):
    monkeypatch.setenv("SER_RESULTS", str(checked / "nowhere"))
    assert f"SER_RESULTS is {checked / 'nowhere'}" in ser("claims", "check", status=2).stderr
    (checked / "nowhere").mkdir()
    for command in ("check", "update"):
        assert "nowhere/*/claims.yml" in ser("claims", command, status=2).stderr


def test_a_run_under_another_name_fails_the_check(checked):
    path = checked / "results/paper1/runs.parquet"
    frame = pd.read_parquet(path)
    frame.loc[0, "dropout"] = 0.25
    frame.to_parquet(path, index=False)
    assert any("its configuration is that of" in p for p in claims.check(checked))


def test_a_verdict_written_by_hand_fails_the_check(checked):
    path = checked / "results/paper1/verdicts.json"
    path.write_text(path.read_text().replace('"reproduced"', '"not reproduced"', 1))
    result = ser("claims", "check", "--json", status=1)
    document = json.loads(result.stdout)
    assert not document["ok"]
    assert any("written 'not reproduced', computed 'reproduced'" in p for p in document["problems"])
    path.unlink()
    assert "ser claims update" in ser("claims", "check", status=1).stdout
    assert "1 reproduced" in ser("claims", "update").stdout
    assert (
        json.loads(ser("claims", "check", "--json").stdout)["verdicts"]["paper1"]["reproduced"] == 1
    )


def test_what_is_not_there_is_refused(checked):
    with pytest.raises(ValueError, match=r"claims\.yml is missing"):
        claims.load_ledger("none", checked)
    with pytest.raises(ValueError, match="no claim 'unknown'"):
        claims.verdict("unknown", root=checked)


def test_what_cannot_be_judged_names_the_claim(house):
    given = {"rule": "lower", "measure": "reconstruction", "smallest": 1.1}
    root = house(entry("claim", **given, second={"objective": "A"}))
    runs, predictions, history = made(0.5, objective="S+A")
    history["reconstruction_0"] = float("inf")
    write(root, joined(made(0.5, objective="A"), (runs, predictions, history)))
    with pytest.raises(ValueError, match=r"claim 'claim': reconstruction of .* infinite"):
        claims.update("paper1", root)


def test_a_claim_that_nobody_judged_is_not_counted(checked):
    path = checked / "results/paper1/claims.yml"
    ledger = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**ledger, "claims": [*ledger["claims"], entry("new")]}))
    with pytest.raises(ValueError, match="not judged yet: new"):
        claims.count("paper1", checked)


def test_the_example_recomputes_table_1(checked, tmp_path):
    """The script beside the records, run as it stands, against the metrics of the library."""
    parts = [made(0.9, dropout=0.25), made(0.9, objective="S+A", lambda2=1.0)]
    parts += [made(0.5), made(0.75, objective="S+A"), made(0.25, objective="S+C", lambda1=4.0)]
    begun = made(0.5, objective="S+A+C", lambda1=4.0)
    parts.append(tuple(frame[frame["run"] != begun[0]["run"][0]] for frame in begun))
    write(checked, joined(*parts))
    folder = checked / "results/paper1"
    example = ROOT / "results/paper1/table1.py"
    text = example.read_text()
    assert '"emodb": 15' in text  # five folds, three seeds; here there are two
    (folder / example.name).write_text(
        text.replace('"emodb": 15', f'"emodb": {FOLDS * len(SEEDS)}')
    )
    done = subprocess.run(
        [sys.executable, example.name], cwd=folder, capture_output=True, text=True, check=True
    )
    rows = [line.split() for line in done.stdout.splitlines()[2:]]
    assert {row[-4]: row[-2:] for row in rows} == {
        "S": ["50.0", "50.0"],
        "S+A": ["75.0", "75.0"],
        "S+C": ["25.0", "25.0"],
    }


def test_nothing_in_this_repository_disagrees():
    assert claims.check(ROOT) == []
