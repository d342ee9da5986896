"""Getting a corpus from where it is published; a broken download leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from ser_lib.corpora import module, scan
from ser_lib.corpora.base import CorpusError, cache_folder


@dataclass(frozen=True)
class Source:
    """A zip archive and the folder by which its root is recognised."""

    url: str
    known_hash: str | None
    marker: str


SOURCES = {
    "ravdess": Source(
        "https://zenodo.org/records/1188976/files/Audio_Speech_Actors_01-24.zip",
        "md5:bc696df654c87fed845eb13823edef8a",
        "Actor_01",
    ),
    # Its site publishes no hash: names and readability are what can be verified.
    "emodb": Source("http://emodb.bilderbar.info/download/download.zip", None, "wav"),
}


def destination(name: str, root: str | Path | None = None) -> Path:
    """Folder in which corpus ``name`` is looked for, whether or not it exists."""
    if root is not None:
        return Path(root)
    reader = module(name)
    if name == "builtin":
        return Path(reader.place())
    data = os.environ.get("SER_DATA")
    return (Path(data) if data else cache_folder()) / name


def fetch(name: str, root: str | Path | None = None, *, source: Source | None = None) -> Path:
    """Download, unpack and verify a corpus, then put it where :func:`load` looks for it.

    All work is done in a temporary folder beside the destination, which is renamed when the
    corpus in it is complete and removed otherwise.

    Args:
        name: ``builtin`` (made, not downloaded), ``emodb`` or ``ravdess``.
        root: the folder to make; see :func:`destination`.
        source: another place to get the same archive from.

    Returns:
        The corpus's folder.

    Raises:
        ValueError: the corpus cannot be fetched.
        OSError: the download failed, or the destination cannot be written.
        CorpusError: the destination exists, or what was downloaded is not the corpus.
    """
    reader = module(name)
    if name == "builtin":
        made = destination(name, root)
        if not made.exists():
            reader.make(made)
        return Path(reader.load(made).root)
    if name == "iemocap":
        raise ValueError(f"corpus {name!r} cannot be fetched: {reader.BY_HAND}")
    if name not in SOURCES:
        raise ValueError(
            f"corpus {name!r} cannot be fetched; those that can: builtin, {', '.join(SOURCES)}"
        )
    source = source or SOURCES[name]
    target = destination(name, root)
    if target.exists():
        raise CorpusError(f"corpus {name!r}: {target} exists already; ser data check {name}")
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=target.parent))
    try:
        found = _unpack(_download(source, work), work / "unpacked", source.marker)
        _refuse_untrue(name, found, source)
        found.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def _download(source: Source, folder: Path) -> Path:
    import pooch

    # pooch reports in its log the hash of what has none; that is no news to the reader.
    pooch.get_logger().setLevel("WARNING")
    downloader = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=60)
    try:
        path = pooch.retrieve(
            source.url,
            known_hash=source.known_hash,
            fname="archive.zip",
            path=folder,
            downloader=downloader,
        )
    except ValueError as error:  # the hash of what came is another one
        raise CorpusError(f"{source.url}: {error}") from None
    return Path(path)


def _unpack(archive: Path, folder: Path, marker: str) -> Path:
    try:
        with zipfile.ZipFile(archive) as file:
            file.extractall(folder)
    except zipfile.BadZipFile as error:
        raise CorpusError(f"the download is not a zip archive ({error})") from None
    archive.unlink()
    roots = [
        path.parent
        for path in sorted(folder.rglob(marker))
        if path.is_dir() and not any(map(scan.hidden, path.relative_to(folder).parts))
    ]
    if not roots:
        raise CorpusError(f"the archive holds no folder {marker}/")
    return roots[0]


def _refuse_untrue(name: str, root: Path, source: Source) -> None:
    from ser_lib.corpora.check import verify

    report = verify(name, root)
    if not report.ok:
        raise CorpusError(
            f"corpus {name!r} from {source.url} is not as published; nothing was kept:",
            (
                f"{kind}: {entry}"
                for kind in ("missing", "damaged", "doubled", "unexpected")
                for entry in getattr(report, kind)
            ),
        )


def locate(name: str) -> dict[str, object]:
    """Say where a corpus is looked for and what is there, without opening a recording."""
    reader = module(name)
    folder = destination(name)
    files = None
    if folder.is_dir() and name == "iemocap":
        files = reader.count_recordings(folder)
    elif folder.is_dir():
        files = sum(Path(path).suffix.lower() in scan.AUDIO_ENDINGS for path in scan.walk(folder))
    expected = None
    if name in SOURCES:
        expected = len(scan.checksums(name))
    elif name == "builtin":
        expected = len(reader.recipes())
    elif name == "iemocap":
        expected = reader.TURNS
    return {
        "name": name,
        "licence": reader.LICENCE,
        "root": str(folder),
        "present": files is not None,
        "files": files,
        "expected": expected,
    }
