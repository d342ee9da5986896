"""Checksums and reports: whatever differs from the published samples is named."""

import hashlib
import shutil
import wave
from pathlib import Path

import pytest
import soundfile

from ser_lib import corpora
from ser_lib.corpora import check, ravdess, scan
from tests.corpora.helpers import DATA, EMODB_KEYS, noise, real, write


def test_checksum_is_that_of_the_bytes_in_a_wav_file(tmp_path):
    samples = noise(1, 2)
    write(tmp_path / "a.wav", samples, 48_000)
    write(tmp_path / "a.flac", samples, 48_000)
    with wave.open(str(tmp_path / "a.wav")) as file:
        expected = hashlib.sha256(file.readframes(file.getnframes())).hexdigest()
    found = check.checksum(tmp_path / "a.wav")
    assert found == scan.Checksum(expected, 400, 48_000, 2)
    assert check.checksum(tmp_path / "a.flac") == found


def test_one_truncated_one_doubled_one_renamed_are_all_named(fake_emodb):
    folder = fake_emodb / "wav"
    data = (folder / "03a01Fa.wav").read_bytes()
    (folder / "03a01Fa.wav").write_bytes(data[:-200])
    shutil.copy(folder / "08a02Wb.wav", folder / "08a02Wb copy.wav")
    (folder / "16b10Td.wav").rename(folder / "16b10Te.wav")
    report = corpora.verify("emodb", fake_emodb)
    assert not report.ok
    assert report.missing == ("wav/16b10Td",)
    (damaged,) = report.damaged
    assert damaged.startswith("wav/03a01Fa.wav: truncated")
    assert report.doubled == ("wav/08a02Wb copy.wav, wav/08a02Wb.wav: identical samples",)
    (unexpected,) = report.unexpected
    assert unexpected.startswith("wav/16b10Te.wav: not one of")
    assert unexpected.endswith("has the samples of wav/16b10Td")
    assert report.counts == {
        "files": 6,
        "expected": 5,
        "missing": 1,
        "damaged": 1,
        "doubled": 1,
        "unexpected": 1,
    }


def test_two_names_swapped_are_damage_that_says_so(fake_emodb):
    folder = fake_emodb / "wav"
    (folder / "03a01Fa.wav").rename(folder / "x")
    (folder / "03a01Nc.wav").rename(folder / "03a01Fa.wav")
    (folder / "x").rename(folder / "03a01Nc.wav")
    damaged = corpora.verify("emodb", fake_emodb).damaged
    assert len(damaged) == 2
    assert "those of wav/03a01Nc" in damaged[0]


def test_one_changed_sample_is_seen(fake_emodb):
    path = fake_emodb / "wav" / "03a01Fa.wav"
    samples, rate = soundfile.read(path, dtype="int16")
    samples[7] += 1
    write(path, samples, rate)
    (damaged,) = corpora.verify("emodb", fake_emodb).damaged
    assert damaged == "wav/03a01Fa.wav: other samples than published (same length)"


def test_write_checksums_gives_the_lists_in_the_library(fake_emodb, tmp_path):
    check.write_checksums("emodb", fake_emodb, tmp_path / "new.csv")
    lines = (tmp_path / "new.csv").read_text().splitlines()
    assert lines[0] == "key,sha256,frames,rate,channels"
    assert [line.split(",")[0] for line in lines[1:]] == sorted(EMODB_KEYS)


def test_trap_stereo_files_are_true_and_a_mono_copy_of_one_is_not(fake_ravdess):
    assert corpora.verify("ravdess", fake_ravdess).ok
    path = fake_ravdess / "Actor_01" / "03-01-02-01-01-02-01.wav"
    samples, rate = soundfile.read(path, dtype="int16")
    write(path, samples[:, :1], rate)
    (damaged,) = corpora.verify("ravdess", fake_ravdess).damaged
    assert damaged.startswith("Actor_01/03-01-02-01-01-02-01.wav: ")
    assert "channels 1, expected 2" in damaged


def test_trap_identical_pair_is_a_note_and_no_fault(fake_ravdess):
    report = corpora.verify("ravdess", fake_ravdess)
    assert report.ok
    (note,) = report.notes
    assert all(f"Actor_07/{key}.wav" in note for key in ravdess.KNOWN_PAIR)
    assert "identical samples, as published" in note


def test_emodb_original_archive_is_told_from_the_two_second_copy(fake_emodb, tmp_path):
    assert "two-second copy" in corpora.verify("emodb", fake_emodb).notes[0]
    original = tmp_path / "original"
    for seed, key in enumerate(EMODB_KEYS):
        write(original / "wav" / f"{key}.wav", noise(100 + seed), 16_000)
    (original / "lablaut").mkdir()
    (original / "lablaut" / "03a01Fa.lablaut").write_text("0.1 125 -O")
    assert len(corpora.load("emodb", original)) == len(EMODB_KEYS)
    report = corpora.verify("emodb", original)
    assert report.ok
    assert (report.compared, report.verdict) == (False, "nothing wrong found")
    assert "looks like the original archive" in report.notes[0]
    write(original / "wav" / "08a02Wb.wav", noise(101), 22_050)
    (damaged,) = corpora.verify("emodb", original).damaged
    assert damaged == "wav/08a02Wb.wav: 22050 Hz, channels: 1, expected 16000 Hz, one channel"
    (original / "wav" / "03a01Fa.wav").unlink()
    report = corpora.verify("emodb", original)
    assert not report.ok
    assert report.missing == ("wav/03a01Fa",)


# --- the real recordings ---


@real
@pytest.mark.parametrize("name", ["emodb", "ravdess"])
def test_real_copy_is_complete_and_true(name):
    report = corpora.verify(name)
    assert report.ok
    assert report.files == report.expected == {"emodb": 535, "ravdess": 1_440}[name]


@real
def test_real_copy_with_one_truncated_one_doubled_one_renamed(tmp_path):
    root = tmp_path / "emodb"
    shutil.copytree(Path(DATA) / "emodb", root)
    first, second, third = (root / path for path in scan.walk(root)[-3:])
    first.write_bytes(first.read_bytes()[:-5_000])
    shutil.copy(second, second.with_name(f"copy{second.suffix}"))
    third.rename(third.with_name(f"renamed{third.suffix}"))
    report = corpora.verify("emodb", root)
    assert [
        len(getattr(report, kind)) for kind in ("missing", "damaged", "doubled", "unexpected")
    ] == [1] * 4
    assert first.name in report.damaged[0]
    assert f"copy{second.suffix}" in report.doubled[0]
    assert second.name in report.doubled[0]
    assert f"renamed{third.suffix}" in report.unexpected[0]
    assert third.stem in report.unexpected[0]
    assert third.stem in report.missing[0]
