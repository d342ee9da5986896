"""The package of corpora: names, roots, and who speaks."""

import sys

import pytest

from ser_lib import corpora
from ser_lib.corpora.base import speaker_of


def test_unknown_name():
    with pytest.raises(ValueError, match="unknown corpus 'tess'; known: builtin, emodb"):
        corpora.load("tess")


def test_root_comes_from_the_environment(fake_emodb, monkeypatch):
    monkeypatch.setenv("SER_DATA", str(fake_emodb.parent))
    assert corpora.load("emodb").root == fake_emodb


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


def test_nothing_audio_is_imported_with_the_table_of_utterances():
    import subprocess

    code = (
        "import sys, ser_lib.corpora; "
        "sys.exit(bool({'soundfile', 'soxr', 'librosa'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
