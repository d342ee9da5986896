"""Anybody's own labelled recordings, listed in a CSV file.

Its first line names the columns: ``path,emotion,speaker`` and, where known, ``session``, ``sex``,
``sentence``. Paths are relative to the CSV's own folder; any format that libsndfile reads will do.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path, PurePosixPath

from ser_lib.corpora import scan
from ser_lib.corpora.base import EMOTIONS, SEXES, Corpus, CorpusError, Utterance, find_root
from ser_lib.corpora.recording import AudioError, Header, read_header

NAME = "folder"
LICENCE = "unknown (your own recordings)"
CSV_NAME = "labels.csv"
"""The CSV that is looked for when the root is a folder."""

NEEDED = ("path", "emotion", "speaker")
OPTIONAL = ("session", "sex", "sentence")


def find_csv(root: str | Path | None) -> Path:
    """Path of the CSV: ``root`` itself if it is a file, else ``labels.csv`` in that folder.

    Raises:
        CorpusError: there is no such file.
    """
    if root is not None and Path(root).is_file():
        return Path(root)
    try:
        advice = f"or give the path of a CSV file with the columns {','.join(NEEDED)}"
        path = find_root(NAME, root, advice=advice) / CSV_NAME
    except CorpusError:
        if root is None:
            raise CorpusError(
                f"corpus {NAME!r}: give the path of your CSV file with the columns "
                f"{','.join(NEEDED)}, or put it at $SER_DATA/{NAME}/{CSV_NAME}"
            ) from None
        raise
    if not path.is_file():
        raise CorpusError(f"corpus {NAME!r}: no file {path} with the columns {','.join(NEEDED)}")
    return path


def read_rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Read the CSV as (line number, values by column).

    Raises:
        CorpusError: not UTF-8, a column is missing, unknown or there twice, a line has too many or
            too few values, or a needed value is empty; all such lines are listed.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if row]
        except (UnicodeDecodeError, csv.Error) as error:
            raise CorpusError(f"{path}: not a CSV file in UTF-8 ({error})") from None
    columns = lines[0][1] if lines else []
    known = (*NEEDED, *OPTIONAL)
    problems = [f"column {name!r} is missing" for name in NEEDED if name not in columns]
    problems += [f"column {name!r} is unknown" for name in columns if name not in known]
    problems += [f"column {name!r} is there twice" for name, n in Counter(columns).items() if n > 1]
    if problems:
        raise CorpusError(f"{path}: line 1 must name columns out of {', '.join(known)}:", problems)
    rows = []
    for number, cells in lines[1:]:
        if len(cells) != len(columns):
            problems.append(f"line {number}: {len(cells)} values, expected {len(columns)}")
            continue
        row = dict(zip(columns, cells, strict=True))
        problems += [f"line {number}: no {name}" for name in NEEDED if not row[name]]
        rows.append((number, row))
    if problems:
        raise CorpusError(f"{path}: not usable:", problems)
    if not rows:
        raise CorpusError(f"{path}: lists no recording")
    return rows


def load(root: str | Path | None = None) -> Corpus:
    """Read the recordings that a CSV lists.

    The key is the path without its ending; the session, if not given, is the speaker; the
    emotion is taken in lower case, the raw label as written.

    Args:
        root: the CSV, or a folder that holds ``labels.csv``; see :func:`ser_lib.corpora.find_root`.

    Raises:
        CorpusError: a line names a file that is missing, unreadable, outside the CSV's folder or
            listed twice, or an emotion or sex that is not known, or a speaker has more than one
            session or sex; all such lines and speakers are listed.
    """
    path = find_csv(root)
    folder, problems, utterances = path.parent, [], []
    first_line: dict[Path | str, int] = {}
    for number, row in read_rows(path):
        place = f"line {number}: {row['path']}"
        reasons, header = _examine(folder, row)
        key = PurePosixPath(row["path"]).with_suffix("").as_posix()
        for name, what in (((folder / row["path"]).resolve(), "file"), (key, "key")):
            earlier = first_line.setdefault(name, number)
            if earlier != number:
                reasons.append(f"the same {what} as in line {earlier}")
                break
        if header is None or reasons:
            problems += [f"{place}: {reason}" for reason in reasons]
            continue
        utterances.append(
            Utterance(
                key=key,
                path=PurePosixPath(row["path"]).as_posix(),
                speaker=row["speaker"],
                session=row.get("session") or row["speaker"],
                sex=row.get("sex") or "unknown",
                sentence=row.get("sentence", ""),
                raw_label=row["emotion"],
                emotion=row["emotion"].lower(),
                rate=header.rate,
                duration=header.duration,
            )
        )
    problems += _people(utterances)
    if problems:
        raise CorpusError(f"{path}: {len(problems)} problems:", problems)
    return Corpus(NAME, LICENCE, folder, tuple(utterances))


def _examine(folder: Path, row: dict[str, str]) -> tuple[list[str], Header | None]:
    reasons, header = [], None
    pure = PurePosixPath(row["path"])
    if pure.is_absolute() or ".." in pure.parts or Path(row["path"]).is_absolute():
        reasons.append(f"must lie below the CSV's folder {folder}")
    else:
        try:
            header = read_header(folder / row["path"])
        except AudioError as error:
            reasons.append(str(error))
    if row["emotion"].lower() not in EMOTIONS:
        reasons.append(f"unknown emotion {row['emotion']!r}, known: {', '.join(EMOTIONS)}")
    if row.get("sex") and row["sex"] not in SEXES:
        reasons.append(f"unknown sex {row['sex']!r}, known: {', '.join(SEXES)}")
    return reasons, header


def _people(utterances: list[Utterance]) -> list[str]:
    """Speakers of two sexes, or in two sessions, who would be on both sides of a split."""
    problems = []
    for what in ("session", "sex"):
        found: dict[str, set[str]] = {}
        for utterance in utterances:
            found.setdefault(utterance.speaker, set()).add(getattr(utterance, what))
        problems += [
            f"speaker {speaker!r} has more than one {what}: {', '.join(sorted(values))}"
            for speaker, values in found.items()
            if len(values) > 1
        ]
    return problems


def unlisted(root: str | Path | None = None) -> list[str]:
    """Audio files below the CSV's folder that the CSV does not list, relative to it."""
    path = find_csv(root)
    listed = {PurePosixPath(row["path"]).as_posix() for _, row in read_rows(path)}
    return [
        found
        for found in scan.walk(path.parent)
        if PurePosixPath(found).suffix.lower() in scan.AUDIO_ENDINGS and found not in listed
    ]
