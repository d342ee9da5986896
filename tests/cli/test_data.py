"""ser data: reports, exit statuses, and one clear message for whatever is wrong."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ser_lib.corpora import check, emodb, scan
from tests.commands import ser

DATA = os.environ.get("SER_DATA")
KEYS = ("03a01Fa", "08a02Wb", "16b10Td")


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """A made-up EMO-DB of three recordings below SER_DATA, taken for the published one."""
    root = tmp_path / "data" / "emodb"
    (root / "wav").mkdir(parents=True)
    for seed, key in enumerate(KEYS):
        samples = np.random.default_rng(seed).integers(-3000, 3000, 400).astype(np.int16)
        soundfile.write(root / "wav" / f"{key}.wav", samples, 22_050)
    sums = {item.key: check.checksum(root / item.path) for item in emodb.survey(root)}
    published = scan.checksums
    monkeypatch.setattr(scan, "checksums", lambda n: sums if n == "emodb" else published(n))
    monkeypatch.setenv("SER_DATA", str(root.parent))
    monkeypatch.setenv("SER_CACHE", str(tmp_path / "cache"))
    return root


def refused(*arguments, parts):
    """Exit status 2, nothing on standard output, one message on standard error."""
    result = ser(*arguments, status=2)
    assert result.stdout == ""
    for part in parts:
        assert str(part) in result.stderr


def test_check_of_a_true_copy(fake):
    result = ser("data", "check", "emodb")
    assert result.stdout.startswith(f"emodb at {fake}: complete and true, 3 files, 3 expected\n")
    assert "note: the two-second copy" in result.stdout


def test_check_prints_one_json_document(fake):
    result = ser("data", "check", "emodb", "--json")
    document = json.loads(result.stdout)
    assert document["ok"] is True
    (report,) = document["corpora"]
    assert report["name"] == "emodb"
    assert report["counts"] == {
        "files": 3,
        "expected": 3,
        "missing": 0,
        "damaged": 0,
        "doubled": 0,
        "unexpected": 0,
    }


def test_check_of_an_untrue_copy_has_status_1_and_names_all(fake):
    folder = fake / "wav"
    (folder / "03a01Fa.wav").write_bytes((folder / "03a01Fa.wav").read_bytes()[:-99])
    shutil.copy(folder / "08a02Wb.wav", folder / "copy.wav")
    (folder / "16b10Td.wav").rename(folder / "renamed.wav")
    result = ser("data", "check", "emodb", status=1)
    assert "NOT as published" in result.stdout
    for entry in (
        "  missing: wav/16b10Td\n",
        "  damaged: wav/03a01Fa.wav: truncated",
        "  doubled: wav/08a02Wb.wav, wav/copy.wav: identical samples\n",
        "  unexpected: wav/renamed.wav: ",
    ):
        assert entry in result.stdout
    document = json.loads(ser("data", "check", "emodb", "--json", status=1).stdout)
    assert document["ok"] is False


def test_check_at_another_root(fake, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    fake.rename(elsewhere)
    ser("data", "check", "emodb", "--root", elsewhere)
    refused("data", "check", "emodb", "ravdess", "--root", elsewhere, parts=("--root", "one"))


def test_check_of_a_missing_root_is_refused_before_anything_is_decoded(fake):
    refused("data", "check", "emodb", "ravdess", parts=(fake.parent / "ravdess", "SER_DATA"))


def test_check_of_ones_own_folder_needs_a_table(fake):
    refused("data", "check", "folder", parts=("path,emotion,speaker", "labels.csv"))


def test_check_of_an_empty_folder(fake):
    shutil.rmtree(fake / "wav")
    result = ser("data", "check", "emodb", status=1)
    assert result.stdout.count("missing: ") == 3


def test_unknown_corpus(fake):
    refused("data", "check", "tess", parts=("unknown corpus 'tess'", "emodb"))
    refused("data", "fetch", "tess", parts=("unknown corpus 'tess'", "emodb"))
    refused("data", "fetch", "folder", parts=("cannot be fetched",))


@pytest.mark.parametrize(
    "arguments",
    [("data", "check", "emodb", "--bogus"), ("data", "check"), ("data", "bogus"), ("bogus",)],
)
def test_bad_usage_has_status_2(arguments):
    refused(*arguments, parts=("Usage: ",))


def test_fetch_onto_what_exists(fake):
    refused("data", "fetch", "emodb", parts=(fake, "exists already"))


def test_fetch_into_a_place_that_cannot_be_written(fake, tmp_path):
    (tmp_path / "file").write_text("x")
    refused("data", "fetch", "emodb", "--root", tmp_path / "file" / "emodb", parts=("file",))


def test_list(fake):
    result = ser("data", "list", "--json")
    rows = {row["name"]: row for row in json.loads(result.stdout)["corpora"]}
    assert set(rows) == {"builtin", "emodb", "ravdess", "iemocap", "folder"}
    assert rows["emodb"]["root"] == str(fake)
    assert (rows["emodb"]["present"], rows["emodb"]["files"]) == (True, 3)
    assert (rows["ravdess"]["present"], rows["ravdess"]["expected"]) == (False, 1_440)
    assert rows["ravdess"]["licence"] == "CC BY-NC-SA 4.0"
    lines = ser("data", "list").stdout.splitlines()
    assert len(lines) == 5
    assert "3 of 3 files" in next(line for line in lines if line.startswith("emodb"))


def test_version_and_help():
    assert ser("--version").stdout.startswith("ser ")
    assert "check" in ser("data", "--help").stdout


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "ser_lib.cli", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_as_a_process_there_is_no_traceback():
    done = run("data", "check", "emodb", SER_DATA="/nowhere")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("ser: corpus 'emodb': no folder ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(not DATA, reason="needs the real recordings: SER_DATA is not set")
def test_real_copies():
    done = run("data", "check", "emodb", "ravdess", "--json", SER_DATA=str(Path(DATA).resolve()))
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    counts = [report["counts"] for report in document["corpora"]]
    assert [count["files"] for count in counts] == [535, 1_440]
    assert [count["expected"] for count in counts] == [535, 1_440]
    assert [count["missing"] for count in counts] == [0, 0]
