"""EMO-DB, the Berlin Database of Emotional Speech: ten actors, ten sentences, seven emotions.

Burkhardt, Paeschke, Rolfes, Sendlmeier and Weiss (2005), *A Database of German Emotional Speech*,
Interspeech, doi 10.21437/Interspeech.2005-446. A file is called speaker (2 digits), sentence
(letter and 2 digits), emotion (letter of the German word), version (letter): ``03a01Fa``.

Two forms are about: the original archive (16 kHz, about 1 to 9 s), and a copy in which every file
is 22,050 Hz and exactly 2 s long, cut or followed by digital silence. Both are read; the
checksums of this library are those of the two-second copy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ser_lib.corpora import scan
from ser_lib.corpora.base import Corpus, CorpusError, Utterance, find_root, speaker_of

NAME = "emodb"
LICENCE = "CC0-1.0 (as published through audb)"
ORIGINAL_RATE = 16_000
COPY_RATE = 22_050
RATES = (ORIGINAL_RATE, COPY_RATE)
"""Sampling rates in Hz of the original archive and of the two-second copy."""

EMOTION_CODES = {
    "W": "anger",  # Wut
    "L": "boredom",  # Langeweile
    "E": "disgust",  # Ekel
    "A": "fear",  # Angst
    "F": "happiness",  # Freude
    "T": "sadness",  # Trauer
    "N": "neutral",
}
SPEAKERS = {
    "03": "male",
    "08": "female",
    "09": "female",
    "10": "male",
    "11": "male",
    "12": "male",
    "13": "female",
    "14": "female",
    "15": "male",
    "16": "female",
}
SENTENCES = {
    "a01": "Der Lappen liegt auf dem Eisschrank.",
    "a02": "Das will sie am Mittwoch abgeben.",
    "a04": "Heute abend könnte ich es ihm sagen.",
    "a05": "Das schwarze Stück Papier befindet sich da oben neben dem Holzstück.",
    "a07": "In sieben Stunden wird es soweit sein.",
    "b01": "Was sind denn das für Tüten, die da unter dem Tisch stehen?",
    "b02": "Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter.",
    "b03": "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht.",
    "b09": "Ich will das eben wegbringen und dann mit Karl was trinken gehen.",
    "b10": "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
}
SESSIONS = {
    speaker: f"speakers {min(pair)} and {max(pair)}"
    for pair in (("03", "08"), ("10", "09"), ("11", "13"), ("12", "14"), ("15", "16"))
    for speaker in pair
}
"""Session of each speaker: EMO-DB has none, so a man and a woman are paired in order of their
numbers, five pairs as in IEMOCAP."""

_KEY = re.compile(r"(\d\d)([a-z]\d\d)([A-Z])([a-z])")
_FOLDERS = re.compile(r"wav")


@dataclass(frozen=True)
class Judgement:
    """What the 20 listeners of the corpus's own test made of one recording."""

    recognised: float
    """Per cent who named the intended emotion."""
    natural: float
    """Per cent who found it natural."""


def refuse(folder: str, key: str) -> str:
    """Say why ``key`` is no name of a recording; the folder does not matter.

    Examples:
        >>> refuse("wav", "03a01Fa")
        ''
        >>> refuse("wav", "04a01Xa")
        "speaker '04' is unknown; emotion letter 'X' is unknown, known: A, E, F, L, N, T, W"
    """
    parts = _KEY.fullmatch(key)
    if not parts:
        return f"name {key!r} is not speaker, sentence, emotion, version as in '03a01Fa'"
    speaker, sentence, emotion, _ = parts.groups()
    reasons = []
    if speaker not in SPEAKERS:
        reasons.append(f"speaker {speaker!r} is unknown")
    if sentence not in SENTENCES:
        reasons.append(f"sentence {sentence!r} is unknown, known: {', '.join(SENTENCES)}")
    if emotion not in EMOTION_CODES:
        known = ", ".join(sorted(EMOTION_CODES))
        reasons.append(f"emotion letter {emotion!r} is unknown, known: {known}")
    return "; ".join(reasons)


def survey(root: Path) -> tuple[scan.Item, ...]:
    """Judge every file below ``root`` by its place and name."""
    return scan.survey(root, _FOLDERS, refuse)


def places() -> dict[str, str]:
    """Path without ending of each of the 535 recordings, by key."""
    return {key: f"wav/{key}" for key in scan.checksums(NAME)}


def load(root: str | Path | None = None, *, partial: bool = False) -> Corpus:
    """Read EMO-DB from ``wav/*.wav`` or ``wav/*.flac`` below ``root``.

    The raw label is the emotion's letter, the sentence its German text.

    Args:
        root: its folder; see :func:`ser_lib.corpora.find_root`.
        partial: accept that recordings are missing.

    Raises:
        CorpusError: anything is missing, unreadable, doubled or unexpected; all of it is listed.
    """
    folder = find_root(NAME, root)
    headers = scan.read_headers(
        NAME, folder, survey(folder), places=places(), rates=RATES, partial=partial
    )
    utterances = [
        Utterance(
            key=key,
            path=path,
            speaker=speaker_of(NAME, key),
            session=SESSIONS[key[:2]],
            sex=SPEAKERS[key[:2]],
            sentence=SENTENCES[key[2:5]],
            raw_label=key[5],
            emotion=EMOTION_CODES[key[5]],
            rate=header.rate,
            duration=header.duration,
        )
        for key, (path, header) in headers.items()
    ]
    return Corpus(NAME, LICENCE, folder, tuple(utterances))


def listening_test(root: str | Path | None = None) -> dict[str, Judgement]:
    """Read the corpus's own listening test (``erkennung.txt``) by key.

    It covers all 816 recordings that were made; the corpus kept 535 of them.

    Raises:
        CorpusError: the file is missing, or one of its lines is not number, name, two percentages.
    """
    path = find_root(NAME, root) / "erkennung.txt"
    if not path.is_file():
        raise CorpusError(f"corpus {NAME!r}: no listening test at {path}")
    judgements: dict[str, Judgement] = {}
    problems = []
    # The file is Latin-1, has decimal commas, and no-break spaces behind its numbers.
    for number, line in enumerate(path.read_text(encoding="latin-1").splitlines()[1:], 2):
        fields = [field.strip() for field in line.split("\t")]
        try:
            _, name, recognised, natural = fields
            judgement = Judgement(_percent(recognised), _percent(natural))
            key = name.removesuffix(".wav")
            if key in judgements or not _KEY.fullmatch(key):
                raise ValueError(name)
            judgements[key] = judgement
        except ValueError:
            problems.append(f"line {number}: {line!r}")
    if problems or not judgements:
        raise CorpusError(
            f"{path}: expected number, file (each once), and two percentages (0,00 to 100,00), "
            f"separated by tabs:",
            problems or ["no line at all"],
        )
    return judgements


def _percent(text: str) -> float:
    value = float(text.replace(",", "."))
    if not 0 <= value <= 100:
        raise ValueError(text)
    return value
