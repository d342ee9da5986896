"""RAVDESS: the table, what a name says, and the real recordings."""

import pytest

from ser_lib import corpora
from ser_lib.corpora import ravdess
from tests.corpora.helpers import RAVDESS_KEYS, noise, real, refused, write


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


def test_trap_neutral_has_one_intensity(fake_ravdess):
    write(fake_ravdess / "Actor_02" / "03-01-01-02-01-01-02.wav", noise(9), 48_000)
    refused("ravdess", fake_ravdess, "neutral has intensity 01 only")


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
