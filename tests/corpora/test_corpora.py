"""ser_lib.corpora: every trap of the real corpora on small made-up copies, then the real ones."""

import hashlib
import http.server
import os
import shutil
import threading
import wave
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ser_lib import corpora
from ser_lib.corpora import CorpusError, check, emodb, fetch, ravdess, scan
from ser_lib.corpora.base import speaker_of

DATA = os.environ.get("SER_DATA")
real = pytest.mark.skipif(not DATA, reason="needs the real recordings: SER_DATA is not set")

RAVDESS_KEYS = (
    "03-01-01-01-01-01-01",
    "03-01-02-01-01-02-01",  # stereo in the published corpus
    "03-01-03-01-02-01-07",  # this and the next are byte-identical in the published corpus
    "03-01-03-01-02-02-07",
    "03-01-05-02-01-01-02",
    "03-01-08-02-02-01-24",
)
EMODB_KEYS = ("03a01Fa", "03a01Nc", "08a02Wb", "16b10Td", "16b10Lb")


def noise(seed, channels=1):
    samples = np.random.default_rng(seed).integers(-3000, 3000, (400, channels))
    return samples.astype(np.int16)


def write(path, samples, rate):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate)


def know(monkeypatch, name, root):
    """Let the library take what lies at ``root`` for the published corpus."""
    module = check.PUBLISHED[name]
    sums = {item.key: check.checksum(root / item.path) for item in module.survey(root)}
    original = scan.checksums
    monkeypatch.setattr(scan, "checksums", lambda n: sums if n == name else original(n))


@pytest.fixture
def fake_ravdess(tmp_path, monkeypatch):
    root = tmp_path / "ravdess"
    for seed, key in enumerate(RAVDESS_KEYS):
        samples = noise(2 if key in ravdess.KNOWN_PAIR else seed)
        if key == "03-01-02-01-01-02-01":
            samples = np.repeat(samples, 2, axis=1)
        write(root / f"Actor_{key[-2:]}" / f"{key}.wav", samples, 48_000)
    know(monkeypatch, "ravdess", root)
    return root


@pytest.fixture
def fake_emodb(tmp_path, monkeypatch):
    root = tmp_path / "emodb"
    for seed, key in enumerate(EMODB_KEYS):
        write(root / "wav" / f"{key}.wav", noise(seed), 22_050)
    know(monkeypatch, "emodb", root)
    return root


def refused(name, root, *parts, **options):
    """Problems of the one error; each of ``parts`` must be in it."""
    with pytest.raises(CorpusError) as caught:
        corpora.load(name, root, **options)
    for part in (*parts, str(root)):
        assert part in str(caught.value)
    return caught.value.problems


# --- RAVDESS: what a name says ---


def test_ravdess_table(fake_ravdess):
    corpus = corpora.load("ravdess", fake_ravdess)
    assert [u.key for u in corpus.utterances] == sorted(RAVDESS_KEYS)
    first, last = corpus.utterances[0], corpus.utterances[-1]
    assert first.path == "Actor_01/03-01-01-01-01-01-01.wav"
    assert (first.speaker, first.sex, first.session) == ("01", "male", "actors 01-04")
    assert (first.raw_label, first.emotion) == ("01", "neutral")
    assert first.sentence == "Kids are talking by the door"
    assert (first.rate, first.duration) == (48_000, 400 / 48_000)
    assert (last.speaker, last.sex, last.session) == ("24", "female", "actors 21-24")
    assert (last.raw_label, last.emotion) == ("08", "surprise")
    assert last.sentence == "Dogs are sitting by the door"
    assert corpus.licence == "CC BY-NC-SA 4.0"


def test_ravdess_six_sessions_of_two_men_and_two_women():
    sessions = {ravdess.session(actor) for actor in ravdess.ACTORS}
    assert len(sessions) == 6
    assert sorted(sessions)[0] == "actors 01-04"
    assert sorted(sessions)[-1] == "actors 21-24"


def test_flac_and_wav_give_the_same_corpus(fake_ravdess, tmp_path):
    flac = tmp_path / "flac"
    for path in scan.walk(fake_ravdess):
        samples, rate = soundfile.read(fake_ravdess / path, dtype="int16")
        write(flac / Path(path).with_suffix(".flac"), samples, rate)
    assert corpora.load("ravdess", flac).hash == corpora.load("ravdess", fake_ravdess).hash
    assert corpora.verify("ravdess", flac).ok


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("happy.wav", "not seven two-digit numbers"),
        ("03-01-03-01-01-01.wav", "not seven two-digit numbers"),
        ("03-01-03-01-01-01-02 (1).wav", "not seven two-digit numbers"),
        ("01-01-03-01-01-01-02.wav", "modality 01 is audio and video"),
        ("02-01-03-01-01-01-02.mp4", "modality 02 is video only"),
        ("03-02-03-01-01-01-02.wav", "channel 02 is song"),
        ("03-01-09-01-01-01-02.wav", "emotion code 09 is unknown"),
        ("03-01-03-03-01-01-02.wav", "intensity 03 is unknown"),
        ("03-01-03-01-03-01-02.wav", "statement 03 is unknown"),
        ("03-01-03-01-01-03-02.wav", "repetition 03 is unknown"),
        ("03-01-03-01-01-01-25.wav", "actor 25 is unknown"),
        ("03-01-03-01-01-01-03.wav", "actor 03 in the folder Actor_02"),
        ("03-01-05-02-01-01-02.mp3", "ending '.mp3' is not .wav or .flac"),
        ("notes.txt", "ending '.txt' is not .wav or .flac"),
    ],
)
def test_ravdess_refuses_a_name_and_says_why(fake_ravdess, name, reason):
    write(fake_ravdess / "extra.wav", noise(9), 48_000)
    (fake_ravdess / "extra.wav").rename(fake_ravdess / "Actor_02" / name)
    (problem,) = refused("ravdess", fake_ravdess, reason)
    assert problem.startswith(f"Actor_02/{name}: ")


def test_several_faults_of_one_name_are_all_told():
    reasons = ravdess.refuse("Actor_01", "02-02-09-03-03-03-99")
    assert reasons.count(";") == 7


# --- RAVDESS: the traps that shared data and issues tell of ---


def test_trap_neutral_has_one_intensity(fake_ravdess):
    write(fake_ravdess / "Actor_02" / "03-01-01-02-01-01-02.wav", noise(9), 48_000)
    refused("ravdess", fake_ravdess, "neutral has intensity 01 only")


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


# --- EMO-DB ---


def test_emodb_table(fake_emodb):
    corpus = corpora.load("emodb", fake_emodb)
    rows = {u.key: u for u in corpus.utterances}
    happy, bored = rows["03a01Fa"], rows["16b10Lb"]
    assert (happy.speaker, happy.sex, happy.session) == ("03", "male", "speakers 03 and 08")
    assert (happy.raw_label, happy.emotion) == ("F", "happiness")
    assert happy.sentence == "Der Lappen liegt auf dem Eisschrank."
    assert (bored.speaker, bored.sex, bored.emotion) == ("16", "female", "boredom")
    assert bored.session == "speakers 15 and 16"
    assert rows["08a02Wb"].session == happy.session
    assert {u.emotion for u in rows.values()} == {
        "happiness",
        "neutral",
        "anger",
        "sadness",
        "boredom",
    }


def test_emodb_five_sessions_of_a_man_and_a_woman():
    assert set(emodb.SESSIONS) == set(emodb.SPEAKERS)
    for session in set(emodb.SESSIONS.values()):
        pair = [speaker for speaker in emodb.SPEAKERS if emodb.SESSIONS[speaker] == session]
        assert sorted(emodb.SPEAKERS[speaker] for speaker in pair) == ["female", "male"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("03a01Xa.wav", "emotion letter 'X' is unknown"),
        ("04a01Fa.wav", "speaker '04' is unknown"),
        ("03c01Fa.wav", "sentence 'c01' is unknown"),
        ("03a01F.wav", "is not speaker, sentence, emotion, version"),
        ("03a01fa.wav", "is not speaker, sentence, emotion, version"),
        ("03a02Fa.wav", "not one of the 5 recordings"),
        ("03a01Fa.ogg", "ending '.ogg'"),
        ("03a01Fa.lab", "ending '.lab'"),
    ],
)
def test_emodb_refuses_a_name_and_says_why(fake_emodb, name, reason):
    (fake_emodb / "wav" / name).write_bytes(b"x")
    (problem,) = refused("emodb", fake_emodb, reason)
    assert problem.startswith(f"wav/{name}: ")


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
    (original / "wav" / "03a01Fa.wav").unlink()
    report = corpora.verify("emodb", original)
    assert not report.ok
    assert report.missing == ("wav/03a01Fa",)


def test_emodb_mixture_of_both_forms_is_refused(fake_emodb):
    write(fake_emodb / "wav" / "03a01Fa.wav", noise(100), 16_000)
    problems = refused("emodb", fake_emodb, "sampling rate 16000 Hz, others have another one")
    assert len(problems) == len(EMODB_KEYS)
    (damaged,) = corpora.verify("emodb", fake_emodb).damaged
    assert damaged.startswith("wav/03a01Fa.wav: ")


def test_listening_test_is_latin_1_with_decimal_commas(tmp_path):
    lines = "Nr.\tSatz\terkannt\tnatuerlich\n1\xa0\xa0\t03a01Ab.wav\t65,50\xa0\xa0\t35,00\xa0\n"
    (tmp_path / "erkennung.txt").write_bytes(lines.encode("latin-1"))
    assert emodb.listening_test(tmp_path) == {"03a01Ab": emodb.Judgement(65.5, 35.0)}


@pytest.mark.parametrize(
    "line", ["1\t03a01Ab.wav\t65,50", "1\t03a01Ab.wav\thigh\t35,00", "1\t03a01Ab.wav\t165,5\t35,00"]
)
def test_listening_test_with_a_broken_line_is_refused(tmp_path, line):
    (tmp_path / "erkennung.txt").write_text(f"Nr.\n{line}\n", encoding="latin-1")
    with pytest.raises(CorpusError, match="line 2"):
        emodb.listening_test(tmp_path)


def test_listening_test_missing(tmp_path):
    with pytest.raises(CorpusError, match=r"erkennung\.txt"):
        emodb.listening_test(tmp_path)


# --- checksums and reports ---


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


# --- anybody's own folder ---


@pytest.fixture
def own(tmp_path):
    write(tmp_path / "a" / "1.wav", noise(1), 16_000)
    write(tmp_path / "b" / "1.ogg", noise(2), 44_100)
    table = tmp_path / "labels.csv"
    table.write_text("path,emotion,speaker\na/1.wav,Anger,anna\nb/1.ogg,sadness,bob\n")
    return table


def test_folder_table(own):
    corpus = corpora.load("folder", own)
    assert corpus.hash == corpora.load("folder", own.parent).hash
    first, second = corpus.utterances
    assert (first.key, first.path) == ("a/1", "a/1.wav")
    assert (first.raw_label, first.emotion) == ("Anger", "anger")
    assert (first.speaker, first.session, first.sex, first.sentence) == (
        "anna",
        "anna",
        "unknown",
        "",
    )
    assert (second.rate, second.key) == (44_100, "b/1")


def test_folder_optional_columns(own):
    own.write_text(
        "\ufeffspeaker,session,sex,sentence,path,emotion\n"
        'anna,one,female,"Hello, you",a/1.wav,anger\nbob,one,,,b/1.ogg,sadness\n',
        encoding="utf-8",
    )
    first, second = corpora.load("folder", own).utterances
    assert (first.session, first.sex, first.sentence) == ("one", "female", "Hello, you")
    assert (second.session, second.sex, second.sentence) == ("one", "unknown", "")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ("column 'path' is missing", "column 'emotion' is missing")),
        ("path,emotion\na/1.wav,anger\n", ("column 'speaker' is missing",)),
        ("path,emotion,speaker,sesion\n", ("column 'sesion' is unknown",)),
        ("path,emotion,speaker,path\n", ("column 'path' is there twice",)),
        ("path,emotion,speaker\n", ("lists no recording",)),
        ("path,emotion,speaker\na/1.wav,anger\n", ("line 2: 2 values, expected 3",)),
        ("path,emotion,speaker\na/1.wav,anger,\n", ("line 2: no speaker",)),
        ("path,emotion,speaker\na/1.wav,angry,x\n", ("line 2", "'angry'", "anger, boredom")),
        ("path,emotion,speaker\na/2.wav,anger,x\n", ("line 2: a/2.wav", "no such file")),
        ("path,emotion,speaker\n../x.wav,anger,x\n", ("line 2: ../x.wav", "must lie below")),
        ("path,emotion,speaker\n/x.wav,anger,x\n", ("line 2: /x.wav", "must lie below")),
        ("path,emotion,speaker,sex\na/1.wav,anger,x,f\n", ("unknown sex 'f'",)),
        (
            "path,emotion,speaker\na/1.wav,anger,x\na/1.wav,anger,x\n",
            ("line 3: a/1.wav: the same file as in line 2",),
        ),
        (
            "path,emotion,speaker\na/1.wav,anger,x\na/../a/./1.wav,anger,x\n",
            ("line 3", "must lie below"),
        ),
        (
            "path,emotion,speaker,session\na/1.wav,anger,x,1\nb/1.ogg,anger,x,2\n",
            ("speaker 'x' is in 2 sessions: 1, 2",),
        ),
    ],
)
def test_folder_refuses_a_broken_table(own, text, parts):
    own.write_text(text)
    refused("folder", own, *parts)


def test_folder_lists_all_problems_at_once(own):
    own.write_text("path,emotion,speaker\na/9.wav,angry,x\nb/1.ogg,glee,y\na/1.wav,anger,z\n")
    assert len(refused("folder", own)) == 3


def test_folder_two_files_of_one_key(own):
    write(own.parent / "a" / "1.flac", noise(3), 16_000)
    own.write_text("path,emotion,speaker\na/1.wav,anger,x\na/1.flac,anger,x\n")
    refused("folder", own, "line 3: a/1.flac: the same key as in line 2")


def test_folder_not_utf_8(own):
    own.write_bytes("path,emotion,speaker\na/ü.wav,anger,x\n".encode("latin-1"))
    refused("folder", own, "not a CSV file in UTF-8")


def test_folder_without_a_table(tmp_path):
    refused("folder", tmp_path, "labels.csv")


def test_folder_check(own):
    write(own.parent / "c.wav", noise(1), 16_000)
    report = corpora.verify("folder", own)
    assert report.ok
    assert "c.wav: not listed, so not used" in report.notes
    own.write_text("path,emotion,speaker\na/1.wav,anger,x\nc.wav,anger,x\n")
    assert corpora.verify("folder", own).doubled == ("a/1.wav, c.wav: identical samples",)
    own.write_text("path,emotion,speaker\na/1.wav,anger,x\nd.wav,anger,x\n")
    report = corpora.verify("folder", own)
    assert not report.ok
    assert report.unexpected[0].startswith("line 3: d.wav")


# --- names and roots ---


def test_unknown_name():
    with pytest.raises(ValueError, match="unknown corpus 'tess'; known: builtin, emodb"):
        corpora.load("tess")


def test_root_comes_from_the_environment(fake_emodb, monkeypatch):
    monkeypatch.setenv("SER_DATA", str(fake_emodb.parent))
    assert corpora.load("emodb").root == fake_emodb


# --- fetching ---


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def served(tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()
    handler = partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def pack(root, archive, inside=""):
    with zipfile.ZipFile(archive, "w") as file:
        for path in scan.walk(root):
            file.write(root / path, f"{inside}{path}")
        file.writestr("__MACOSX/wav/._a.wav", "x")


@pytest.mark.parametrize("inside", ["", "download/"])
def test_fetch_unpacks_verifies_and_renames(fake_emodb, served, tmp_path, inside):
    folder, url = served
    pack(fake_emodb, folder / "emodb.zip", inside)
    target = tmp_path / "new" / "emodb"
    source = fetch.Source(f"{url}/emodb.zip", None, "wav")
    assert fetch.fetch("emodb", target, source=source) == target
    assert len(corpora.load("emodb", target)) == len(EMODB_KEYS)
    assert [path.name for path in target.parent.iterdir()] == ["emodb"]
    with pytest.raises(CorpusError, match="exists already"):
        fetch.fetch("emodb", target, source=source)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("absent", "404"),
        ("hash", "hash"),
        ("no zip", "not a zip archive"),
        ("half", "not a zip archive"),
        ("other", "holds no folder wav/"),
        ("incomplete", "missing: wav/03a01Fa"),
    ],
)
def test_fetch_that_fails_leaves_nothing(fake_emodb, served, tmp_path, fault, message):
    folder, url = served
    archive = folder / "emodb.zip"
    known = None
    if fault == "incomplete":
        (fake_emodb / "wav" / "03a01Fa.wav").unlink()
    pack(fake_emodb, archive)
    if fault == "absent":
        archive.unlink()
    elif fault == "hash":
        known = "md5:" + "0" * 32
    elif fault == "no zip":
        archive.write_text("<html>maintenance</html>")
    elif fault == "half":
        archive.write_bytes(archive.read_bytes()[:2_000])
    elif fault == "other":
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("readme.txt", "hello")
    target = tmp_path / "new" / "emodb"
    with pytest.raises((CorpusError, OSError), match=message):
        fetch.fetch("emodb", target, source=fetch.Source(f"{url}/emodb.zip", known, "wav"))
    assert list(target.parent.iterdir()) == []


def test_fetch_of_what_is_nowhere():
    with pytest.raises(ValueError, match="'folder' cannot be fetched"):
        fetch.fetch("folder")
    with pytest.raises(ValueError, match="unknown corpus 'tess'"):
        fetch.fetch("tess")


# --- the real recordings ---


@real
def test_real_ravdess():
    corpus = corpora.load("ravdess")
    assert len(corpus) == 1_440
    counts = corpus.table()["emotion"].value_counts()
    assert counts.pop("neutral") == 96
    assert set(counts) == {192}
    assert len(corpus.speakers) == 24
    assert set(corpus.table().groupby("session")["speaker"].nunique()) == {4}
    assert len(corpus.sessions) == 6


@real
def test_real_emodb():
    corpus = corpora.load("emodb")
    assert corpus.table()["emotion"].value_counts().to_dict() == {
        "anger": 127,
        "boredom": 81,
        "neutral": 79,
        "happiness": 71,
        "fear": 69,
        "sadness": 62,
        "disgust": 46,
    }
    assert len(corpus.speakers) == 10
    assert len(corpus.sessions) == 5
    assert len({u.sentence for u in corpus.utterances}) == 10
    judgements = emodb.listening_test()
    assert len(judgements) == 816
    kept = [judgements[u.key] for u in corpus.utterances]
    assert min(judgement.recognised for judgement in kept) >= 80


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


@pytest.mark.parametrize(
    ("corpus", "name", "speaker"),
    [
        ("emodb", "16b10Wb", "16"),
        ("ravdess", "03-01-08-02-02-02-24", "24"),
        ("iemocap", "Ses03M_script01_1_FXX1", "03F"),
    ],
)
def test_speaker_of(corpus, name, speaker):
    assert speaker_of(corpus, name) == speaker


@pytest.mark.parametrize(("corpus", "name"), [("builtin", "03a01Fa"), ("emodb", "wav")])
def test_speaker_of_refuses(corpus, name):
    with pytest.raises(ValueError, match=corpus):
        speaker_of(corpus, name)
