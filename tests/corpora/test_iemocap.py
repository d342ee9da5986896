"""IEMOCAP: the names, the labels, every trap of its tree, and the numbers of the real corpus."""

import json
import os
import shutil
from collections import Counter
from itertools import cycle

import pytest
import soundfile

from ser_lib import corpora, splits
from ser_lib.corpora import CorpusError, iemocap
from tests import fake_iemocap
from tests.commands import ser
from tests.fake_iemocap import label_text, place, turn_line, write_recording

KEYS = sorted(f"{d}_{turn}" for d, labels in fake_iemocap.LABELS.items() for turn in labels)
FOUR = ("ang", "hap", "neu", "sad")
IMPROVISED_FOUR = sorted(
    f"{dialogue}_{turn}"
    for dialogue, labels in fake_iemocap.LABELS.items()
    for turn, label in labels.items()
    if "impro" in dialogue and label in FOUR
)


def expected_of(labels):
    """What a tree of these labels must hold, in the form of ``iemocap.EXPECTED``."""
    found = [(d, label) for d, of in labels.items() for label in of.values()]
    improvised = [(d, x) for d, x in found if "impro" in d and x in FOUR]
    sessions = Counter(int(d[4]) for d, _ in improvised)
    return (
        iemocap.Expected(
            "improvised",
            dict(Counter(x for _, x in improvised)),
            tuple(sessions[n] for n in range(1, 6)),
        ),
        iemocap.Expected("both", dict(Counter(x for _, x in found))),
    )


@pytest.fixture
def release(tmp_path, monkeypatch):
    """The tiny tree, taken for the complete corpus."""
    monkeypatch.setattr(iemocap, "EXPECTED", expected_of(fake_iemocap.LABELS))
    return fake_iemocap.build(tmp_path / "iemocap" / "IEMOCAP_full_release")


def evaluation(release, dialogue):
    return release / f"Session{dialogue[4]}" / "dialog" / "EmoEvaluation" / f"{dialogue}.txt"


def evaluations(release):
    return sorted(release.glob("Session*/dialog/EmoEvaluation/*_impro*.txt"))


def spoken(release, dialogue):
    return release / f"Session{dialogue[4]}" / "dialog" / "transcriptions" / f"{dialogue}.txt"


def refused(release, *parts, **options):
    with pytest.raises(CorpusError) as caught:
        iemocap.load(release, **options)
    for part in (*parts, str(release)):
        assert part in str(caught.value)
    return caught.value.problems


# --- what a name and a label say ---


def test_table(release):
    corpus = corpora.load("iemocap", release)
    assert [u.key for u in corpus.utterances] == IMPROVISED_FOUR
    rows = {u.key: u for u in corpus.utterances}
    row = rows["Ses01F_impro01_M000"]
    assert row.path == "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M000.wav"
    assert (row.speaker, row.sex, row.session) == ("01M", "male", "session 1")
    assert (row.raw_label, row.emotion) == ("neu", "neutral")
    assert row.sentence == "Line M000."
    assert (row.rate, row.duration) == (16_000, 0.02)
    assert corpus.emotions == corpora.PAPER_EMOTIONS
    assert corpus.root == release


def test_speaker_is_who_talks_and_not_who_wore_the_markers(release):
    speakers = {u.key: u.speaker for u in corpora.load("iemocap", release).utterances}
    assert speakers["Ses01F_impro01_F000"] == speakers["Ses01M_impro02_F000"] == "01F"
    assert speakers["Ses01F_impro01_M000"] == speakers["Ses01M_impro02_M001"] == "01M"
    assert len(set(speakers.values())) == 10


def test_five_sessions_of_a_woman_and_a_man_are_what_the_protocol_needs(release):
    corpus = corpora.load("iemocap", release)
    folds = splits.folds(corpus, "sessions")
    assert [fold.name for fold in folds] == [f"session {n}" for n in range(1, 6)]
    for fold in folds:
        sexes = [{corpus.utterances[i].sex for i in part} for part in fold.parts]
        assert sexes == [{"female"}, {"male"}]


@pytest.mark.parametrize(
    ("options", "counts"),
    [
        ({}, {"anger": 3, "happiness": 3, "neutral": 4, "sadness": 3}),
        ({"part": "scripted"}, {"anger": 1, "happiness": 1, "neutral": 1, "sadness": 1}),
        ({"part": "both"}, {"anger": 4, "happiness": 4, "neutral": 5, "sadness": 4}),
        (
            {"part": "both", "labels": "four-with-excited"},
            {"anger": 4, "happiness": 6, "neutral": 5, "sadness": 4},
        ),
        (
            {"part": "both", "labels": "all"},
            {"anger": 4, "disgust": 1, "excitement": 2, "fear": 1, "frustration": 1}
            | {"happiness": 4, "neutral": 5, "sadness": 4, "surprise": 1},
        ),
    ],
)
def test_parts_and_label_sets(release, options, counts):
    corpus = iemocap.load(release, **options)
    assert Counter(u.emotion for u in corpus.utterances) == counts


def test_merging_keeps_the_raw_label(release):
    corpus = iemocap.load(release, labels="four-with-excited")
    row = next(u for u in corpus.utterances if u.key == "Ses01M_impro02_M000")
    assert (row.raw_label, row.emotion) == ("exc", "happiness")


def test_what_is_left_out_is_counted_and_every_raw_label_kept(release):
    notes = corpora.verify("iemocap", release).notes
    rest = "1 dis, 1 exc, 1 fea, 1 fru, 1 sur, 1 xxx"
    assert f"other improvised turns, not used by default: {rest}" in notes
    assert [note.split(" (")[0] for note in notes if note.endswith("never used")] == [
        f"1 turns are labelled {label}" for label in iemocap.NO_EMOTION
    ]
    assert [turn.key for turn in iemocap.survey(release).turns] == KEYS
    for chosen in iemocap.LABELS.values():
        assert not set(chosen) & set(iemocap.NO_EMOTION)


def test_unknown_choices(release):
    with pytest.raises(ValueError, match=r"unknown part 'impro' .* improvised, scripted, both"):
        iemocap.load(release, part="impro")
    with pytest.raises(ValueError, match=r"unknown labels 'five' .* four, four-with-excited, all"):
        iemocap.load(release, labels="five")


# --- where it lies ---


@pytest.mark.parametrize("levels", [0, 1, 2])
def test_root_is_the_release_or_above_it(release, levels):
    root = (release, *release.parents)[levels]
    assert corpora.load("iemocap", root).hash == corpora.load("iemocap", release).hash


def test_root_comes_from_the_environment(release, monkeypatch):
    monkeypatch.setenv("SER_DATA", str(release.parent.parent))
    assert corpora.load("iemocap").root == release


def test_two_copies_are_refused(release):
    shutil.copytree(release, release.with_name("copy"))
    with pytest.raises(CorpusError, match="2 folders with sessions") as caught:
        corpora.load("iemocap", release.parent)
    assert set(caught.value.problems) == {str(release), str(release.with_name("copy"))}


def test_empty_and_missing_folder_say_how_to_get_it(tmp_path):
    with pytest.raises(CorpusError, match=r"holds no IEMOCAP_full_release.*agreement with USC"):
        corpora.load("iemocap", tmp_path)
    with pytest.raises(CorpusError, match=r"no folder .*agreement with USC") as caught:
        corpora.load("iemocap", tmp_path / "nowhere")
    assert "ser data fetch" not in str(caught.value)


# --- traps to step over ---


def test_trap_files_left_behind_by_file_managers(release):
    assert any(path.name.startswith("._") for path in release.rglob("*"))
    assert corpora.verify("iemocap", release).ok


def test_trap_line_ends_and_byte_order_mark(release):
    before = corpora.load("iemocap", release).hash
    for path in (*release.rglob("EmoEvaluation/Ses*.txt"), *release.rglob("transcriptions/Ses*")):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert corpora.load("iemocap", release).hash == before


def test_trap_byte_order_mark_before_the_first_turn(release):
    path = evaluation(release, "Ses03M_impro08b")
    text = label_text("Ses03M_impro08b", fake_iemocap.LABELS["Ses03M_impro08b"])
    path.write_bytes(b"\xef\xbb\xbf" + text[text.index("[0.0") :].encode())
    assert len(corpora.load("iemocap", release)) == len(IMPROVISED_FOUR)


def test_trap_bytes_that_are_not_utf_8(release):
    path = evaluation(release, "Ses01F_impro01")
    path.write_bytes(path.read_bytes().replace(b"(a little", b"(caf\xe9\x85 a little"))
    path = spoken(release, "Ses01F_impro01")
    path.write_bytes(path.read_bytes().replace(b"Line F000.", b"Well\x85 it\x92s a caf\xe9."))
    rows = {u.key: u.sentence for u in corpora.load("iemocap", release).utterances}
    assert rows["Ses01F_impro01_F000"] == "Well\x85 it\x92s a caf\xe9."
    assert rows["Ses01F_impro01_M000"] == "Line M000."


def test_trap_no_transcripts(release):
    for folder in release.glob("Session*/dialog/transcriptions"):
        shutil.rmtree(folder)
    assert {u.sentence for u in corpora.load("iemocap", release).utterances} == {""}


def test_trap_recording_without_a_label_is_named_and_never_used(release):
    for turn in ("FXX0", "M009"):
        write_recording(release / place(f"Ses01F_impro01_{turn}"), 99 + len(turn) * ord(turn[1]))
    assert len(corpora.load("iemocap", release)) == len(IMPROVISED_FOUR)
    assert iemocap.survey(release).unlabelled == (
        place("Ses01F_impro01_FXX0"),
        place("Ses01F_impro01_M009"),
    )
    report = corpora.verify("iemocap", release)
    assert report.ok
    assert f"{place('Ses01F_impro01_FXX0')}: has no label, so is not used" in report.notes


# --- faults to refuse ---


def test_missing_recording(release):
    path = place("Ses01F_impro01_M000")
    (release / path).unlink()
    (problem,) = refused(release)
    assert problem == f"{path} (or .flac): missing"
    assert corpora.verify("iemocap", release).missing == (path.removesuffix(".wav"),)
    assert len(corpora.load("iemocap", release, partial=True)) == len(IMPROVISED_FOUR) - 1


def test_recording_not_chosen_may_be_missing_from_load_but_not_from_check(release):
    (release / place("Ses01F_script01_1_F000")).unlink()
    assert len(corpora.load("iemocap", release)) == len(IMPROVISED_FOUR)
    assert not corpora.verify("iemocap", release).ok


@pytest.mark.parametrize(("rate", "channels"), [(22_050, 1), (16_000, 2)])
def test_other_rate_or_stereo(release, rate, channels):
    path = place("Ses01F_impro01_M000")
    write_recording(release / path, 7, rate=rate, channels=channels)
    for partial in (False, True):
        (problem,) = refused(release, partial=partial)
        assert problem.startswith(f"{path}: sampling rate {rate} Hz, {channels} channels, expected")
    (damaged,) = corpora.verify("iemocap", release).damaged
    assert damaged.startswith(f"{path}: {rate} Hz, {channels} channels, expected 16000 Hz")


def test_truncated_recording(release):
    path = place("Ses01F_impro01_M000")
    (release / path).write_bytes((release / path).read_bytes()[:-100])
    (problem,) = refused(release)
    assert problem.startswith(f"{path}: truncated")
    assert corpora.verify("iemocap", release).damaged[0].startswith(f"{path}: truncated")


def test_turn_labelled_twice(release):
    path = evaluation(release, "Ses01F_impro01")
    path.write_text(path.read_text() + turn_line("Ses01F_impro01_F000", "neu") + "\n")
    (problem,) = refused(release, partial=True)
    name = "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
    assert problem.startswith(f"{name}: line 3, {name}: line ")
    assert problem.endswith("key Ses01F_impro01_F000 is labelled 2 times")
    assert corpora.verify("iemocap", release).doubled == (problem,)


def test_recording_at_two_paths(release):
    key = "Ses01F_impro01_F000"
    path = release / place(key)
    soundfile.write(path.with_suffix(".flac"), soundfile.read(path, dtype="int16")[0], 16_000)
    (problem,) = refused(release)
    assert problem.endswith(f"key {key} lies at 2 paths")


def test_recording_in_the_wrong_dialogue(release):
    wrong = place("Ses01F_impro01_F000").replace("wav/Ses01F_impro01", "wav/Ses01M_impro02")
    (release / place("Ses01F_impro01_F000")).rename(release / wrong)
    problem = refused(release)[0]
    assert problem.startswith(f"{wrong}: belongs at Session1/sentences/wav/Ses01F_impro01/")


def test_identical_samples_are_seen_by_check(release):
    first, second = (release / place(f"Ses01F_impro01_{turn}") for turn in ("F000", "M000"))
    shutil.copy(first, second)
    (doubled,) = corpora.verify("iemocap", release).doubled
    assert doubled.endswith("identical samples")
    assert second.name in doubled


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Ses01F_impro01_F000 copy.wav", "no turn's name"),
        ("Ses01F_impro01_X000.wav", "no turn's name"),
        ("Ses06F_impro01_F000.wav", "no turn's name"),
        ("Ses01F_impro01_F005.mp3", "ending '.mp3' is not .wav or .flac"),
        ("Ses02F_impro05a_F007.wav", "belongs at Session2/sentences/wav/Ses02F_impro05a"),
    ],
)
def test_recording_with_a_foreign_name(release, name, reason):
    path = "Session1/sentences/wav/Ses01F_impro01/"
    (release / path / name).write_bytes(b"x")
    assert any(problem.startswith(f"{path}{name}: ") for problem in refused(release, reason))


def test_dialogue_whose_labels_are_missing(release):
    evaluation(release, "Ses02F_impro05a").unlink()
    problems = refused(release, partial=True)
    assert len(problems) == 2
    assert "its dialogue has no labels in dialog/EmoEvaluation" in problems[0]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (turn_line("Ses01F_impro01_F009", "joy"), "label 'joy' is unknown, known: ang, dis"),
        (turn_line("Ses01F_impro01_F009", "NEU"), "label 'NEU' is unknown"),
        (turn_line("Ses01F_impro02_F009", "neu"), "in the labels of Session1, Ses01F_impro01"),
        (turn_line("Ses01F_impro01_F9", "neu"), "'Ses01F_impro01_F9' is no turn's name"),
        ("[6.2901 - 8.2357]\tSes01F_impro01_F009", "is not [start - end], turn, label,"),
        ("  [6.29.01 - 8.23]\tSes01F_impro01_F009\tneu\t[2, 2, 2]", "is not [start - end]"),
    ],
)
def test_line_that_cannot_be_a_label(release, line, reason):
    path = evaluation(release, "Ses01F_impro01")
    path.write_text(path.read_text() + line + "\n")
    (problem,) = refused(release, reason, partial=True)
    assert problem.startswith("Session1/dialog/EmoEvaluation/Ses01F_impro01.txt: line ")
    assert corpora.verify("iemocap", release).unexpected == (problem,)


def test_label_file_of_another_session_and_without_a_turn(release):
    path = evaluation(release, "Ses02F_impro05a")
    text = path.read_text()
    path.write_text(text, encoding="utf-16")
    assert any(p.endswith("txt: labels no turn") for p in refused(release, partial=True))
    path.write_text(text)
    other = release / "Session1" / "dialog" / "EmoEvaluation" / path.name
    path.rename(other)
    refused(release, "turn Ses02F_impro05a_F000 in the labels of Session1")


# --- the numbers ---


def test_numbers_that_do_not_fit_are_named_with_what_was_expected(release):
    path = evaluation(release, "Ses04F_impro03")
    path.write_text(path.read_text().replace("\tsad\t", "\txxx\t"))
    where = "dialog/EmoEvaluation"
    problems = refused(release)
    assert problems == (
        f"Session*/{where}: found 2 improvised turns labelled sad, expected 3",
        f"Session*/{where}: found 2 turns labelled xxx, expected 1",
        f"Session*/{where}: found 3 turns labelled sad, expected 4",
        f"Session4/{where}: found 1 improvised turns labelled neu, hap, sad, ang, expected 2",
    )
    assert set(corpora.verify("iemocap", release).unexpected) == set(problems)
    assert len(corpora.load("iemocap", release, partial=True)) == len(IMPROVISED_FOUR) - 1


def test_one_session_alone_is_taken_only_as_a_part(release):
    for number in (1, 2, 4, 5):
        shutil.rmtree(release / f"Session{number}")
    refused(release, "expected")
    assert len(corpora.load("iemocap", release.parent, partial=True)) == 2


def test_expected_numbers_agree_with_each_other_and_with_the_paper():
    improvised, merged, rest = iemocap.EXPECTED
    assert sum(improvised.labels.values()) == sum(improvised.sessions) == 2_280
    assert sum(merged.labels.values()) == sum(merged.sessions) == 5_531
    assert 5_531 - merged.labels["exc"] == 4_490
    assert 5_531 + sum(rest.labels.values()) == iemocap.TURNS
    assert {*merged.labels, *rest.labels} == {*iemocap.EMOTION_CODES, *iemocap.NO_EMOTION}


def allocate(labels, sessions):
    """Some table of labels by session with these sums, as (session, label)."""
    supply = [label for label, number in labels.items() for _ in range(number)]
    places = [session for session, number in enumerate(sessions, 1) for _ in range(number)]
    return list(zip(places, supply, strict=True))


def true_size():
    """Labels of a tree with all the numbers of the real corpus."""
    improvised, merged, rest = iemocap.EXPECTED
    scripted = {
        label: number - improvised.labels.get(label, 0) for label, number in merged.labels.items()
    }
    sessions = [a - b for a, b in zip(merged.sessions, improvised.sessions, strict=True)]
    others = list(zip(cycle(range(1, 6)), Counter(rest.labels).elements()))
    labels: dict[str, dict[str, str]] = {}
    for script, turns_of in (
        ("impro01", allocate(improvised.labels, improvised.sessions)),
        ("script01_1", allocate(scripted, sessions)),
        ("script02_2", others),
    ):
        for number, (session, label) in enumerate(turns_of):
            dialogue = f"Ses0{session}{'FM'[number % 2]}_{script}"
            # Four letters for parts of a dialogue, as no dialogue may have over 1,000 turns.
            dialogue += "abcd"[number // 2 % 4]
            turns_ = labels.setdefault(dialogue, {})
            turns_[f"{'FM'[number // 8 % 2]}{len(turns_):03d}"] = label
    return labels


@pytest.fixture(scope="module")
def true_release(tmp_path_factory):
    """A tree with all the numbers of the real corpus; its recordings are one and the same."""
    data = tmp_path_factory.mktemp("data")
    write_recording(data / "one.wav", 0)
    for dialogue, of in true_size().items():
        path = evaluation(data / "iemocap", dialogue)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(label_text(dialogue, of))
        for turn in of:
            recording = data / "iemocap" / place(f"{dialogue}_{turn}")
            recording.parent.mkdir(parents=True, exist_ok=True)
            os.link(data / "one.wav", recording)
    return data / "iemocap"


def test_tree_with_the_numbers_of_the_real_corpus(true_release):
    table = corpora.load("iemocap", true_release).table()
    assert table["emotion"].value_counts().to_dict() == {
        "neutral": 1_099,
        "sadness": 608,
        "anger": 289,
        "happiness": 284,
    }
    assert table["session"].value_counts(sort=False).to_list() == [422, 393, 538, 370, 557]
    counts = Counter(u.emotion for u in iemocap.load(true_release, part="both").utterances)
    assert counts == {"neutral": 1_708, "anger": 1_103, "sadness": 1_084, "happiness": 595}
    found = iemocap.survey(true_release)
    assert (len(found.turns), len(found.files)) == (iemocap.TURNS, iemocap.TURNS)
    left = Counter(turn.raw_label for turn in found.turns if turn.raw_label in iemocap.NO_EMOTION)
    assert left == {"oth": 3, "xxx": 2_507}


def test_the_committed_plan_takes_the_real_numbers_and_no_others(
    true_release, tmp_path, monkeypatch
):
    monkeypatch.setenv("SER_DATA", str(true_release.parent))
    runs = json.loads(ser("study", "plan", "iemocap", "--json").stdout)["runs"]
    conditions = {(r["input"], r["model"], r["objective"], r["lambda1"]) for r in runs}
    assert (len(runs), len(conditions)) == (225, 15)
    assert {run["corpus_hash"] for run in runs} == {corpora.load("iemocap", true_release).hash}
    # One listener's vote more, and an angry turn is a frustrated one.
    path = next(p for p in evaluations(true_release) if "\tang\t" in p.read_text())
    text = path.read_text()
    path.write_text(text.replace("\tang\t", "\tfru\t", 1))
    try:
        refused = ser("study", "tables", "iemocap", "--run", "--runs", tmp_path, status=2)
    finally:
        path.write_text(text)
    assert "found 288 improvised turns labelled ang, expected 289" in refused.stderr
    assert f"{path.parents[2].name}/dialog/EmoEvaluation: found " in refused.stderr
    assert not list(tmp_path.iterdir())


# --- the command line ---


def test_check_command(release):
    result = ser("data", "check", "iemocap", "--root", release.parent)
    assert result.stdout.startswith(f"iemocap at {release}: nothing wrong found, {len(KEYS)} files")
    assert f"  note: {len(IMPROVISED_FOUR)} of {len(KEYS)} labelled turns are" in result.stdout
    assert "  note: 1 turns are labelled xxx (the listeners did not agree)" in result.stdout
    (release / place("Ses01F_impro01_M000")).unlink()
    result = ser("data", "check", "iemocap", "--root", release, "--json", status=1)
    (report,) = json.loads(result.stdout)["corpora"]
    assert report["counts"]["missing"] == 1


def test_list_command(release, monkeypatch):
    monkeypatch.setenv("SER_DATA", str(release.parent.parent))
    rows = json.loads(ser("data", "list", "--json").stdout)["corpora"]
    row = next(row for row in rows if row["name"] == "iemocap")
    assert (row["present"], row["files"], row["expected"]) == (True, len(KEYS), 10_039)
    assert "USC" in row["licence"]
    shutil.rmtree(release)
    assert "0 of 10039 files" in ser("data", "list").stdout


def test_fetch_and_check_without_a_copy_say_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("SER_DATA", str(tmp_path))
    for command in ("fetch", "check"):
        result = ser("data", command, "iemocap", status=2)
        assert result.stdout == ""
        assert "agreement with USC (https://sail.usc.edu/iemocap/)" in result.stderr
        assert "by hand" in result.stderr
        assert "Traceback" not in result.stderr
