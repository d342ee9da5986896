"""Anybody's own folder: its table, and every way in which it can be broken."""

import pytest

from ser_lib import corpora
from tests.corpora.helpers import noise, refused, write


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
            ("speaker 'x' has more than one session: 1, 2",),
        ),
        (
            "path,emotion,speaker,sex\na/1.wav,anger,x,female\nb/1.ogg,anger,x,\n",
            ("speaker 'x' has more than one sex: female, unknown",),
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
