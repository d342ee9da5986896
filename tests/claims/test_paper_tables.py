"""Tables 1 and 2: the printed figures, what stands beside them, and IEMOCAP's way to them."""

import json
import re
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from ser_lib import claims, corpora, records, study
from ser_lib.claims import paper_tables
from ser_lib.config import RunConfig
from ser_lib.corpora import PAPER_EMOTIONS, iemocap
from ser_lib.metrics import accuracy_class, accuracy_overall
from ser_lib.sources import Sources, check_counts
from ser_lib.study import expanded
from tests import fake_iemocap
from tests.commands import ser
from tests.fakes import dataset

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "results" / "iemocap" / "plan.toml"


# ---- what the paper prints -----------------------------------------------------------------------


def test_the_printed_figures_are_those_that_the_ledger_quotes():
    """Claims that compare two rows of one input quote the figures of both."""
    rows = {(r.model, r.input): r.printed for r in paper_tables.TABLE_1}
    errors = {(r.model, r.input): r.printed for r in paper_tables.TABLE_2}
    compared = 0
    for claim in claims.load_ledger("paper1", ROOT).claims:
        input = "mfcc" if "-mfcc-" in claim["id"] else "log_mel"
        if re.match(r"table[12]-\w+-s?a?c?-s?a?c?$", claim["id"]):
            sides = [(claim[side]["objective"], input) for side in ("first", "second")]
            if claim["id"].startswith("table1"):
                quoted = zip(claim["printed"]["overall"], claim["printed"]["class"], strict=True)
                assert [rows[side] for side in sides] == list(quoted)
            else:
                assert [errors[side] for side in sides[::-1]] == [
                    (x,) for x in claim["printed"]["mse"]
                ]
            compared += 1
    assert compared == 2 * 6 + 2 * 2


def test_every_row_is_a_condition_that_both_plans_run():
    for name, corpus in (("iemocap", "iemocap"), ("paper1", "emodb"), ("paper1", "ravdess")):
        planned = planned_conditions(ROOT / "results" / name / "plan.toml")
        evidence = paper_tables.Evidence(None, paper_tables._protocol(ROOT / "results" / name))
        for row in (*paper_tables.TABLE_1, *paper_tables.TABLE_2):
            for weight in evidence.protocol.weights:
                if row.condition is not None:
                    asked = {"lambda1": weight, **row.condition, "corpus": corpus}
                    assert evidence.config(asked) in planned


def planned_conditions(path):
    plan = tomllib.loads(path.read_text())
    made = set()
    for grid in plan["grid"]:
        for factors in expanded(grid):
            settings = {**plan["fixed"], **factors}
            place = {"emotions": list(PAPER_EMOTIONS), "corpus_hash": "", "fold": 0, "seed": 0}
            made.add(RunConfig.from_dict({**settings, **place}).canonical())
    return made


# ---- the committed plan --------------------------------------------------------------------------


def test_the_plan_expects_the_numbers_that_the_loader_asserts():
    plan = tomllib.loads(COMMITTED.read_text())
    assert plan["corpora"] == {"iemocap": {"part": "improvised", "labels": "four"}}
    expected = next(e for e in iemocap.EXPECTED if e.part == "improvised")
    wanted = plan["rules"]["corpora"]["iemocap"]
    codes = iemocap.LABELS["four"]
    assert wanted["emotions"] == {codes[code]: n for code, n in expected.labels.items()}
    assert list(wanted["sessions"].values()) == [422, 393, 538, 370, 557] == list(expected.sessions)
    assert list(wanted["sessions"]) == [f"session {n}" for n in range(1, 6)]
    assert wanted["utterances"] == sum(wanted["emotions"].values()) == 2280
    assert wanted["folds"] == len(wanted["sessions"])


def test_the_plan_fixes_what_the_study_of_paper_1_fixes():
    fixed = tomllib.loads(COMMITTED.read_text())["fixed"]
    assert fixed.pop("corpus") == "iemocap"
    assert fixed == tomllib.loads((ROOT / "results/paper1/plan.toml").read_text())["fixed"]
    ours = paper_tables._protocol(COMMITTED.parent)
    theirs = claims.load_ledger("paper1", ROOT).protocol
    assert (ours.seeds, ours.weights) == (theirs.seeds, theirs.weights)


def test_without_the_corpus_the_rows_say_so_and_the_run_says_where_to_ask(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("SER_DATA", str(tmp_path))
    document = json.loads(ser("study", "tables", "iemocap", "--json").stdout)
    cells = [r["here"]["iemocap"] for r in document["table1"] + document["table2"] if "here" in r]
    if not (COMMITTED.parent / "runs.parquet").exists():  # nor has anybody committed its records
        assert cells == [{"missing": "not run here"}] * len(cells)
    for command in ("run", "plan"):
        assert "agreement with USC" in ser("study", command, "iemocap", status=2).stderr
    refused = ser("study", "tables", "iemocap", "--run", status=2)
    assert "agreement with USC" in refused.stderr
    assert refused.stdout == ""


# ---- end to end, on a tree of the same form ------------------------------------------------------

SESSIONS = (1, 2)
PER_SESSION = 2 * len(PAPER_EMOTIONS)
TURNS = ("ang", "hap", "neu", "sad", "xxx", "exc")


def shortened():
    """The committed plan for a tree of two sessions: it says itself that the copy is partial."""
    text = COMMITTED.read_text()
    head, *grids = text.split("[[grid]]")
    for old, new in (
        ('labels = "four"\n', 'labels = "four"\npartial = true\n'),
        ("seeds = [0, 1, 2]", "seeds = [0]"),
        ("epochs = 40", "epochs = 1\nseconds = 0.5"),
        ("folds = 5", "folds = 2"),
        ("utterances = 2280", f"utterances = {2 * PER_SESSION}"),
        ("anger = 289, happiness = 284, neutral = 1099, sadness = 608",
         "anger = 4, happiness = 4, neutral = 4, sadness = 4"),
    ):  # fmt: skip
        assert old in head
        head = head.replace(old, new)
    head = re.sub(r'"session [345]" = \d+\n', "", head)
    head = re.sub(r'("session \d") = \d+', rf"\1 = {PER_SESSION}", head)
    grids = [grid.replace("[0, 1, 2]", "0") for grid in grids[:2]]
    return "[[grid]]".join((head, *grids))


@pytest.fixture
def place(tmp_path, monkeypatch):
    labels = {}
    for session in SESSIONS:
        turns = {f"{who}{number:03d}": label for who in "FM" for number, label in enumerate(TURNS)}
        labels[f"Ses0{session}F_impro01"] = turns
        labels[f"Ses0{session}F_script01_1"] = {"F000": "ang", "M000": "sad"}
    fake_iemocap.build(tmp_path / "data" / "iemocap" / "IEMOCAP_full_release", labels)
    plan = tmp_path / "results" / "iemocap" / "plan.toml"
    plan.parent.mkdir(parents=True)
    plan.write_text(shortened())
    monkeypatch.setenv("SER_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_one_command_from_the_recordings_to_the_tables(place):
    # Two processes: what the plan chooses of the corpus has to reach those that train.
    result = ser("study", "tables", "iemocap", "--run", "--jobs", 2)
    assert "14 runs, 0 finished here, 0 packed only, 14 to do" in result.stderr
    assert "iemocap: 14 runs packed" in result.stderr
    assert result.stdout.startswith("Table 1")
    assert (
        "iemocap: 16 utterances; improvised, four emotions; "
        "not the paper's data, which are 2,280 utterances\n"
    ) in result.stdout

    document = json.loads(ser("study", "tables", "iemocap", "--json").stdout)
    packed = records.load("iemocap")
    assert len(packed.runs) == 14
    table = {
        (r["model"], r["input"], r.get("lambda1")): r["here"]["iemocap"]
        for r in document["table1"]
        if "here" in r
    }
    measured = {row: cell for row, cell in table.items() if "missing" not in cell}
    weights = (4.0, 0.0625, "validation")
    assert set(measured) == {
        ("S", "mfcc", None),
        ("S+A", "mfcc", None),
        *((model, "mfcc", weight) for model in ("S+C", "S+A+C") for weight in weights),
    }
    assert {str(cell["missing"]) for cell in table.values() if "missing" in cell} == {
        "not run here"
    }
    for (model, input, weight), cell in measured.items():
        overall, by_class = recomputed(packed, "iemocap", model, input, weight)
        assert cell["accuracy_overall"][0] == pytest.approx(overall)
        assert cell["accuracy_class"][0] == pytest.approx(by_class)
        for value, low, high in cell.values():
            assert low <= value <= high
        line = f"{overall:.1f} / {by_class:.1f} ["
        assert any(model in row and line in row for row in result.stdout.splitlines())
    mse = next(r["here"]["iemocap"]["mse"][0] for r in document["table2"] if r["model"] == "A")
    assert mse == pytest.approx(last_error(packed, "A"))

    # Nothing is left to train, not even where the runs' folders are gone.
    again = ser("study", "tables", "iemocap", "--run", "--runs", "elsewhere")
    assert "0 finished here, 14 packed only, 0 to do" in again.stderr
    assert again.stdout == result.stdout
    assert not list(place.glob("elsewhere/*"))


def recomputed(packed, corpus, model, input, weight):
    """Both accuracies in per cent, from the rows of the records alone."""
    runs = packed.runs.query("corpus == @corpus and objective == @model and input == @input")
    runs = runs.query("model == 'parallel_cnn'")
    rows = packed.predictions.merge(runs[["run", "fold", "seed", "lambda1"]], on="run")
    if weight == "validation":
        chosen = [best(packed.history, group) for _, group in rows.groupby(["fold", "seed", "way"])]
        rows = pd.concat(chosen)
    elif weight is not None:
        rows = rows[rows["lambda1"] == weight]
    seeds = [group for _, group in rows.groupby("seed")]
    return tuple(
        100 * sum(score(g["truth"], g["predicted"]) for g in seeds) / len(seeds)
        for score in (accuracy_overall, accuracy_class)
    )


def best(history, rows):
    """Of one way of a fold with one seed: the answers of the run that validated better."""

    def validation(run):
        first = rows[rows["run"] == run].iloc[0]
        at = history.set_index(["run", "epoch"]).loc[run, first["epoch"]]
        way = first["way"]
        return at[f"accuracy_class_{way}"], -at[f"cross_entropy_{way}"], -first["lambda1"]

    return rows[rows["run"] == max(rows["run"].unique(), key=validation)]


def last_error(packed, objective):
    runs = packed.runs[packed.runs["objective"] == objective]
    last = packed.history[packed.history["run"].isin(runs["run"])].query("epoch == epoch.max()")
    return 1e4 * last[["reconstruction_0", "reconstruction_1"]].to_numpy().mean()


def test_the_runs_are_of_the_part_that_the_plan_names(place):
    plan = study.read_plan("iemocap")
    keys = {u.key for u in corpora.load("iemocap", partial=True, part="improvised").utterances}
    hashes = {config.corpus_hash for config in plan.runs}
    assert hashes == {corpora.load("iemocap", partial=True).hash}
    assert len(keys) == 16
    path = place / "results" / "iemocap" / "plan.toml"
    text = path.read_text()
    whole = text.replace('part = "improvised"', 'part = "both"')
    path.write_text(whole)
    # Anger and sadness of both sessions' scripted dialogues are two utterances each too many.
    refused = ser("study", "run", "iemocap", status=2).stderr
    assert "emotions: found 6 utterances of 'anger', expected 4" in refused
    assert "sessions: found 10 utterances of 'session 2', expected 8" in refused
    assert "nothing was trained" in refused
    assert not (place / "runs").exists()
    path.write_text(re.sub(r"(anger|sadness) = 4", r"\1 = 6", whole).replace(" = 8\n", " = 10\n"))
    others = {config.corpus_hash for config in study.read_plan("iemocap").runs}
    assert len(others) == 1
    assert not others & hashes


def test_a_copy_that_is_not_the_complete_release_is_refused_unless_the_plan_says_so(place):
    path = place / "results" / "iemocap" / "plan.toml"
    path.write_text(path.read_text().replace("partial = true\n", ""))
    refused = ser("study", "tables", "iemocap", "--run", status=2).stderr
    assert "found 4 improvised turns labelled ang, expected 289" in refused
    assert "Session1/dialog/EmoEvaluation: found 8 improvised turns" in refused
    assert "expected 422" in refused
    assert not (place / "runs").exists()


def test_a_feature_file_is_counted_too(place):
    made = dataset()
    made.save(place / "fake.npz")
    plan = '[rules.corpora.fake]\nemotions = {anger = 12}\nsessions = {"0" = 24, "1" = 25}\n'
    plan += '[fixed]\ncorpus = "fake"\nemotions = "four"\ninput = "mfcc"\nseconds = 1.0\n'
    (place / "results" / "fake").mkdir()
    (place / "results" / "fake" / "plan.toml").write_text(plan + "[[grid]]\nseed = 0\n")
    refused = ser("study", "run", "fake", "--features", "fake.npz", status=2).stderr
    assert "sessions: found 24 utterances of '1', expected 25" in refused
    assert "emotions: found 12 utterances of 'sadness', expected 0" in refused
    assert "'anger'" not in refused
    check_counts(made.corpus, {"sessions": {"0": 24, "1": 24}})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('part = "improvised"', 'part = "sung"', "unknown part 'sung'"),
        ('labels = "four"', 'labels = ["four"]', "unknown labels"),
        ('part = "improvised"', 'half = "improvised"', "no half; known: labels, part"),
        ("[corpora.iemocap]", "[corpora]", "no corpus labels, part, partial; known: builtin"),
        ("[corpora.iemocap]", "[corpora.imocap]", "no corpus imocap"),
        ("{ anger = 4, happiness = 4, neutral = 4, sadness = 4 }", "16", "something is no table"),
        ("folds = 2", "fold = 2", "KeyError 'folds'"),
        ("seeds = [0]\n", "", "KeyError 'seeds'"),
    ],
)  # fmt: skip
def test_a_plan_that_chooses_what_is_not_there_is_refused(place, old, new, message):
    path = place / "results" / "iemocap" / "plan.toml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    command = ("tables",) if "KeyError" in message else ("run",)
    refused = ser("study", *command, "iemocap", status=2).stderr
    assert message in refused
    assert "plan.toml" in refused


def test_other_corpora_have_nothing_to_choose():
    with pytest.raises(ValueError, match="'builtin' knows no part; there is nothing to choose"):
        corpora.load("builtin", part="improvised")


def test_sources_serve_one_choice(place):
    sources = Sources()
    study.read_plan("iemocap", sources=sources)
    with pytest.raises(ValueError, match=r"'iemocap' was read with .*improvised.*, not with {}"):
        sources.choose({})


# ---- the study of paper 1 ------------------------------------------------------------------------


def test_the_tables_of_paper_1_are_those_of_its_records(monkeypatch):
    monkeypatch.chdir(ROOT)
    document = paper_tables.compare("paper1")
    assert document["corpora"]["iemocap"] == {"missing": "not run here"}
    assert document["corpora"]["emodb"]["notes"] == ["the two-second copy"]
    packed = records.load("paper1")
    measured = 0
    for row in document["table1"]:
        assert row.get("here", {}).get("iemocap", {"missing": "not run here"}) == {
            "missing": "not run here"
        }
        for corpus, cell in row.get("here", {}).items():
            plain = row["model"] in ("S", "S+A")
            if "missing" not in cell and plain:
                runs = packed.runs.query(
                    "padding == 'valid' and seconds == 6 and scaling == 'coefficient' and "
                    "dropout == 0.5 and decoder == '256' and proportions == '' and "
                    "train_share == 1 and lambda2 in (1, 100) and "
                    "batch_statistics == 'running' and "
                    "emotions == 'anger,happiness,neutral,sadness'"
                )
                runs = runs[(runs["lambda2"] == 100) | ~runs["objective"].str.contains("A")]
                part = records.Records(runs, packed.predictions, packed.history, packed.embeddings)
                wanted = recomputed(part, corpus, row["model"], row["input"], None)
                assert [cell[name][0] for name in paper_tables.ACCURACIES] == pytest.approx(wanted)
                measured += 1
    assert measured >= 1


def test_a_row_that_is_half_run_says_how_far_it_is(monkeypatch, tmp_path):
    """One record taken out of the packed ones."""
    folder = tmp_path / "results" / "paper1"
    folder.mkdir(parents=True)
    packed = records.load("paper1", ROOT / "results")
    condition = {"corpus": "emodb", "input": "mfcc", "objective": "S"}
    gone = claims.evidence("paper1", ROOT).runs(condition)["run"].iloc[0]
    for name in records.TABLES:
        frame = getattr(packed, name)
        frame[frame["run"] != gone].to_parquet(folder / f"{name}.parquet")
    for name in ("plan.toml", "claims.yml"):
        (folder / name).write_text((ROOT / "results/paper1" / name).read_text())
    monkeypatch.setenv("SER_RESULTS", str(tmp_path / "results"))
    document = paper_tables.compare("paper1")
    row = next(r for r in document["table1"] if (r["model"], r["input"]) == ("S", "mfcc"))
    assert row["here"]["emodb"] == {"missing": "14 of 15 runs"}
    assert "14 of 15 runs" in paper_tables.text(document)


def test_a_study_without_rules_has_no_tables(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert "does not say when a row" in ser("study", "tables", "first", status=2).stderr
    assert "has no plan" in ser("study", "tables", "none", status=2).stderr
