"""Plans, records and the command line around them; processes really killed."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import silhouette_score

from ser_lib import files, records, study, training
from ser_lib.config import RunConfig
from ser_lib.corpora.base import EMOTIONS, PAPER_EMOTIONS
from ser_lib.features import Dataset
from ser_lib.metrics import accuracy_class, compactness
from ser_lib.splits import Fold
from ser_lib.study import Plan
from tests.commands import ser
from tests.fakes import config, dataset, vectors

PLAN = """
[fixed]
corpus = "fake"
emotions = "four"
input = "mfcc"
seconds = 1.0
epochs = {epochs}
batch_size = 8

[[grid]]
objective = ["S", "S+C"]
lambda1 = 0.1
seed = [0, 1]
"""


VECTORS = """
[fixed]
corpus = "fake"
emotions = "four"
input = "mfcc_13x30"
epochs = 1
batch_size = 8
scaling = "standard"
per_class = 3
seed = 0

[[grid]]
model = "residual"
protocol = "speakers"

[[grid]]
model = "fc"
layers = 6
protocol = "speakers"

[[grid]]
model = "residual"
protocol = "random-70-30"
triplet_epochs = [0, 1]

[[grid]]
model = "residual"
protocol = "speakers"
triplet_epochs = 1
mining = ["all", "hard"]
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a feature file and a plan, as where there are no recordings."""
    dataset().save(tmp_path / "fake.npz")
    plan = tmp_path / "results" / "tiny" / "plan.toml"
    plan.parent.mkdir(parents=True)
    plan.write_text(PLAN.format(epochs=2))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_plan_run_status_pack(place):
    features = ("--features", "fake.npz")
    runs = json.loads(ser("study", "plan", "tiny", *features, "--json").stdout)["runs"]
    assert len(runs) == 2 * 2 * 2  # objectives, seeds, folds
    assert {run["fold"] for run in runs} == {0, 1}
    output = ser("study", "run", "tiny", *features, "--seed", 0).stdout
    assert "4 runs, 0 finished here, 0 packed only, 4 to do" in output
    assert "4 runs, 4 finished here" in ser("study", "run", "tiny", *features, "--seed", 0).stdout
    ser("study", "pack", "tiny", *features)
    ser("study", "run", "tiny", *features, "--jobs", 2)
    counts = json.loads(ser("study", "status", "tiny", *features, "--json").stdout)
    assert counts == {"study": "tiny", "planned": 8, "finished": 8, "begun": 0, "packed": 4}
    assert "8 runs packed" in ser("study", "pack", "tiny", *features).stdout

    packed = records.load("tiny")
    assert len(packed.runs) == 8
    assert set(packed.runs["emotions"]) == {"anger,happiness,neutral,sadness"}
    made = dataset()
    keys = sorted(utterance.key for utterance in made.corpus.utterances)
    for _, group in packed.predictions.groupby(
        packed.predictions["run"].map(packed.runs.set_index("run")["seed"].astype(str))
        + packed.predictions["run"].map(packed.runs.set_index("run")["objective"])
    ):
        assert sorted(group["key"]) == keys  # every utterance is tested once
    # What the history says of the chosen epoch is what the predictions say.
    for run, group in packed.predictions.groupby(["run", "way"]):
        history = packed.history[packed.history["run"] == run[0]].set_index("epoch")
        told = history.loc[group["epoch"].iloc[0], f"accuracy_class_{1 - run[1]}"]
        assert accuracy_class(group["truth"], group["predicted"]) == pytest.approx(told)
        scores = np.stack(group["scores"])
        assert scores.dtype == np.float32
        np.testing.assert_allclose(scores.sum(1), 1, rtol=1e-5)


def test_features_travel_without_recordings(place):
    features = ("--features", "fake.npz")
    (path,) = ser("study", "features", "tiny", *features, "--to", "a folder").stdout.splitlines()
    assert path == "a folder/fake-mfcc-1s.npz"
    first, again = (Dataset.load(file) for file in ("fake.npz", path))
    assert (again.corpus.name, again.config) == (first.corpus.name, first.config)
    assert again.corpus.hash == first.corpus.hash
    assert np.array_equal(again.inputs, first.inputs)
    runs = [ser("study", "plan", "tiny", "--features", file).stdout for file in ("fake.npz", path)]
    assert runs[0] == runs[1]


def test_packing_keeps_what_was_packed_elsewhere(place):
    features = ("--features", "fake.npz")
    ser("study", "run", "tiny", *features, "--seed", 0, "--fold", 0, "--runs", "here")
    ser("study", "pack", "tiny", *features, "--runs", "here")
    before = records.load("tiny")
    path = Path("results/tiny/runs.parquet")
    pd.read_parquet(path).drop(columns="margin").to_parquet(path)  # as if the setting were newer
    ser("study", "run", "tiny", *features, "--seed", 1, "--fold", 0, "--runs", "there")
    ser("study", "pack", "tiny", *features, "--runs", "there")
    assert set(pd.read_parquet(path)["margin"]) == {0.2}  # in the file, not only as it is loaded
    after = records.load("tiny")
    assert len(after.runs) == 2 * len(before.runs) == 4
    kept = after.predictions[after.predictions["run"].isin(before.runs["run"])]
    pd.testing.assert_frame_equal(
        kept.reset_index(drop=True), before.predictions, check_dtype=False
    )


def test_only_runs_in_depth_keep_every_answer_and_their_embeddings(place):
    vectors(sessions=3).save(place / "fake.npz")
    (place / "results/tiny/plan.toml").write_text(VECTORS)
    features = ("--features", "fake.npz")
    ser("study", "run", "tiny", *features, "--fold", 0)
    ser("study", "pack", "tiny", *features)
    packed = records.load("tiny")
    settings = ["model", "protocol", "triplet_epochs", "mining"]
    rows = packed.predictions.merge(packed.runs[["run", *settings]])
    assert {key: set(part["by"]) for key, part in rows.groupby(settings)} == {
        ("residual", "speakers", 0, "all"): {"softmax", "angle", "weights"},
        ("residual", "speakers", 1, "all"): {"angle"},
        ("residual", "speakers", 1, "hard"): {"angle"},
        ("fc", "speakers", 0, "all"): {"softmax"},
        ("residual", "random-70-30", 0, "all"): {"softmax"},
        ("residual", "random-70-30", 1, "all"): {"angle"},
    }
    deep = packed.runs.query("model == 'residual' and protocol == 'speakers' and mining == 'all'")
    assert set(packed.embeddings["run"]) == set(deep["run"])
    again = ser("study", "run", "tiny", *features, "--fold", 0, "--runs", "again").stdout
    assert again.count("as the record, bit for bit") == 6


def test_a_packed_run_is_repeated_only_when_it_is_asked_for(place):
    features = ("--features", "fake.npz")
    one = (*features, "--seed", 0, "--fold", 0, "--objective", "S+C")
    ser("study", "run", "tiny", *one)
    ser("study", "pack", "tiny", *features)
    rest = ser("study", "run", "tiny", *features, "--fold", 0, "--runs", "elsewhere").stdout
    assert "1 packed only, 3 to do" in rest
    # Three more are finished and not packed yet: nothing is repeated.
    rest = ser("study", "run", "tiny", *features, "--fold", 0, "--runs", "elsewhere").stdout
    assert "3 finished here, 1 packed only, 0 to do" in rest
    assert "epochs [" not in rest
    told = json.loads(ser("study", "run", "tiny", *one, "--runs", "again", "--json").stdout)
    assert told["agree"]
    assert "the same 24 predictions as the record, bit for bit" in told["log"][-1]
    record = pd.read_parquet("results/tiny/predictions.parquet")
    record.assign(truth="anger").to_parquet("results/tiny/predictions.parquet")
    wrong = ser("study", "run", "tiny", *one, "--runs", "again", status=1).stdout
    assert "scores by up to 0; the record has other true emotions" in wrong
    record["scores"] = [row + np.float32(0.25) for row in record["scores"]]
    record.to_parquet("results/tiny/predictions.parquet")
    other = ser("study", "run", "tiny", *one, "--runs", "third", status=1).stdout
    assert "0 of 24 predictions differ, scores by up to 0.25; where the record was made, " in other
    assert "a product of matrices is rounded alike" in other
    runs = pd.read_parquet("results/tiny/runs.parquet")
    runs["environment"] = json.dumps({"rounding": "0123abcd"})
    runs.to_parquet("results/tiny/runs.parquet")
    other = ser("study", "run", "tiny", *one, "--runs", "third").stdout
    assert "a product of matrices is rounded otherwise" in other
    runs["environment"] = json.dumps({"torch": "of an older record"})
    runs.to_parquet("results/tiny/runs.parquet")
    other = ser("study", "run", "tiny", *one, "--runs", "third").stdout
    assert re.search(r"by up to 0\.25$", other, re.MULTILINE)
    # What was repeated before, and then interrupted, is compared as well.
    ser("study", "pack", "tiny", *features, "--runs", "elsewhere")
    both = (*features, "--seed", 0, "--fold", 0)
    resumed = ser("study", "run", "tiny", *both, "--runs", "again").stdout
    assert "2 runs, 1 finished here, 1 packed only, 0 to do" in resumed
    assert resumed.count("epochs [") == 1
    assert resumed.count("predictions") == 2
    (name,) = set(record["run"])
    named = ser("study", "run", "tiny", *features, "--run", name, "--runs", "fourth").stdout
    assert "1 runs, 0 finished here, 1 packed only, 0 to do" in named
    assert (
        "'identity': 'none'"
        in ser("study", "plan", "tiny", "--run", "none", *features, status=2).stderr
    )


def test_runs_without_predictions_are_packed_and_repeated(place):
    text = PLAN.format(epochs=2).replace('["S", "S+C"]', '"A"')
    (place / "results" / "tiny" / "plan.toml").write_text(text)
    features = ("--features", "fake.npz")
    for seed in (0, 1):  # the second finds tables without rows
        ser("study", "run", "tiny", *features, "--seed", seed)
        ser("study", "pack", "tiny", *features)
    packed = records.load("tiny")
    assert len(packed.runs) == 4
    assert len(packed.predictions) == len(packed.embeddings) == 0
    again = ser("study", "run", "tiny", *features, "--runs", "again").stdout
    assert again.count("the same history of 2 epochs as the record, bit for bit") == 4
    history = pd.read_parquet("results/tiny/history.parquet")
    history["reconstruction_1"] += 0.5
    history.to_parquet("results/tiny/history.parquet")
    other = ser("study", "run", "tiny", *features, "--runs", "third", status=1).stdout
    assert other.count("2 epochs differ by up to 0.5") == 4


def test_a_folder_of_another_run_or_cut_short_is_not_packed(place):
    features = ("--features", "fake.npz")
    ser("study", "run", "tiny", *features, "--seed", 0, "--objective", "S")
    first, second = sorted(path for path in (place / "runs").iterdir())
    kept = {path.name: path.read_bytes() for path in first.glob("*.json")}

    def refused(name, content, message):
        (first / name).write_bytes(content)
        assert message in ser("study", "pack", "tiny", *features, status=2).stderr
        (first / name).write_bytes(kept[name])

    for name in ("predictions.json", "history.json"):
        rows = json.loads(kept[name])
        for cut in (rows[1:], [], {}):
            refused(name, json.dumps(cut).encode(), f"run {first.name} in runs/{first.name} cannot")
    other = (second / "config.json").read_bytes()
    refused("config.json", other, f"its files are those of run {second.name}")
    assert not (place / "results/tiny/runs.parquet").exists()
    assert "2 runs packed" in ser("study", "pack", "tiny", *features).stdout
    assert "no folder" in ser("study", "pack", "tiny", *features, "--runs", "typo", status=2).stderr


def test_a_diverged_run_is_packed_without_measures(place):
    features = ("--features", "fake.npz")
    ser("study", "run", "tiny", *features, "--seed", 0, "--objective", "S")
    path = min((place / "runs").glob("*/embeddings.npy"))
    z = np.load(path)
    z[0, 0] = np.inf
    np.save(path, z)
    assert "2 runs packed" in ser("study", "pack", "tiny", *features).stdout
    measures = records.load("tiny").runs.set_index("run")[list(study.MEASURES)].isna()
    assert measures.loc[path.parent.name].all()
    assert measures.to_numpy().sum() == len(study.MEASURES)


def test_a_full_disk_names_the_file(tmp_path):
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with (
        pytest.raises(OSError, match=r"No space left on device: .*checkpoint"),
        files.atomic_write(tmp_path / "checkpoint.pt"),
    ):
        raise full
    assert not list(tmp_path.iterdir())


def test_damaged_records_are_no_reason_to_train_again(place):
    features = ("--features", "fake.npz")
    ser("study", "run", "tiny", *features, "--seed", 0, "--fold", 0)
    ser("study", "pack", "tiny", *features)
    Path("results/tiny/history.parquet").unlink()
    for command in ("run", "status", "pack"):
        output = ser("study", command, "tiny", *features, status=2).output
        assert "has no history.parquet" in output


def test_a_pack_that_died_is_made_good_by_the_next(place, monkeypatch):
    features = ("--features", "fake.npz")
    ser("study", "run", "tiny", *features, "--seed", 0, "--fold", 0)
    ser("study", "pack", "tiny", *features)
    ser("study", "run", "tiny", *features, "--seed", 1, "--fold", 0)
    whole, written = records.atomic_write, []

    def dies(path):
        written.append(path.name)
        if path.name == "history.parquet":
            raise OSError("no space left")
        return whole(path)

    monkeypatch.setattr(records, "atomic_write", dies)
    ser("study", "pack", "tiny", *features, status=2)
    assert written == ["predictions.parquet", "history.parquet"]
    monkeypatch.undo()
    monkeypatch.chdir(place)
    assert "4 runs packed" in ser("study", "pack", "tiny", *features).stdout
    packed = records.load("tiny")
    assert packed.predictions.groupby("run").size().eq(24).all()
    assert set(packed.history["run"]) == set(packed.runs["run"])


def test_a_run_that_died_while_it_was_written_is_resumed(place, monkeypatch):
    one = ("--features", "fake.npz", "--seed", 0, "--fold", 0, "--objective", "S+C")
    write = records._write_json

    def dies(path, value):
        if path.name == "result.json":
            raise OSError("no space left")
        write(path, value)

    monkeypatch.setattr(records, "_write_json", dies)
    ser("study", "run", "tiny", *one, status=2)
    monkeypatch.undo()
    monkeypatch.chdir(place)
    (checkpoint,) = Path("runs").glob("*/checkpoint.pt")
    before = checkpoint.stat().st_size
    assert "1 to do" in ser("study", "run", "tiny", *one).stdout
    assert checkpoint.stat().st_size < before  # only the weights are left
    assert "1 finished here" in ser("study", "run", "tiny", *one).stdout


def test_measures_are_of_the_training_set_that_was_trained_on(place):
    text = PLAN.format(epochs=2) + "train_share = 0.5\n"
    (place / "results" / "tiny" / "plan.toml").write_text(text)
    features = ("--features", "fake.npz")
    ser("study", "run", "tiny", *features, "--seed", 0, "--fold", 0)
    ser("study", "pack", "tiny", *features)
    counts = records.load("tiny").embeddings.groupby("run")["side"].value_counts().unstack()
    assert counts["train"].eq(12).all()  # of 24
    assert counts["held out"].eq(24).all()


def test_a_record_that_is_older_than_a_setting_has_its_default(place):
    ser("study", "run", "tiny", "--features", "fake.npz", "--seed", 0, "--fold", 0)
    ser("study", "pack", "tiny", "--features", "fake.npz")
    path = place / "results" / "tiny" / "runs.parquet"
    pd.read_parquet(path).drop(columns=["rho", "decoder"]).to_parquet(path)
    runs = records.load("tiny").runs
    assert set(runs["rho"]) == {0.95}
    assert set(runs["decoder"]) == {"256"}
    assert set(runs["seconds"]) == {1.0}  # of the input; how long it took is another column
    assert (runs["training_seconds"] > 0).all()
    # So has a run that is packed after it beside newer ones.
    ser("study", "run", "tiny", "--features", "fake.npz", "--seed", 1, "--fold", 0)
    ser("study", "pack", "tiny", "--features", "fake.npz")
    runs = records.load("tiny").runs
    assert len(runs) == 4
    assert set(runs["rho"]) == {0.95}
    assert set(runs["decoder"]) == {"256"}


def test_measures_of_the_embeddings(place):
    ser("study", "run", "tiny", "--features", "fake.npz", "--seed", 0, "--fold", 0)
    ser("study", "pack", "tiny", "--features", "fake.npz")
    runs = records.load("tiny").runs
    found = records.load("tiny").embeddings
    assert set(found["run"]) == set(runs["run"])
    assert found.groupby("run")["side"].value_counts().unstack().eq(24).all(axis=None)
    assert found["z"].iloc[0].shape == (64,)
    # The packed half-precision embeddings give the measure back, nearly.
    run, own = next(iter(found.groupby("run")))
    train = own[own["side"] == "train"]
    again = compactness(np.stack(train["z"]), train["emotion"])
    told = runs.set_index("run").loc[run, "compactness_train"]
    assert again == pytest.approx(told, rel=1e-2)


def predictions(folder):
    return {path.parent.name: path.read_text() for path in sorted(folder.rglob("predictions.json"))}


def test_only_what_a_killed_writer_left_is_removed(place):
    folder = place / "folder"
    with files.atomic_write(folder / "checkpoint.pt") as file:
        left = Path(file.name)
    (folder / ".ipynb_checkpoints").mkdir()
    kept = set(folder.iterdir())
    left.touch()  # as after SIGKILL
    files.remove_leftovers(folder)
    assert (
        set(folder.iterdir()) == kept == {folder / "checkpoint.pt", folder / ".ipynb_checkpoints"}
    )


def test_killed_at_random_moments_ends_as_undisturbed(place):
    """Ten times SIGKILL while runs are under way; the predictions are the same bits."""
    (place / "results" / "tiny" / "plan.toml").write_text(PLAN.format(epochs=14))
    features = ("--features", "fake.npz", "--fold", "0", "--seed", "0")
    ser("study", "run", "tiny", *features, "--runs", "whole")
    # Children of one process that has everything imported; a checkpoint after every epoch.
    code = """
import functools, os, pathlib, random, signal, time
import ser_lib.study as study
study.train = functools.partial(study.train, every=0)
sources = study.Sources([pathlib.Path("fake.npz")])
plan = study.read_plan("tiny", {"fold": 0, "seed": 0}, sources=sources)
root = pathlib.Path("killed")

def checkpoints():
    return [path.stat().st_mtime_ns for path in sorted(root.rglob("checkpoint.pt"))]

moments, killed = random.Random(0), 0
while killed < 10:
    before, child = checkpoints(), os.fork()
    if child == 0:
        study.run(plan, runs_root=root, sources=sources)
        os._exit(0)
    ended = 0
    # The first two die wherever they are.
    while killed > 1 and checkpoints() == before and not ended:
        time.sleep(0.002)
        ended, _ = os.waitpid(child, os.WNOHANG)
    assert not ended, f"all finished after {killed} kills: more epochs are needed"
    time.sleep(moments.uniform(0, 0.15))
    os.kill(child, signal.SIGKILL)
    killed += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
print("unfinished:", sum(not study.records.finished(root / c.identity) for c in plan.runs))
"""
    killed = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=300
    )
    assert "unfinished: 0" not in killed.stdout  # or nothing was interrupted
    ser("study", "run", "tiny", *features, "--runs", "killed")
    assert predictions(place / "killed") == predictions(place / "whole")


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
def test_workers_end_with_the_study_that_started_them(place):
    process, workers = _two_workers(place)
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 60
    while any(map(_alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(_alive, workers))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
def test_a_worker_that_dies_ends_the_study_with_a_message(place):
    process, workers = _two_workers(place)
    os.kill(workers[0], signal.SIGKILL)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 2
    assert "a worker died, perhaps for lack of memory; start again to resume" in output
    assert "Traceback" not in output
    assert not any(map(_alive, workers))


def _two_workers(place):
    (place / "results" / "tiny" / "plan.toml").write_text(PLAN.format(epochs=4000))
    command = [sys.executable, "-m", "ser_lib.cli", "study", "run", "tiny", "--jobs", "2"]
    process = subprocess.Popen(
        [*command, "--features", "fake.npz"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 60
    while len(workers := _children(process.pid)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(workers) == 2
    return process, workers


def _children(parent):
    return [
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/stat")
        if _read(path).rpartition(")")[2].split()[1:2] == [str(parent)]
        and "spawn_main" in _read(path.with_name("cmdline"))
    ]


def _alive(process):
    return _read(Path(f"/proc/{process}/stat")).rpartition(")")[2].split()[:1] not in ([], ["Z"])


def _read(path):
    try:
        return path.read_text()
    except OSError:  # it has just ended
        return ""


def test_started_twice_at_once_runs_everything_once(place):
    command = [
        sys.executable, "-m", "ser_lib.cli", "study", "run", "tiny",
        "--features", "fake.npz", "--fold", "0",
    ]  # fmt: skip
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum(output.count("epochs [") for output in outputs) == 4
    assert (
        sum(output.count("finished elsewhere") for output in outputs)
        == sum(int(output.split(" to do")[0].rsplit(" ", 1)[1]) for output in outputs) - 4
    )


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ("[fixed]\n", "lacks 'grid'"),
        ("nonsense", "not valid TOML"),
        ("[[grid]]\nseed = 0\n", "lacks 'corpus'"),
        (PLAN.format(epochs="'two'"), "epochs is 'two'"),
        (PLAN.format(epochs=2) + "lambda3 = 1.0\n", "unknown setting lambda3"),
        (PLAN.format(epochs=2).replace('"four"', '"five"'), "known sets: four, all"),
        (PLAN.format(epochs=2).replace("seed", "margin"), "lacks seed"),
        (PLAN.format(epochs=2) + "decoder = [[8.0]]\n", "decoder is (8.0,)"),
        (PLAN.format(epochs=2) + "fold = 0\n", "fold is not for a plan to set"),
        (PLAN.format(epochs=2) + "[rules.corpora.fake]\nemotion = {}\n", "has emotion; known"),
        (PLAN.format(epochs=2) + "[rules.corpora.emobd]\n", "no grid has the corpus emobd"),
        (PLAN.format(epochs=2) + "[fixd]\nepochs = 3\n", "has fixd; known: corpora"),
        (PLAN.format(epochs=2).replace("[0, 1]", "[]"), "seed has no values"),
    ],
)
def test_refuses_a_bad_plan(place, plan, message):
    path = place / "results" / "tiny" / "plan.toml"
    path.write_text(plan)
    result = ser("study", "plan", "tiny", "--features", "fake.npz", status=2)
    assert message in result.stderr
    assert "plan.toml" in result.stderr


def test_refuses_what_is_not_there(place):
    assert "has no plan" in ser("study", "plan", "none", status=2).stderr
    result = ser("study", "run", "tiny", "--features", "fake.npz", "--fold", 9, status=2)
    assert "'fold': 9" in result.stderr
    (place / "broken.npz").write_bytes(b"no archive")
    for device in ("gpu", "cuda:99"):
        result = ser("study", "run", "tiny", "--features", "fake.npz", "--device", device, status=2)
        assert f"device '{device}' cannot be used" in result.stderr
    assert not (place / "runs").exists()
    path = place / "results/tiny/plan.toml"
    path.write_text(path.read_text().replace('"mfcc"', '"log_mel"'))
    result = ser("study", "run", "tiny", "--features", "fake.npz", status=2)
    assert "fake.npz" in result.stderr
    assert "not as log_mel of 1 s" in result.stderr
    result = ser("study", "run", "tiny", "--features", "broken.npz", status=2)
    assert "broken.npz is not a feature file" in result.stderr
    (place / "runs").mkdir()
    result = ser("study", "pack", "tiny", "--features", "fake.npz", status=2)
    assert "nothing to pack" in result.stderr
    with pytest.raises(ValueError, match=r"'tiny'.*no predictions, history, embeddings, runs"):
        records.load("tiny")
    ser("study", "run", "tiny", "--no-such-option", status=2)


@pytest.mark.parametrize("name", ["predictions.json", "embeddings.npy"])
def test_refuses_a_damaged_record(place, name):
    features = ("--features", "fake.npz", "--fold", 0, "--seed", 0, "--objective", "S")
    ser("study", "run", "tiny", *features)
    damaged = next((place / "runs").rglob(name))
    damaged.write_bytes(damaged.read_bytes()[:-20])
    result = ser("study", "pack", "tiny", "--features", "fake.npz", status=2)
    assert damaged.parent.name in result.stderr
    assert not list((place / "results").rglob("*.parquet"))


ALL_EMOTIONS = {"emodb": 7, "ravdess": 8}


def settings_of(row):
    """Everything that a plan sets: all but the copy of the corpus and the fold."""
    emotions = row["emotions"].split(",")
    assert set(emotions) == set(PAPER_EMOTIONS) or len(emotions) == ALL_EMOTIONS[row["corpus"]]
    names = [f.name for f in fields(RunConfig) if f.name not in ("corpus_hash", "fold")]
    return tuple({**row, "emotions": len(emotions)}[name] for name in names)


def planned_settings(path):
    plan = tomllib.loads(path.read_text())
    for factors in (values for grid in plan["grid"] for values in study.expanded(grid)):
        given = {**plan["fixed"], **factors, "corpus_hash": "", "fold": 0}
        four = given["emotions"] == "four"
        given["emotions"] = list(
            PAPER_EMOTIONS if four else EMOTIONS[: ALL_EMOTIONS[given["corpus"]]]
        )
        config = asdict(RunConfig.from_dict(given).canonical())
        yield settings_of({name: records.as_column(value) for name, value in config.items()})


def test_every_committed_study_has_a_plan_that_its_records_follow():
    """The records in the tree are runs of the plans in the tree."""
    folders = [path.parent for path in records.results_folder().glob("*/runs.parquet")]
    assert folders
    for folder in folders:
        packed = records.load(folder.name)
        run = {settings_of(row) for row in packed.runs.to_dict("records")}
        assert run <= set(planned_settings(folder / "plan.toml"))
        assert set(packed.predictions["run"]) <= set(packed.runs["run"])
        assert set(packed.history["run"]) == set(packed.runs["run"])
        assert packed.runs["run"].is_unique
        assert not packed.predictions.duplicated(["run", "way", "by", "key"]).any()


def test_plan_with_another_value_type_is_no_run(place):
    sources = study.Sources([place / "fake.npz"])
    assert {
        config.seed for config in study.read_plan("tiny", {"seed": 0}, sources=sources).runs
    } == {0}
    with pytest.raises(ValueError, match=r"no run of study 'tiny' has \{'seed': '0'\}"):
        study.read_plan("tiny", {"seed": "0"}, sources=sources)


def test_measures_equal_loops():
    rng = np.random.default_rng(0)
    z, labels = rng.normal(size=(60, 5)).astype(np.float16), np.arange(60) % 3
    z[np.arange(60), labels] += 1
    fold = Fold("0", np.arange(36), (np.arange(36, 48), np.arange(48, 60)), speaker_dependent=False)
    told = study._measure(z, labels.astype(str), fold)
    exact, held = z.astype(np.float64), np.arange(36, 60)
    for side, rows in (("train", fold.train), ("held_out", held)):
        assert told[f"compactness_{side}"] == compactness(exact[rows], labels[rows])
        expected = silhouette_score(exact[rows], labels[rows])
        assert told[f"silhouette_{side}"] == pytest.approx(expected)
    nearest = [labels[np.argmin(((exact[:36] - row) ** 2).sum(1))] for row in exact[held]]
    assert told["neighbour_held_out"] == accuracy_class(labels[held], nearest) < 1


def _run(folder, *seeds):
    """One run for each seed, in this process; the runs, and where a pack looks for them."""
    dataset().save(folder / "fake.npz")
    sources = study.Sources([folder / "fake.npz"])
    runs = tuple(config(dataset(), epochs=1, seed=seed) for seed in seeds)
    for run in runs:
        own = folder / "runs" / run.identity
        own.mkdir(parents=True)
        study._run_one(own, run, sources, "cpu")
    (folder / "tiny").mkdir()
    (folder / "tiny" / "plan.toml").touch()
    return runs, {"runs_root": folder / "runs", "sources": sources, "root": folder}


def test_a_run_computes_on_one_thread_whatever_the_caller_has(tmp_path):
    torch.set_num_threads(2)
    try:
        _run(tmp_path, 0)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    (environment,) = tmp_path.glob("runs/*/environment.json")
    assert json.loads(environment.read_text())["threads"] == 1


@pytest.mark.skipif(not torch.backends.mkl.is_available(), reason="this torch rounds one way")
def test_the_environment_tells_how_sums_are_rounded():
    program = "from ser_lib import records; print(records.rounding())"
    usual = {name: value for name, value in os.environ.items() if name != "MKL_CBWR"}
    ways = [
        subprocess.run(
            [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True
        ).stdout.strip()
        for env in (usual, usual, {**usual, "MKL_CBWR": "COMPATIBLE"})
    ]
    assert all(re.fullmatch("[0-9a-f]{8}", way) for way in ways)
    assert ways[0] == ways[1] != ways[2]


def test_what_an_objective_does_not_use_makes_no_second_run(tmp_path):
    path = tmp_path / "fake.npz"
    dataset().save(path)
    plan = tmp_path / "tiny" / "plan.toml"
    plan.parent.mkdir()
    plan.write_text(
        '[fixed]\ncorpus = "fake"\ninput = "mfcc"\nseconds = 1.0\nseed = 0\n'
        '[[grid]]\nobjective = ["S", "S+C"]\nlambda1 = [0.1, 1.0]\n'
    )
    runs = study.read_plan("tiny", sources=study.Sources([path]), root=tmp_path).runs
    assert len(runs) == 2 * (1 + 2)  # folds; weights
    assert all(run == run.canonical() for run in runs)


def test_what_says_done_is_written_last(tmp_path, monkeypatch):
    """Whoever is killed between two files leaves a run that is not finished, or not packed."""
    written = []

    def noting(path, original=files.atomic_write):
        written.append(path.name)
        return original(path)

    monkeypatch.setattr(records, "atomic_write", noting)
    monkeypatch.setattr(training, "atomic_write", noting)
    runs, where = _run(tmp_path, 0)
    # The checkpoint shrinks to the weights after the result stands: until then it may be needed.
    assert written[-2:] == ["result.json", "checkpoint.pt"]
    assert written.count("result.json") == 1
    written.clear()
    study.pack(Plan("tiny", runs), **where)
    assert sorted(written) == sorted(f"{name}.parquet" for name in records.TABLES)
    assert written[-1] == "runs.parquet"


def test_a_pack_that_was_killed_is_made_again_without_doubles(tmp_path, monkeypatch):
    runs, where = _run(tmp_path, 0, 1)
    study.pack(Plan("tiny", runs[:1]), **where)

    def killed(path, original=files.atomic_write):
        if path.name == "embeddings.parquet":
            raise KeyboardInterrupt
        return original(path)

    with monkeypatch.context() as patch:
        patch.setattr(records, "atomic_write", killed)
        with pytest.raises(KeyboardInterrupt):
            study.pack(Plan("tiny", runs), **where)
    assert records.packed("tiny", tmp_path) == {runs[0].identity}
    assert study.pack(Plan("tiny", runs), **where) == 2
    whole = records.load("tiny", tmp_path)
    assert not whole.predictions.duplicated(["run", "way", "by", "key"]).any()
    assert set(whole.history["run"]) == {run.identity for run in runs}
