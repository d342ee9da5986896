"""ser study export and ser predict: one file that answers for any recording, or says why not."""

import json
import os
import pickle
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from ser_lib import angles, records, training
from ser_lib.predictor import Predictor, export
from ser_lib.sources import Sources
from tests.commands import ser
from tests.fakes import config, cut, dataset

PITCH = {"anger": 2_800, "happiness": 1_400, "neutral": 600, "sadness": 250}
PLAN = """
[fixed]
corpus = "folder"
emotions = "four"
input = "mfcc_13x30"
model = "residual"
scaling = "standard"
optimizer = "adam"
learning_rate = 0.001
epochs = 4
triplet_epochs = 3
per_class = 3

[[grid]]
protocol = ["speakers", "random-10-fold"]
seed = 0
"""


def tone(emotion, *, seconds=0.7, rate=16_000, seed=0):
    """A noisy tone, of another pitch for each emotion."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    pitch = PITCH[emotion] * rng.uniform(0.97, 1.03)
    return 0.3 * np.sin(2 * np.pi * pitch * time) + 0.01 * rng.normal(size=len(time))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Four people's tones, and the study of them with its finished runs."""
    place = tmp_path_factory.mktemp("predictor")
    folder = place / "data" / "folder"
    folder.mkdir(parents=True)
    rows = ["path,emotion,speaker,session"]
    for speaker in range(4):
        for emotion in PITCH:
            for take in range(4):
                name = f"{speaker}-{emotion}-{take}.wav"
                soundfile.write(folder / name, tone(emotion, seed=len(rows)), 16_000)
                rows.append(f"{name},{emotion},{speaker},{speaker // 2}")
    (folder / "labels.csv").write_text("\n".join(rows))
    plan = place / "results" / "tones" / "plan.toml"
    plan.parent.mkdir(parents=True)
    plan.write_text(PLAN)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("SER_DATA", str(place / "data"))
        patch.setenv("SER_CACHE", str(place / "cache"))
        ser("study", "run", "tones", "--fold", 0)
        runs = {c["protocol"]: c["run"] for c in planned()}
        to = place / "results" / "paper2" / "predictor.npz"
        ser("study", "export", "tones", runs["speakers"], "--to", to)
    return place, runs


def planned():
    return json.loads(ser("study", "plan", "tones", "--fold", 0, "--json").stdout)["runs"]


@pytest.fixture
def place(trained, monkeypatch):
    """The same, as the folder that one works in."""
    monkeypatch.chdir(trained[0])
    monkeypatch.setenv("SER_DATA", str(trained[0] / "data"))
    monkeypatch.setenv("SER_CACHE", str(trained[0] / "cache"))
    return trained[0]


@pytest.fixture
def run(trained):
    """Name of the finished run that holds speakers out."""
    return trained[1]["speakers"]


@pytest.fixture
def model(place):
    return place / "results" / "paper2" / "predictor.npz"


# --- ser study export ----------------------------------------------------------------------------


def test_what_it_is_worth_is_what_the_record_says(place, run, tmp_path):
    to = tmp_path / "new" / "predictor.npz"
    told = json.loads(ser("study", "export", "tones", run, "--to", to, "--json").stdout)
    rows = json.loads((place / "runs" / run / "predictions.json").read_text())
    rows = [row for row in rows if row["by"] == "angle"]
    held_out = told["held_out"]
    right = np.mean([row["truth"] == row["predicted"] for row in rows])
    assert held_out["accuracy_overall"] == pytest.approx(right)
    assert held_out["accuracy_class"] == pytest.approx(right)  # as many of each emotion
    assert held_out["utterances"] == len(rows) == 32
    assert held_out["speakers"] == ["0", "1"]
    assert 0.8 * right - 1 / len(rows) <= held_out["confident"] <= 1
    assert told["path"] == str(to)
    assert (told["study"], told["run"], told["protocol"]) == ("tones", run, "speakers")
    assert told["licence"] == "unknown (your own recordings)"
    assert told["emotions"] == sorted(PITCH)
    assert to.read_bytes() == (place / "results" / "paper2" / "predictor.npz").read_bytes()
    assert to.stat().st_size < 1_100_000
    assert str(to) in ser("study", "export", "tones", run, "--to", to).stdout


def test_the_threshold_and_the_directions_are_those_of_their_definition(place, run):
    made = export("tones", run, runs_root=Path("runs"))
    found = Sources().dataset(made.config)
    fold, _ = training.prepare(found, made.config)
    z = training.predict(made.network, torch.from_numpy(made.scaler.transform(found.inputs)))
    labels = [made.config.emotions.index(u.emotion) for u in found.corpus.utterances]
    y = torch.tensor(labels)
    u = angles.class_directions(z.embedding[fold.train], y[fold.train], 4, reading="unit mean")
    torch.testing.assert_close(made.directions, u, rtol=0, atol=0)
    (held_out,) = fold.parts
    degrees = angles.angles(z.embedding[held_out], u)
    right = degrees.argmin(1) == y[held_out]
    smallest = degrees.min(1).values[right]
    assert made.threshold == pytest.approx(float(smallest.quantile(0.8)))


def test_rounding_to_half_precision_moves_no_angle_far(place, run):
    made = export("tones", run, runs_root=Path("runs"))
    found = Sources().dataset(made.config)
    inputs = torch.from_numpy(made.scaler.transform(found.inputs))
    state = torch.load(place / "runs" / run / "checkpoint.pt", weights_only=True)
    full = training.build_network(made.config, found.config.shape)
    full.load_state_dict(state["network"])
    rounded, whole = (
        angles.angles(training.predict(network, inputs).embedding, made.directions)
        for network in (made.network, full)
    )
    assert 0 < (rounded - whole).abs().max() < 0.5


def test_a_file_gives_the_answers_of_what_was_saved(place, run, model):
    made, loaded = export("tones", run, runs_root=Path("runs")), Predictor.load(model)
    assert (made.config, made.features, made.threshold, made.origin) == (
        loaded.config,
        loaded.features,
        loaded.threshold,
        loaded.origin,
    )
    for path in sorted((place / "data" / "folder").glob("0-*.wav")):
        assert made.predict(path) == loaded.predict(path)


def test_export_refuses_a_run_that_is_not_finished(place, run, tmp_path):
    begun = tmp_path / "runs"
    shutil.copytree(place / "runs" / run, begun / run)
    (begun / run / "result.json").unlink()
    to = tmp_path / "predictor.npz"
    result = ser("study", "export", "tones", run, "--runs", begun, "--to", to, status=2)
    assert f"run '{run}' is not finished" in result.stderr
    assert str(begun / run / "result.json") in result.stderr
    assert not to.exists()


def test_export_refuses_speakers_on_both_sides(place, trained, tmp_path):
    to = tmp_path / "predictor.npz"
    result = ser("study", "export", "tones", trained[1]["random-10-fold"], "--to", to, status=2)
    assert "'random-10-fold'" in result.stderr
    assert "training and the held-out part" in result.stderr
    assert not to.exists()


def test_export_refuses_a_run_of_another_study(place, run, tmp_path):
    plan = place / "results" / "other" / "plan.toml"
    plan.parent.mkdir(exist_ok=True)
    plan.write_text(PLAN.replace("epochs = 4", "epochs = 5"))
    result = ser("study", "export", "other", run, "--to", tmp_path / "p.npz", status=2)
    assert f"run '{run}' is none of study 'other'" in result.stderr


def test_export_refuses_paper_1s_network(place, tmp_path):
    theirs = config(dataset())
    folder = tmp_path / theirs.identity
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(asdict(theirs)))
    (folder / "result.json").write_text("{}")
    torch.save({"network": {}}, folder / "checkpoint.pt")
    arguments = (theirs.identity, "--runs", tmp_path, "--to", tmp_path / "p.npz")
    assert "'parallel_cnn'" in ser("study", "export", "tones", *arguments, status=2).stderr


@pytest.mark.parametrize("name", ["config.json", "checkpoint.pt"])
def test_export_refuses_a_damaged_run(place, run, tmp_path, name):
    shutil.copytree(place / "runs" / run, tmp_path / run)
    (tmp_path / run / name).write_bytes(b"broken")
    to = tmp_path / "p.npz"
    result = ser("study", "export", "tones", run, "--runs", tmp_path, "--to", to, status=2)
    assert f"run '{run}' in {tmp_path / run} cannot be read" in result.stderr


# --- ser predict ---------------------------------------------------------------------------------


def test_answers_for_voices_that_were_held_out(place):
    files = sorted((place / "data" / "folder").glob("[01]-*.wav"))
    document = json.loads(ser("predict", *files, "--json").stdout)
    assert document["ok"] is True
    rows = document["files"]
    assert [row["path"] for row in rows] == [str(file) for file in files]
    right = [row["nearest"] == Path(row["path"]).name.split("-")[1] for row in rows]
    worth = document["model"]["held_out"]
    assert np.mean(right) == pytest.approx(worth["accuracy_overall"])
    assert np.mean(right) > 0.8  # four tones are easy
    confident = [row["confident"] for row in rows]
    assert np.mean(confident) == pytest.approx(worth["confident"])
    for row in rows:
        assert set(row) == {"path", "seconds", "emotion", "nearest", "confident", "angles"}
        assert row["emotion"] == (row["nearest"] if row["confident"] else "unknown")
        assert list(row["angles"]) == sorted(PITCH)
        assert min(row["angles"], key=row["angles"].get) == row["nearest"]
        assert all(0 <= angle <= 180 for angle in row["angles"].values())
        assert row["confident"] == (min(row["angles"].values()) <= document["model"]["threshold"])
        assert row["seconds"] == 0.7


def test_what_a_person_reads(place, write):
    file = write("a.wav", tone("anger"))
    result = ser("predict", file)
    first, second = result.stdout.splitlines()
    assert first == f"{file}: anger (confident)"
    assert second.startswith("  anger ")
    for emotion in PITCH:
        assert f"{emotion} " in second
    assert second.count("°") == 4
    degrees = [float(part.split()[-1].rstrip("°")) for part in second.split(", ")]
    assert degrees == sorted(degrees)
    assert "predictor.npz, trained on folder (licence: unknown" in result.stderr


def test_unknown_where_no_angle_is_small(place, model, tmp_path, write):
    strict = replace(Predictor.load(model), threshold=0.0)
    strict.save(tmp_path / "strict.npz")
    file = write("a.wav", tone("sadness"))
    arguments = ("predict", file, "--model", tmp_path / "strict.npz")
    assert f"{file}: unknown (nearest is sadness, not confident)" in ser(*arguments).stdout
    (row,) = json.loads(ser(*arguments, "--json").stdout)["files"]
    assert (row["emotion"], row["nearest"], row["confident"]) == ("unknown", "sadness", False)


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8_000, 11_025, 48_000, 192_000])
def test_any_rate_and_channels(place, write, name, channels, rate):
    samples = np.tile(tone("neutral", seconds=1.0, rate=rate)[:, None], channels)
    (row,) = json.loads(ser("predict", write(name, samples, rate), "--json").stdout)["files"]
    assert row["seconds"] == 1.0
    if rate >= 16_000:  # below, the upper half of the bands that it learned is empty
        assert row["nearest"] == "neutral"


def test_stereo_is_answered_as_its_mean(place, write):
    left, right = tone("anger", seed=1), tone("anger", seed=2)
    stereo = write("stereo.wav", np.stack((left, right), axis=1), subtype="FLOAT")
    mono = write("mono.wav", (left + right) / 2, subtype="FLOAT")
    rows = json.loads(ser("predict", stereo, mono, "--json").stdout)["files"]
    assert rows[0]["angles"] == pytest.approx(rows[1]["angles"], abs=1e-3)


@pytest.mark.parametrize("seconds", [0.5, 60.0])
@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000])
def test_shortest_and_longest(place, write, seconds, rate):
    samples = tone("happiness", seconds=seconds, rate=rate)
    (row,) = json.loads(ser("predict", write("a.wav", samples, rate), "--json").stdout)["files"]
    assert row["seconds"] == seconds


BAD = {
    "text.wav": ("not readable as audio", lambda path: path.write_text("no audio\n" * 40)),
    "empty.wav": ("0 bytes", lambda path: path.write_bytes(b"")),
    "none.wav": ("holds 0 samples", lambda path: soundfile.write(path, np.zeros((0, 1)), 16_000)),
    "cut.wav": (
        "truncated",
        lambda path: (soundfile.write(path, tone("anger"), 16_000), cut(path, 0.5)),
    ),
    "cut.flac": (
        "truncated",
        lambda path: (soundfile.write(path, tone("anger"), 16_000), cut(path, 0.5)),
    ),
    "absent.wav": ("no such file", lambda path: None),
    "folder.wav": ("not a file", lambda path: path.mkdir()),
    "silent.wav": ("silent", lambda path: soundfile.write(path, np.zeros(16_000), 16_000)),
    "nan.wav": (
        "1 of 16000 samples are not finite",
        lambda path: soundfile.write(
            path, np.append(tone("anger", seconds=1)[1:], np.nan), 16_000, subtype="FLOAT"
        ),
    ),
    "short.wav": (
        "0.499 s long, it must have 0.5 to 60 s",
        lambda path: soundfile.write(path, tone("anger", seconds=0.499), 16_000),
    ),
    "long.wav": (
        "60.001 s long, it must have 0.5 to 60 s",
        lambda path: soundfile.write(path, tone("anger", seconds=60.001), 16_000),
    ),
    "low.wav": (
        "7,999 Hz, it must have 8,000 to 192,000 Hz",
        lambda path: soundfile.write(path, tone("anger"), 7_999),
    ),
    "high.wav": (
        "192,001 Hz, it must have 8,000 to 192,000 Hz",
        lambda path: soundfile.write(path, tone("anger", seconds=1, rate=192_001), 192_001),
    ),
    "n" * 300: ("File name too long", lambda path: None),
}


def test_bad_files_among_good_ones(place, tmp_path, write):
    good = [write("first.wav", tone("anger")), write("last.flac", tone("sadness"))]
    bad = [tmp_path / name for name in BAD]
    for path, (_, make) in zip(bad, BAD.values(), strict=True):
        make(path)
    files = (good[0], *bad, good[1])
    result = ser("predict", *files, status=1)
    assert [line.split(" (")[0] for line in result.stdout.splitlines()[::2]] == [
        f"{good[0]}: anger",
        f"{good[1]}: sadness",
    ]
    errors = result.stderr.splitlines()[1:]  # after what the model is
    document = json.loads(ser("predict", *files, "--json", status=1).stdout)
    assert document["ok"] is False
    assert [row["path"] for row in document["files"]] == [str(file) for file in files]
    rows = document["files"][1:-1]
    for line, row, path, (message, _) in zip(errors, rows, bad, BAD.values(), strict=True):
        assert message in line
        assert str(path) in line
        assert row == {"path": str(path), "error": line.removeprefix("ser: ")}
    assert [document["files"][i]["nearest"] for i in (0, -1)] == ["anger", "sadness"]


def test_an_answer_depends_on_its_own_file_only(place, write):
    files = [write(f"{emotion}.wav", tone(emotion)) for emotion in PITCH]
    together = json.loads(ser("predict", *files, "--json").stdout)
    backwards = json.loads(ser("predict", *reversed(files), "--json").stdout)
    assert together["files"] == backwards["files"][::-1]
    assert ser("predict", *files).stdout == ser("predict", *files).stdout


# --- what is no predictor -------------------------------------------------------------------------


class Trap:
    """Unpickling it leaves a folder behind."""

    def __reduce__(self):
        return os.mkdir, ("sprung",)


def changed(model, path, **arrays):
    """Write a copy of a predictor in which some arrays are others, or left out."""
    with np.load(model) as stored:
        kept = {name: stored[name] for name in stored.files} | arrays
    kept = {name: array for name, array in kept.items() if array is not None}
    np.savez_compressed(path, **kept)


def meta(model, **changes):
    with np.load(model) as stored:
        return np.array(json.dumps({**json.loads(str(stored["meta"])), **changes}))


def flipped(model, path):
    data = bytearray(model.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


def spoiled_origin(model):
    with np.load(model) as stored:
        origin = json.loads(str(stored["meta"]))["origin"]
    return {**origin, "held_out": {}}


STRANGERS = {
    "truncated": lambda m, p: p.write_bytes(m.read_bytes()[:-2_000]),
    "a byte is another": flipped,
    "empty": lambda m, p: p.write_bytes(b""),
    "text": lambda m, p: p.write_text("weights"),
    "a folder": lambda m, p: p.mkdir(),
    "a pickle": lambda m, p: p.write_bytes(pickle.dumps(Trap())),
    "a checkpoint": lambda m, p: torch.save({"network": {}}, p),
    "an object in it": lambda m, p: changed(m, p, mean=np.array([Trap()], dtype=object)),
    "an object as its text": lambda m, p: changed(m, p, meta=np.array([Trap()], dtype=object)),
    "one array": lambda m, p: (
        np.save(p.with_suffix(".npy"), np.ones(3)),
        p.with_suffix(".npy").rename(p),
    ),
    "features": lambda m, p: dataset().save(p),
    "no directions": lambda m, p: changed(m, p, directions=None),
    "no weight": lambda m, p: changed(m, p, **{"network.classify.weight": None}),
    "other weights": lambda m, p: changed(m, p, **{"network.classify.weight": np.zeros((9, 200))}),
    "not finite": lambda m, p: changed(m, p, **{"network.classify.bias": np.full(4, np.nan)}),
    "other directions": lambda m, p: changed(m, p, directions=np.ones((3, 200))),
    "other scaler": lambda m, p: changed(m, p, deviation=np.ones((1, 389))),
    "words for numbers": lambda m, p: changed(m, p, mean=np.full((1, 390), "x")),
    "no text": lambda m, p: changed(m, p, meta=np.array("{")),
    "no settings": lambda m, p: changed(m, p, meta=meta(m, config={})),
    "strange features": lambda m, p: changed(m, p, meta=meta(m, features={"rate": -1})),
    "no threshold": lambda m, p: changed(m, p, meta=meta(m, threshold=float("nan"))),
    "no worth": lambda m, p: changed(m, p, meta=meta(m, origin=spoiled_origin(m))),
}


@pytest.mark.parametrize("stranger", STRANGERS)
def test_what_is_no_predictor_is_refused(place, model, tmp_path, write, monkeypatch, stranger):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "stranger.npz"
    STRANGERS[stranger](model, path)
    result = ser("predict", write("a.wav", tone("anger")), "--model", path, status=2)
    assert result.stdout == ""
    assert result.stderr.startswith(f"ser: {path} is not a predictor, or is damaged: ")
    assert not Path("sprung").exists()


def test_unknown_emotions_are_refused(model, tmp_path):
    whole = Predictor.load(model)
    emotions = (*whole.config.emotions[:3], "sorrow")
    with pytest.raises(ValueError, match="unknown emotions"):
        replace(whole, config=replace(whole.config, emotions=emotions))


def test_without_a_predictor_one_is_told_how_to_make_it(place, tmp_path, write, monkeypatch):
    monkeypatch.setenv("SER_RESULTS", str(tmp_path))
    result = ser("predict", write("a.wav", tone("anger")), status=2)
    assert str(tmp_path / "paper2" / "predictor.npz") in result.stderr
    assert "ser study export STUDY RUN --to" in result.stderr


@pytest.mark.parametrize("arguments", [(), ("--bogus", "a.wav"), ("a.wav", "--model")])
def test_bad_usage(arguments):
    assert ser("predict", *arguments, status=2).stderr


# --- the one in the tree --------------------------------------------------------------------------


def test_the_committed_predictor_is_a_run_of_its_study(write):
    path = records.results_folder() / "paper2" / "predictor.npz"
    predictor = Predictor.load(path)
    assert path.stat().st_size < 1_100_000
    told = predictor.describe()
    assert (told["study"], told["corpus"], told["protocol"]) == ("paper2", "ravdess", "speakers")
    assert predictor.config.triplet_epochs > 0
    assert len(predictor.config.emotions) == 8
    assert predictor.origin["attribution"].startswith("S. R. Livingstone")
    assert set(predictor.predict(write("a.wav", tone("anger"))).angles) == set(told["emotions"])
