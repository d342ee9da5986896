"""What lies in a corpus's folder: paths, headers, doubles, and the published lists."""

import os
import shutil
from pathlib import Path

import pytest
import soundfile

from ser_lib import corpora
from ser_lib.corpora import emodb, ravdess, scan
from tests.corpora.helpers import RAVDESS_KEYS, noise, refused, write


def test_flac_and_wav_give_the_same_corpus(fake_ravdess, tmp_path):
    flac = tmp_path / "flac"
    for path in scan.walk(fake_ravdess):
        samples, rate = soundfile.read(fake_ravdess / path, dtype="int16")
        write(flac / Path(path).with_suffix(".flac"), samples, rate)
    assert corpora.load("ravdess", flac).hash == corpora.load("ravdess", fake_ravdess).hash
    assert corpora.verify("ravdess", flac).ok


def test_trap_doubled_copy_names_every_path(fake_ravdess):
    for path in scan.walk(fake_ravdess):
        inner = fake_ravdess / "audio_speech_actors_01-24" / path
        inner.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(fake_ravdess / path, inner)
    problems = refused("ravdess", fake_ravdess)
    for key in RAVDESS_KEYS:
        place = f"Actor_{key[-2:]}/{key}.wav"
        assert f"{place}: key {key} lies at 2 paths" in problems
        inner = f"audio_speech_actors_01-24/{place}: key {key} lies at 2 paths"
        assert inner in problems
    report = corpora.verify("ravdess", fake_ravdess)
    assert len(report.doubled) == len(RAVDESS_KEYS)
    assert (report.missing, report.damaged, report.unexpected) == ((), (), ())
    assert report.files == 2 * len(RAVDESS_KEYS)


def test_trap_wav_and_flac_of_one_key(fake_ravdess):
    path = fake_ravdess / "Actor_02" / "03-01-05-02-01-01-02.wav"
    write(path.with_suffix(".flac"), soundfile.read(path, dtype="int16")[0], 48_000)
    problems = refused("ravdess", fake_ravdess)
    assert [p.split(":")[0] for p in problems] == [
        "Actor_02/03-01-05-02-01-01-02.flac",
        "Actor_02/03-01-05-02-01-01-02.wav",
    ]
    assert len(corpora.verify("ravdess", fake_ravdess).doubled) == 1


def test_recordings_in_a_folder_too_deep_are_named(fake_ravdess):
    inner = fake_ravdess.parent / "outer"
    inner.mkdir()
    fake_ravdess.rename(inner / "audio_speech_actors_01-24")
    problems = refused("ravdess", inner, "not in one of the folders")
    assert len(problems) == len(RAVDESS_KEYS)


def test_hidden_files_and_documents_at_the_root_are_no_fault(fake_ravdess):
    for name in (".DS_Store", "Actor_01/.DS_Store", "Actor_01/._03-01-01-01-01-01-01.wav"):
        (fake_ravdess / name).write_bytes(b"x")
    (fake_ravdess / "__MACOSX").mkdir()
    (fake_ravdess / "__MACOSX" / "a.wav").write_bytes(b"x")
    (fake_ravdess / "README.txt").write_text("hello")
    assert len(corpora.load("ravdess", fake_ravdess)) == len(RAVDESS_KEYS)
    assert corpora.verify("ravdess", fake_ravdess).ok


def test_wrong_rate_is_refused(fake_ravdess):
    path = fake_ravdess / "Actor_02" / "03-01-05-02-01-01-02.wav"
    write(path, noise(4), 16_000)
    (problem,) = refused("ravdess", fake_ravdess)
    assert problem == "Actor_02/03-01-05-02-01-01-02.wav: sampling rate 16000 Hz, expected 48000 Hz"
    assert "rate in Hz 16000, expected 48000" in corpora.verify("ravdess", fake_ravdess).damaged[0]


def test_all_problems_are_in_one_error(fake_ravdess):
    actor = fake_ravdess / "Actor_07"
    (actor / "03-01-03-01-02-01-07.wav").unlink()
    (actor / "03-01-03-01-02-02-07.wav").write_bytes(b"")
    (actor / "song.wav").write_bytes(b"x")
    write(fake_ravdess / "stray.flac", noise(9), 48_000)
    problems = refused("ravdess", fake_ravdess, "4 problems")
    assert [problem.split(":")[0] for problem in problems] == [
        "Actor_07/03-01-03-01-02-01-07.wav (or .flac)",
        "Actor_07/03-01-03-01-02-02-07.wav",
        "Actor_07/song.wav",
        "stray.flac",
    ]


def test_a_part_is_taken_only_when_asked_for(fake_ravdess):
    shutil.rmtree(fake_ravdess / "Actor_07")
    problems = refused("ravdess", fake_ravdess)
    assert len(problems) == 2
    assert len(corpora.load("ravdess", fake_ravdess, partial=True)) == 4


@pytest.mark.parametrize("name", ["ravdess", "emodb"])
@pytest.mark.parametrize("partial", [False, True])
def test_empty_and_missing_folder(tmp_path, name, partial):
    refused(name, tmp_path, "none of its", partial=partial)
    refused(name, tmp_path / "nowhere", "no folder", partial=partial)


def test_unreadable_folder_is_an_error_and_not_an_absence(fake_ravdess, monkeypatch):
    listing = os.scandir

    def scandir(path):
        if str(path).endswith("Actor_07"):
            raise PermissionError(13, "Permission denied", str(path))
        return listing(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(PermissionError, match="Actor_07"):
        corpora.load("ravdess", fake_ravdess)


def test_lists_in_the_library():
    assert len(scan.checksums("emodb")) == 535
    sums = scan.checksums("ravdess")
    assert len(sums) == 1_440
    assert all(not ravdess.refuse(f"Actor_{key[-2:]}", key) for key in sums)
    assert all(not emodb.refuse("wav", key) for key in scan.checksums("emodb"))
    stereo = {key for key, checksum in sums.items() if checksum.channels == 2}
    assert stereo == {
        "03-01-02-01-01-02-01",
        "03-01-08-01-02-02-01",
        "03-01-02-01-02-02-05",
        "03-01-03-01-02-01-20",
        "03-01-06-01-01-02-20",
    }
    first, second = (sums[key] for key in ravdess.KNOWN_PAIR)
    assert first == second
    assert len({checksum.sha256 for checksum in sums.values()}) == 1_439
