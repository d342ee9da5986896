"""RAVDESS, speech audio: 24 North American actors, two sentences, eight emotions.

Livingstone and Russo (2018), *The Ryerson Audio-Visual Database of Emotional Speech and Song*,
PLoS ONE 13(5), e0196391; Zenodo record 1188976. A file is called
``modality-channel-emotion-intensity-statement-repetition-actor``, each two digits.
"""

from __future__ import annotations

import re
from pathlib import Path

from ser_lib.corpora import scan
from ser_lib.corpora.base import Corpus, Utterance, find_root, speaker_of

NAME = "ravdess"
LICENCE = "CC BY-NC-SA 4.0"
RATES = (48_000,)
"""Sampling rate in Hz of the published files."""

EMOTION_CODES = {
    "01": "neutral",
    "02": "calm",
    "03": "happiness",
    "04": "sadness",
    "05": "anger",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}
STATEMENTS = {"01": "Kids are talking by the door", "02": "Dogs are sitting by the door"}
ACTORS = tuple(f"{number:02d}" for number in range(1, 25))

KNOWN_PAIR = ("03-01-03-01-02-01-07", "03-01-03-01-02-02-07")
"""Two takes of actor 07 that are byte-identical in the published archive."""

_KEY = re.compile(r"\d\d(?:-\d\d){6}")
_FOLDERS = re.compile(r"Actor_\d\d")
_MODALITIES = {"01": "audio and video", "02": "video only"}


def refuse(folder: str, key: str) -> str:
    """Say why ``key`` (in a folder ``Actor_XX``, if not empty) is no name of a recording.

    Examples:
        >>> refuse("Actor_01", "03-01-05-02-01-01-01")
        ''
        >>> refuse("Actor_02", "03-02-05-02-01-01-01")
        'channel 02 is song, expected 01 (speech); actor 01 in the folder Actor_02'
    """
    if not _KEY.fullmatch(key):
        return f"name {key!r} is not seven two-digit numbers joined by hyphens"
    modality, channel, emotion, intensity, statement, repetition, actor = key.split("-")
    reasons = []
    if modality != "03":
        reasons.append(
            f"modality {modality} is {_MODALITIES.get(modality, 'unknown')}, expected 03 (audio)"
        )
    if channel != "01":
        kind = "song" if channel == "02" else "unknown"
        reasons.append(f"channel {channel} is {kind}, expected 01 (speech)")
    if emotion not in EMOTION_CODES:
        reasons.append(f"emotion code {emotion} is unknown, expected 01 to 08")
    if intensity not in ("01", "02"):
        reasons.append(f"intensity {intensity} is unknown, expected 01 or 02")
    elif emotion == "01" and intensity != "01":
        reasons.append("neutral has intensity 01 only, not 02")
    if statement not in STATEMENTS:
        reasons.append(f"statement {statement} is unknown, expected 01 or 02")
    if repetition not in ("01", "02"):
        reasons.append(f"repetition {repetition} is unknown, expected 01 or 02")
    if actor not in ACTORS:
        reasons.append(f"actor {actor} is unknown, expected 01 to 24")
    if folder and folder != f"Actor_{actor}":
        reasons.append(f"actor {actor} in the folder {folder}")
    return "; ".join(reasons)


def survey(root: Path) -> tuple[scan.Item, ...]:
    """Judge every file below ``root`` by its place and name."""
    return scan.survey(root, _FOLDERS, refuse)


def places() -> dict[str, str]:
    """Path without ending of each of the 1,440 recordings, by key."""
    return {key: f"Actor_{key[-2:]}/{key}" for key in scan.checksums(NAME)}


def session(actor: str) -> str:
    """Group of four consecutive actors (two women, two men) that is held out together.

    Examples:
        >>> session("07")
        'actors 05-08'
    """
    first = (int(actor) - 1) // 4 * 4 + 1
    return f"actors {first:02d}-{first + 3:02d}"


def load(root: str | Path | None = None, *, partial: bool = False) -> Corpus:
    """Read RAVDESS from ``Actor_XX/*.wav`` or ``*.flac`` below ``root``.

    The raw label is the emotion's code, the speaker the actor's number, the sentence what is said.
    Odd actors are men, even ones women.

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
    utterances = []
    for key, (path, header) in headers.items():
        _, _, emotion, _, statement, _, actor = key.split("-")
        utterances.append(
            Utterance(
                key=key,
                path=path,
                speaker=speaker_of(NAME, key),
                session=session(actor),
                sex="male" if int(actor) % 2 else "female",
                sentence=STATEMENTS[statement],
                raw_label=emotion,
                emotion=EMOTION_CODES[emotion],
                rate=header.rate,
                duration=header.duration,
            )
        )
    return Corpus(NAME, LICENCE, folder, tuple(utterances))
