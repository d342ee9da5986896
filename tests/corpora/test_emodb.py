"""EMO-DB: the table, what a name says, the listening test, and the real recordings."""

import pytest

from ser_lib import corpora
from ser_lib.corpora import CorpusError, emodb
from tests.corpora.helpers import noise, real, refused, write


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


def test_emodb_mixture_of_both_forms_is_refused(fake_emodb):
    write(fake_emodb / "wav" / "03a01Fa.wav", noise(100), 16_000)
    (problem,) = refused("emodb", fake_emodb, "sampling rate 16000 Hz, most have 22050 Hz")
    assert problem.startswith("wav/03a01Fa.wav: ")
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
