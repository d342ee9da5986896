"""IEMOCAP, interactive emotional dyadic motion capture: ten actors in five sessions of two.

Busso, Bulut, Lee, Kazemzadeh, Mower, Kim, Chang, Lee and Narayanan (2008), *IEMOCAP: interactive
emotional dyadic motion capture database*, Language Resources and Evaluation 42, 335-359. It is
given out by agreement only, so it is placed by hand, as it comes::

    IEMOCAP_full_release/Session1/dialog/EmoEvaluation/Ses01F_impro01.txt    labels
                                  dialog/transcriptions/Ses01F_impro01.txt   what is said
                                  sentences/wav/Ses01F_impro01/Ses01F_impro01_M003.wav

A name tells the dialogue (``Ses01F_impro01``, its letter says who wore the markers) and the turn
(``M003``, its letter says who talks): the speaker of that recording is ``01M``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ser_lib.corpora import scan
from ser_lib.corpora.base import Corpus, CorpusError, Utterance
from ser_lib.corpora.recording import AudioError, read_header
from ser_lib.corpora.turns import (
    BY_HAND,
    EMOTION_CODES,
    EVALUATION,
    NAME,
    NO_EMOTION,
    Survey,
    Turn,
    find_release,
    read_lines,
    survey,
)

__all__ = [
    "BY_HAND",
    "EMOTION_CODES",
    "EXPECTED",
    "LABELS",
    "LICENCE",
    "NAME",
    "NO_EMOTION",
    "PARTS",
    "RATE",
    "TURNS",
    "Expected",
    "Survey",
    "Turn",
    "count_recordings",
    "find_release",
    "load",
    "miscounted",
    "notes",
    "survey",
]

LICENCE = "by agreement with USC, https://sail.usc.edu/iemocap/"
RATE = 16_000
TURNS = 10_039
"""Labelled turns of the complete corpus."""

_FOUR = {code: EMOTION_CODES[code] for code in ("ang", "hap", "neu", "sad")}
LABELS: Mapping[str, Mapping[str, str]] = {
    "four": _FOUR,
    "four-with-excited": {**_FOUR, "exc": "happiness"},
    "all": EMOTION_CODES,
}
"""Emotion by raw label, for each named choice; turns of other raw labels are left out."""
PARTS = ("improvised", "scripted", "both")


@dataclass(frozen=True)
class Expected:
    """Turns of one part of the complete corpus."""

    part: str
    labels: Mapping[str, int]
    """Turns by raw label."""
    sessions: tuple[int, ...] = ()
    """Turns of these labels in sessions 1 to 5."""


EXPECTED = (
    Expected(
        "improvised",
        {"ang": 289, "hap": 284, "neu": 1_099, "sad": 608},
        (422, 393, 538, 370, 557),
    ),
    Expected(
        "both",
        {"ang": 1_103, "exc": 1_041, "hap": 595, "neu": 1_708, "sad": 1_084},
        (1_085, 1_023, 1_151, 1_031, 1_241),
    ),
    Expected("both", {"dis": 2, "fea": 40, "fru": 1_849, "oth": 3, "sur": 107, "xxx": 2_507}),
)
"""What the label files must hold, whichever part and labels are asked for.

Counted by others who have the corpus: EmoBox's manifest (the five labels of 5,531 turns, and the
improvised ones by session), the fold sizes of emotion2vec's IEMOCAP task (5,531 by session), and
label counts of all 10,039 turns in several public readers.
"""

_SPOKEN = re.compile(r"(\S+)\s+\[[\d.\s-]*\]:\s*(.*)")


def _in(turn: Turn, part: str, labels: Mapping[str, object]) -> bool:
    return part in (turn.part, "both") and turn.raw_label in labels


def _choose(part: str, labels: str) -> Mapping[str, str]:
    if part not in PARTS:
        raise ValueError(f"unknown part {part!r} of {NAME}; known: {', '.join(PARTS)}")
    if labels not in tuple(LABELS):  # of plans, which may hold a list
        raise ValueError(f"unknown labels {labels!r} of {NAME}; known: {', '.join(LABELS)}")
    return LABELS[labels]


def miscounted(turns: Iterable[Turn]) -> tuple[str, ...]:
    """Name each number of turns that is not that of the complete corpus (``EXPECTED``)."""
    turns, problems = tuple(turns), []
    for expected in EXPECTED:
        counted = [turn for turn in turns if _in(turn, expected.part, expected.labels)]
        labels = Counter(turn.raw_label for turn in counted)
        sessions = Counter(turn.session for turn in counted)
        what = "improvised turns" if expected.part == "improvised" else "turns"
        problems += [
            f"Session*/{EVALUATION}: found {labels[label]} {what} labelled {label}, "
            f"expected {number}"
            for label, number in expected.labels.items()
            if labels[label] != number
        ]
        problems += [
            f"Session{session}/{EVALUATION}: found {sessions[session]} {what} labelled "
            f"{', '.join(expected.labels)}, expected {number}"
            for session, number in enumerate(expected.sessions, 1)
            if sessions[session] != number
        ]
    return tuple(problems)


def count_recordings(root: str | Path | None = None) -> int:
    """Count the recordings of single turns; 0 where there is no release."""
    try:
        return len(survey(root).files)
    except CorpusError:
        return 0


def notes(found: Survey) -> tuple[str, ...]:
    """Say what of a copy is used by default, what is left out, and why."""
    chosen = LABELS["four"]
    used = sum(_in(turn, "improvised", chosen) for turn in found.turns)
    improvised = Counter(t.raw_label for t in found.turns if t.part == "improvised")
    rest = [f"{n} {label}" for label, n in sorted(improvised.items()) if label not in chosen]
    never = Counter(t.raw_label for t in found.turns if t.raw_label in NO_EMOTION)
    lines = [
        f"{used} of {len(found.turns)} labelled turns are improvised with one of four emotions",
        f"other improvised turns, not used by default: {', '.join(rest) or 'none'}",
    ]
    lines += [
        f"{never[label]} turns are labelled {label} ({reason}) and never used"
        for label, reason in NO_EMOTION.items()
    ]
    lines += [f"{path}: has no label, so is not used" for path in found.unlabelled]
    lines += ["no checksums are known here: labels, counts, readability and doubles were checked"]
    return tuple(lines)


def load(
    root: str | Path | None = None,
    *,
    part: str = "improvised",
    labels: str = "four",
    partial: bool = False,
) -> Corpus:
    """Read IEMOCAP; the defaults are paper 1's choice, 2,280 turns.

    The session is ``session 1`` to ``session 5``, the sentence the transcript ("" if there is none,
    its first line if there are several).

    Args:
        root: folder of the release or one above it; see :func:`find_release`.
        part: ``improvised``, ``scripted`` or ``both``.
        labels: ``four`` (anger, happiness, neutral, sadness), ``four-with-excited`` (excitement
            counts as happiness) or ``all`` (nine emotions). Turns of other raw labels, always
            those in ``NO_EMOTION``, are left out; ``ser data check iemocap`` counts them.
        partial: accept that labels or recordings are missing.

    Raises:
        ValueError: the part or the label set is not known.
        CorpusError: a chosen recording is missing, unreadable or not 16 kHz mono; any label or
            recording is doubled or unexpected; the label files do not hold the numbers of turns
            in ``EXPECTED``. All of it is listed.
    """
    chosen = _choose(part, labels)
    found = survey(root)
    turns = [turn for turn in found.turns if _in(turn, part, chosen)]
    problems = [*found.doubled, *found.unexpected, *(() if partial else miscounted(found.turns))]
    sentences = _sentences(found.release, {turn.dialogue: turn.session for turn in turns})
    utterances = []
    for turn in turns:
        if turn.key not in found.files:
            if not partial:
                problems.append(f"{turn.place}{scan.ENDINGS[0]} (or {scan.ENDINGS[1]}): missing")
            continue
        path = found.files[turn.key]
        try:
            header = read_header(found.release / path)
        except AudioError as error:
            problems.append(error.below(found.release))
            continue
        if (header.rate, header.channels) != (RATE, 1):
            problems.append(
                f"{path}: sampling rate {header.rate} Hz, {header.channels} channels, "
                f"expected {RATE} Hz, 1 channel"
            )
        utterances.append(
            Utterance(
                key=turn.key,
                path=path,
                speaker=turn.speaker,
                session=f"session {turn.session}",
                sex="female" if turn.speaker.endswith("F") else "male",
                sentence=sentences.get(turn.key, ""),
                raw_label=turn.raw_label,
                emotion=chosen[turn.raw_label],
                rate=header.rate,
                duration=header.duration,
            )
        )
    if problems:
        raise CorpusError(
            f"corpus {NAME!r} at {found.release} is not as published, {len(problems)} problems "
            f"(ser data check {NAME} looks deeper):",
            sorted(problems),
        )
    return Corpus(NAME, LICENCE, found.release, tuple(utterances))


def _sentences(release: Path, dialogues: Mapping[str, int]) -> dict[str, str]:
    sentences: dict[str, str] = {}
    for dialogue, session in dialogues.items():
        path = release / f"Session{session}" / "dialog" / "transcriptions" / f"{dialogue}.txt"
        for line in read_lines(path) if path.is_file() else ():
            if spoken := _SPOKEN.fullmatch(line):  # some lines name no turn: "M: ..."
                sentences.setdefault(spoken[1], spoken[2].strip())
    return sentences
