"""Looking through a corpus's folder: what is there, what should be, and what should not."""

from __future__ import annotations

import csv
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path, PurePosixPath

from ser_lib.corpora.base import CorpusError
from ser_lib.corpora.recording import AudioError, Header, read_header

ENDINGS = (".wav", ".flac")
"""Endings under which the recordings of a published corpus may lie."""

AUDIO_ENDINGS = frozenset(
    (*ENDINGS, ".aac", ".aif", ".aiff", ".au", ".avi", ".caf", ".m4a", ".mkv", ".mov", ".mp3")
) | {".mp4", ".oga", ".ogg", ".opus", ".raw", ".rf64", ".sph", ".w64", ".webm", ".wma"}
"""Endings by which a file out of place is known for a recording (or a film)."""

_CLUTTER = frozenset(("Thumbs.db", "desktop.ini", "__MACOSX"))


@dataclass(frozen=True)
class Checksum:
    """The decoded samples of one recording, as published."""

    sha256: str
    """Of the samples as int16, little endian, channels interleaved: the same for WAV and FLAC."""
    frames: int
    rate: int
    channels: int


@dataclass(frozen=True)
class Item:
    """One file of a corpus's folder."""

    path: str
    """Relative to the root, with forward slashes."""
    key: str
    reason: str = ""
    """Why it cannot be one of the corpus's recordings; empty if it can."""

    @property
    def is_recording(self) -> bool:
        """Whether the file has one of the two endings of a recording."""
        return PurePosixPath(self.path).suffix.lower() in ENDINGS


@cache
def checksums(name: str) -> dict[str, Checksum]:
    """Checksums of corpus ``name`` by key, sorted: the list of what a complete copy holds."""
    source = resources.files("ser_lib.corpora") / "checksums" / f"{name}.csv"
    rows = csv.DictReader(source.read_text(encoding="utf-8").splitlines())
    return {
        row["key"]: Checksum(
            row["sha256"], int(row["frames"]), int(row["rate"]), int(row["channels"])
        )
        for row in rows
    }


def walk(root: Path) -> list[str]:
    """Paths of all files below ``root``, relative to it, sorted.

    Hidden files and folders (``.DS_Store``, ``._x``, ``__MACOSX``) are left out.

    Raises:
        OSError: a folder cannot be listed.
    """

    def refuse(error: OSError) -> None:
        raise error

    paths = []
    for folder, folders, files in os.walk(root, onerror=refuse, followlinks=True):
        folders[:] = [name for name in folders if not hidden(name)]
        paths += [
            (Path(folder) / name).relative_to(root).as_posix() for name in files if not hidden(name)
        ]
    return sorted(paths)


def hidden(name: str) -> bool:
    """Whether a file or folder is hidden, or left behind by the operating system."""
    return name.startswith(".") or name in _CLUTTER


def survey(
    root: Path, folders: re.Pattern[str], refuse: Callable[[str, str], str]
) -> tuple[Item, ...]:
    """Judge every file below ``root`` by its place and its name.

    Args:
        root: the corpus's folder.
        folders: what the folders of recordings are called, relative to the root. Elsewhere, files
            that are not audio (a readme, label files) belong to the corpus and are left out.
        refuse: given folder and key, says why this is not a recording's name, or nothing.
    """
    items = []
    for path in walk(root):
        pure = PurePosixPath(path)
        folder = "" if pure.parent == PurePosixPath(".") else str(pure.parent)
        placed, ending = folders.fullmatch(folder), pure.suffix.lower()
        if not placed and ending not in AUDIO_ENDINGS:
            continue
        reasons = []
        if not placed:
            reasons.append(f"not in one of the folders {folders.pattern}")
        if ending not in ENDINGS:
            reasons.append(f"ending {pure.suffix!r} is not {' or '.join(ENDINGS)}")
        if reason := refuse(folder if placed else "", pure.stem):
            reasons.append(reason)
        items.append(Item(path, pure.stem, "; ".join(reasons)))
    return tuple(items)


def doubles(items: Iterable[Item]) -> dict[str, tuple[str, ...]]:
    """Keys under which several recordings lie, wherever that is, with all their paths."""
    paths: dict[str, list[str]] = defaultdict(list)
    for item in items:
        if item.is_recording:
            paths[item.key].append(item.path)
    return {key: tuple(found) for key, found in paths.items() if len(found) > 1}


def read_headers(
    name: str,
    root: Path,
    items: Collection[Item],
    *,
    places: dict[str, str],
    rates: tuple[int, ...],
    partial: bool,
) -> dict[str, tuple[str, Header]]:
    """Open the headers of a corpus's recordings and refuse a corpus that is not as it should be.

    Args:
        name: the corpus's name.
        root: its folder.
        items: what :func:`survey` found.
        places: for each key of the complete corpus its path without ending.
        rates: sampling rates in Hz that it may have, one for all files.
        partial: do not ask for all keys.

    Returns:
        Path relative to the root, and header, by key.

    Raises:
        CorpusError: anything is missing, doubled, unreadable or unexpected: all of it is listed.
    """
    if not any(item.is_recording for item in items) and not (items and partial):
        raise CorpusError(_nothing(name, root, places))
    headers: dict[str, tuple[str, Header]] = {}
    problems = []
    for item in items:
        if item.reason:
            problems.append(f"{item.path}: {item.reason}")
        elif item.key not in places:
            problems.append(f"{item.path}: not one of the {len(places)} recordings of {name}")
        else:
            try:
                headers[item.key] = (item.path, read_header(root / item.path))
            except AudioError as error:
                problems.append(error.below(root))
    found = Counter(header.rate for _, header in headers.values() if header.rate in rates)
    for path, header in headers.values():
        if header.rate not in rates:
            limit = " or ".join(map(str, rates))
            problems.append(f"{path}: sampling rate {header.rate} Hz, expected {limit} Hz")
        elif header.rate != (usual := found.most_common(1)[0][0]):
            problems.append(f"{path}: sampling rate {header.rate} Hz, most have {usual} Hz")
    problems += [
        f"{path}: key {key} lies at {len(paths)} paths"
        for key, paths in doubles(items).items()
        for path in paths
    ]
    present = {item.key for item in items if item.is_recording}
    if not partial:
        problems += [
            f"{place}{ENDINGS[0]} (or {ENDINGS[1]}): missing"
            for key, place in places.items()
            if key not in present
        ]
    if problems:
        raise CorpusError(
            f"corpus {name!r} at {root} is not as published, {len(problems)} problems "
            f"(ser data check {name} looks deeper):",
            sorted(problems),
        )
    return headers


def _nothing(name: str, root: Path, places: dict[str, str]) -> str:
    example = next(iter(places.values()))
    return (
        f"corpus {name!r}: {root} holds none of its {len(places)} recordings; expected there, "
        f"for example, {example}{ENDINGS[0]}"
    )
