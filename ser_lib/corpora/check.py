"""Telling a complete and true copy of a corpus from a damaged, doubled or mixed one.

What is compared are decoded samples, so a copy in FLAC and one in WAV are equally true.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from tqdm import tqdm

from ser_lib.corpora import emodb, folder, iemocap, module, ravdess, scan
from ser_lib.corpora.base import Corpus, CorpusError, find_root
from ser_lib.corpora.recording import AudioError, decode
from ser_lib.corpora.scan import Checksum, Item
from ser_lib.files import atomic_write

PUBLISHED = {"emodb": emodb, "ravdess": ravdess}
"""Corpora of which the library knows the complete list of recordings."""

Sums = Mapping[str, Checksum | AudioError]


@dataclass(frozen=True)
class Report:
    """What a copy of a corpus holds; each entry of the lists begins with a path."""

    name: str
    root: str
    files: int
    """Recordings found."""
    expected: int
    """Recordings of the complete corpus."""
    missing: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    """Unreadable, truncated, or other samples than published."""
    doubled: tuple[str, ...] = ()
    """One recording at several paths."""
    unexpected: tuple[str, ...] = ()
    """Renamed, misplaced or foreign."""
    notes: tuple[str, ...] = ()
    """Worth knowing, nothing wrong."""
    compared: bool = False
    """Whether the samples were compared with published ones."""

    @property
    def ok(self) -> bool:
        """Whether nothing wrong was found."""
        return not (self.missing or self.damaged or self.doubled or self.unexpected)

    @property
    def verdict(self) -> str:
        """The outcome in words."""
        if not self.ok:
            return "NOT as published" if self.name in PUBLISHED else "NOT usable"
        return "complete and true" if self.compared else "nothing wrong found"

    @property
    def counts(self) -> dict[str, int]:
        """Number of recordings found and expected, and of each kind of problem."""
        return {
            "files": self.files,
            "expected": self.expected,
            "missing": len(self.missing),
            "damaged": len(self.damaged),
            "doubled": len(self.doubled),
            "unexpected": len(self.unexpected),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain types, ready for JSON."""
        return {**asdict(self), "ok": self.ok, "counts": self.counts}


def checksum(path: str | Path) -> Checksum:
    """Checksum of a recording's samples as int16, little endian, channels interleaved.

    Raises:
        AudioError: the recording cannot be decoded.
    """
    samples, header = decode(path, "int16")
    digest = hashlib.sha256(samples.astype("<i2", order="C", copy=False).tobytes()).hexdigest()
    return Checksum(digest, len(samples), header.rate, header.channels)


def checksum_all(root: Path, paths: Iterable[str], *, name: str) -> Sums:
    """Checksum, or what is wrong, for each path below ``root``; decoded in parallel."""

    def one(path: str) -> Checksum | AudioError:
        try:
            return checksum(root / path)
        except AudioError as error:
            return error

    paths = list(paths)
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        done = tqdm(pool.map(one, paths), f"decode {name}", len(paths), disable=None, unit="file")
        return dict(zip(paths, done, strict=True))


def write_checksums(name: str, root: str | Path, target: Path) -> None:
    """Write the checksums of a copy that is known to be complete and true.

    This made ``ser_lib/corpora/checksums/<name>.csv``; it needs to be run again only when a
    corpus is published anew.

    Raises:
        AudioError: a recording cannot be decoded.
    """
    items = [item for item in PUBLISHED[name].survey(Path(root)) if not item.reason]
    sums = checksum_all(Path(root), (item.path for item in items), name=name)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("key", "sha256", "frames", "rate", "channels"))
    for item in sorted(items, key=lambda item: item.key):
        found = sums[item.path]
        if isinstance(found, AudioError):
            raise found
        writer.writerow((item.key, found.sha256, found.frames, found.rate, found.channels))
    with atomic_write(target) as file:
        file.write(text.getvalue().encode())


def require(name: str, root: str | Path | None = None) -> None:
    """Refuse a corpus that is not there at all, before any work is done.

    Raises:
        ValueError: the name is not known.
        CorpusError: the folder does not exist.
    """
    reader = module(name)
    if name in PUBLISHED:
        find_root(reader.NAME, root)
    elif name == iemocap.NAME:
        iemocap.find_release(root)
    elif name == folder.NAME:
        folder.find_csv(root)


def verify(name: str, root: str | Path | None = None) -> Report:
    """Decode every recording of a corpus and compare it with what was published.

    Args:
        name: a corpus's name; ``builtin`` and ``folder`` have no published samples, so they are
            only checked to be readable and free of doubles, ``iemocap`` also for its labels.
        root: its folder; see :func:`ser_lib.corpora.find_root`.

    Raises:
        ValueError: the name is not known.
        CorpusError: the folder does not exist.
    """
    if name in PUBLISHED:
        place = find_root(name, root)
        return _verify_published(name, place)
    if name == iemocap.NAME:
        return _verify_iemocap(root)
    reader = module(name)
    try:
        corpus: Corpus = reader.load(root)
    except CorpusError as error:
        if not error.problems:
            raise
        listed = name == folder.NAME
        return Report(
            name,
            str(root or ""),
            0,
            0,
            damaged=() if listed else error.problems,
            unexpected=error.problems if listed else (),
            notes=(str(error).partition("\n")[0],),
        )
    return _verify_listed(corpus, root)


def _verify_listed(corpus: Corpus, root: str | Path | None) -> Report:
    sums = checksum_all(corpus.root, (u.path for u in corpus.utterances), name=corpus.name)
    notes = [f"{corpus.name} has no published samples: only readability and doubles were checked"]
    if corpus.name == folder.NAME:
        notes += [f"{path}: not listed, so not used" for path in folder.unlisted(root)]
    return Report(
        corpus.name,
        str(corpus.root),
        len(corpus),
        len(corpus),
        damaged=tuple(e.below(corpus.root) for e in sums.values() if isinstance(e, AudioError)),
        doubled=_copies(sums),
        notes=tuple(notes),
    )


def _verify_iemocap(root: str | Path | None) -> Report:
    found = iemocap.survey(root)
    sums = checksum_all(found.release, found.files.values(), name=iemocap.NAME)
    damaged = [e.below(found.release) for e in sums.values() if isinstance(e, AudioError)]
    damaged += [
        f"{path}: {sound.rate} Hz, {sound.channels} channels, expected {iemocap.RATE} Hz, 1 channel"
        for path, sound in sums.items()
        if isinstance(sound, Checksum) and (sound.rate, sound.channels) != (iemocap.RATE, 1)
    ]
    return Report(
        iemocap.NAME,
        str(found.release),
        len(found.files),
        iemocap.TURNS,
        missing=found.missing,
        damaged=tuple(damaged),
        doubled=found.doubled + _copies(sums),
        unexpected=found.unexpected + iemocap.miscounted(found.turns),
        notes=iemocap.notes(found),
    )


def _copies(sums: Sums) -> tuple[str, ...]:
    return tuple(f"{', '.join(paths)}: identical samples" for paths in _identical(sums))


def _verify_published(name: str, root: Path) -> Report:
    items = PUBLISHED[name].survey(root)
    known, places = scan.checksums(name), PUBLISHED[name].places()
    recordings = [item for item in items if item.is_recording]
    sums = checksum_all(root, (item.path for item in recordings), name=name)
    notes, comparable = _form(name, sums, known)
    owners = {known[key].sha256: place for key, place in places.items()}
    twice = scan.doubles(items)
    doubled = [f"{', '.join(paths)}: key {key} twice" for key, paths in twice.items()]
    copies: set[str] = set()
    for paths in _identical(sums):
        keys = {PurePosixPath(path).stem for path in paths}
        if name == ravdess.NAME and keys == set(ravdess.KNOWN_PAIR):
            notes.append(f"{' and '.join(paths)}: identical samples, as published")
        elif len(keys) > 1:
            doubled.append(f"{', '.join(paths)}: identical samples")
            copies.update(paths)
    damaged, unexpected = [], []
    for item in items:
        found = sums.get(item.path)
        if isinstance(found, AudioError):
            damaged.append(found.below(root))
        elif found is not None and comparable and item.key in known:
            damaged += _differences(item, found, known[item.key], owners)
        elif (
            found is not None
            and not comparable
            and (found.rate, found.channels) != (emodb.ORIGINAL_RATE, 1)
        ):
            damaged.append(
                f"{item.path}: {found.rate} Hz, channels: {found.channels}, "
                f"expected {emodb.ORIGINAL_RATE} Hz, one channel"
            )
        if item.is_recording and (item.key in twice or (item.path in copies and item.reason)):
            continue  # the entry among the doubled names it
        if item.reason or item.key not in known:
            reason = item.reason or f"not one of the {len(known)} recordings of {name}"
            if isinstance(found, Checksum) and found.sha256 in owners:
                reason += f"; has the samples of {owners[found.sha256]}"
            unexpected.append(f"{item.path}: {reason}")
    present = {item.key for item in recordings}
    return Report(
        name,
        str(root),
        len(recordings),
        len(known),
        missing=tuple(place for key, place in places.items() if key not in present),
        damaged=tuple(damaged),
        doubled=tuple(doubled),
        unexpected=tuple(unexpected),
        notes=tuple(notes),
        compared=comparable,
    )


def _form(name: str, sums: Sums, known: Mapping[str, Checksum]) -> tuple[list[str], bool]:
    """Which form of the corpus this is, in words, and whether its checksums are known."""
    rates = Counter(found.rate for found in sums.values() if isinstance(found, Checksum))
    if name != emodb.NAME or not rates:
        return [], True
    digests = {checksum.sha256 for checksum in known.values()}
    matching = sum(isinstance(f, Checksum) and f.sha256 in digests for f in sums.values())
    if not matching and rates.most_common(1)[0][0] == emodb.ORIGINAL_RATE:
        return [
            f"looks like the original archive ({emodb.ORIGINAL_RATE} Hz), for which no checksums "
            f"are known here: names, rates and readability were checked, samples were not"
        ], False
    return [
        f"the two-second copy: {emodb.COPY_RATE} Hz, every file cut or filled with silence to "
        f"2.000 s; {matching} files agree with it. The original archive is {emodb.ORIGINAL_RATE} "
        f"Hz and not cut"
    ], True


def _differences(
    item: Item, found: Checksum, known: Checksum, owners: Mapping[str, str]
) -> list[str]:
    if found == known:
        return []
    differences = [
        f"{what} {value}, expected {limit}"
        for what, value, limit in (
            ("frames", found.frames, known.frames),
            ("rate in Hz", found.rate, known.rate),
            ("channels", found.channels, known.channels),
        )
        if value != limit
    ]
    if found.sha256 in owners and found.sha256 != known.sha256:
        differences.append(f"they are those of {owners[found.sha256]}")
    return [
        f"{item.path}: other samples than published ({'; '.join(differences) or 'same length'})"
    ]


def _identical(sums: Sums) -> list[list[str]]:
    paths = defaultdict(list)
    for path, found in sums.items():
        if isinstance(found, Checksum):
            paths[found.sha256].append(path)
    return [group for group in paths.values() if len(group) > 1]
