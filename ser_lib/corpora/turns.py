"""The labelled turns and the recordings of IEMOCAP, before any is chosen or opened."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ser_lib.corpora import scan
from ser_lib.corpora.base import CorpusError, find_root, speaker_of

NAME = "iemocap"
BY_HAND = (
    "IEMOCAP is given out by agreement with USC (https://sail.usc.edu/iemocap/): ask there, then "
    "put its folder IEMOCAP_full_release into $SER_DATA/iemocap by hand"
)

EMOTION_CODES = {
    "ang": "anger",
    "dis": "disgust",
    "exc": "excitement",
    "fea": "fear",
    "fru": "frustration",
    "hap": "happiness",
    "neu": "neutral",
    "sad": "sadness",
    "sur": "surprise",
}
NO_EMOTION = {"oth": "an emotion without a name", "xxx": "the listeners did not agree"}
"""Raw labels that name no emotion: no label set takes them."""

EVALUATION = "dialog/EmoEvaluation"
"""Where the labels of a session are."""

_KEY = re.compile(
    r"Ses0[1-5][FM]_(?:impro\d\d[a-z]?|script\d\d_\d[a-z]?)_[FM](?:\d{3}|XX\d)", re.ASCII
)
_TIME = r"-?\d+(?:\.\d+)?"
_LABELLED = re.compile(rf"\[{_TIME}\s*-\s*{_TIME}\]\s+(\S+)\s+(\S+)\s+\[[^\]]*\]", re.ASCII)


@dataclass(frozen=True)
class Turn:
    """One labelled turn of a dialogue, whatever its label."""

    key: str
    raw_label: str

    @property
    def dialogue(self) -> str:
        """Name without the turn, such as ``Ses01F_impro01``."""
        return self.key.rsplit("_", 1)[0]

    @property
    def session(self) -> int:
        """Number of the session, 1 to 5."""
        return int(self.key[4])

    @property
    def part(self) -> str:
        """``improvised`` or ``scripted``."""
        return "improvised" if "_impro" in self.key else "scripted"

    @property
    def speaker(self) -> str:
        """Session and sex of who talks in this turn.

        Examples:
            >>> Turn("Ses01F_impro01_M003", "neu").speaker
            '01M'
        """
        return speaker_of(NAME, self.key)

    @property
    def place(self) -> str:
        """Path of the recording without ending, relative to the release."""
        return f"Session{self.session}/sentences/wav/{self.dialogue}/{self.key}"


@dataclass(frozen=True)
class Survey:
    """All labels and recordings of a copy; each entry of the lists begins with a path."""

    release: Path
    turns: tuple[Turn, ...]
    """Sorted by key."""
    files: Mapping[str, str]
    """Path of each recording, relative to the release, by key."""
    doubled: tuple[str, ...]
    unexpected: tuple[str, ...]
    """Labels and recordings that cannot be what they say."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Places of labelled turns without a recording."""
        return tuple(turn.place for turn in self.turns if turn.key not in self.files)

    @property
    def unlabelled(self) -> tuple[str, ...]:
        """Recordings of labelled dialogues that have no label themselves; never used."""
        labelled = {turn.key for turn in self.turns}
        return tuple(path for key, path in sorted(self.files.items()) if key not in labelled)


def find_release(root: str | Path | None = None) -> Path:
    """Folder that holds ``Session1`` to ``Session5``: the root, or up to two levels below it.

    Raises:
        CorpusError: there is none, or more than one.
    """
    place = find_root(NAME, root, advice=BY_HAND)
    level, found = [place], []
    for _ in range(3):
        hits = [folder for folder in level if any(folder.glob(f"Session[1-5]/{EVALUATION}"))]
        found += hits
        level = [
            below
            for folder in level
            if folder not in hits
            for below in sorted(folder.iterdir())
            if below.is_dir() and not scan.hidden(below.name)
        ]
    if not found:
        raise CorpusError(
            f"corpus {NAME!r}: {place} holds no IEMOCAP_full_release/Session1/{EVALUATION}; "
            f"{BY_HAND}"
        )
    if len(found) > 1:
        raise CorpusError(
            f"corpus {NAME!r}: {place} holds {len(found)} folders with sessions, expected one:",
            map(str, found),
        )
    return found[0]


def survey(root: str | Path | None = None) -> Survey:
    """Read all label files and list all recordings; none is opened.

    Raises:
        CorpusError: there is no release, see :func:`find_release`.
    """
    release = find_release(root)
    turns: dict[str, Turn] = {}
    lines: dict[str, list[str]] = defaultdict(list)
    dialogues, problems = set(), []
    for path in sorted(release.glob(f"Session[1-5]/{EVALUATION}/Ses*.txt")):
        dialogues.add(path.stem)
        place = path.relative_to(release).as_posix()
        # Not the heading, the single listeners' answers and the empty lines.
        labelled = [(n, x) for n, x in enumerate(read_lines(path), 1) if x.startswith("[")]
        if not labelled:
            problems.append(f"{place}: labels no turn")
        for number, line in labelled:
            if reason := _refuse_label(line, path):
                problems.append(f"{place}: line {number}: {reason}")
            elif parts := _LABELLED.fullmatch(line):
                turn = Turn(*parts.groups())
                turns.setdefault(turn.key, turn)
                lines[turn.key].append(f"{place}: line {number}")
    doubled = [
        f"{', '.join(found)}: key {key} is labelled {len(found)} times"
        for key, found in lines.items()
        if len(found) > 1
    ]
    paths: dict[str, list[str]] = defaultdict(list)
    for path in sorted(release.glob("Session[1-5]/sentences/wav")):
        for name in scan.walk(path):
            pure = PurePosixPath(name)
            if pure.suffix.lower() not in scan.AUDIO_ENDINGS:
                continue
            place = (path / name).relative_to(release).as_posix()
            if reason := _refuse_recording(place, dialogues):
                problems.append(f"{place}: {reason}")
            paths[pure.stem].append(place)
    doubled += [
        f"{', '.join(found)}: key {key} lies at {len(found)} paths"
        for key, found in paths.items()
        if len(found) > 1
    ]
    return Survey(
        release,
        tuple(turns[key] for key in sorted(turns)),
        {key: found[0] for key, found in paths.items()},
        tuple(sorted(doubled)),
        tuple(sorted(problems)),
    )


def read_lines(path: Path) -> list[str]:
    """Read the lines of a text file in whatever encoding, with whatever line ends."""
    # The texts are in no one encoding: Latin-1 reads every byte. Not splitlines(), for which
    # byte 85 (the ellipsis of Windows) would end a line.
    text = path.read_bytes().removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    return [line.strip(" \t") for line in re.split(r"\r?\n|\r", text)]


def _refuse_label(line: str, path: Path) -> str:
    parts = _LABELLED.fullmatch(line)
    if not parts:
        return f"{line!r} is not [start - end], turn, label, [valence, activation, dominance]"
    key, label = parts.groups()
    if not _KEY.fullmatch(key):
        return f"{key!r} is no turn's name as 'Ses01F_impro01_F000'"
    if key.rsplit("_", 1)[0] != path.stem or f"Session{key[4]}" != path.parents[2].name:
        return f"turn {key} in the labels of {path.parents[2].name}, {path.stem}"
    if label not in EMOTION_CODES and label not in NO_EMOTION:
        return f"label {label!r} is unknown, known: {', '.join((*EMOTION_CODES, *NO_EMOTION))}"
    return ""


def _refuse_recording(place: str, dialogues: set[str]) -> str:
    pure = PurePosixPath(place)
    if not _KEY.fullmatch(pure.stem):
        return f"name {pure.stem!r} is no turn's name as 'Ses01F_impro01_F000'"
    if pure.suffix.lower() not in scan.ENDINGS:
        return f"ending {pure.suffix!r} is not {' or '.join(scan.ENDINGS)}"
    turn = Turn(pure.stem, "")
    if place.removesuffix(pure.suffix) != turn.place:
        return f"belongs at {turn.place}"
    return "" if turn.dialogue in dialogues else f"its dialogue has no labels in {EVALUATION}"
