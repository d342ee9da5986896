"""Writing files so that nobody ever reads half of one, and telling folders apart."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


@contextmanager
def atomic_write(path: Path) -> Iterator[IO[Any]]:
    """Open a temporary file beside ``path`` that becomes ``path`` on success, else vanishes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # or a lost power supply leaves the name without the content
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno and not error.filename:  # as of a full disk
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of writers that were killed; nobody may be writing."""
    for path in folder.glob(f".*.*.{'[0-9a-f]' * 8}"):
        path.unlink()


def tree_hash(folder: Path) -> str:
    """First 16 hex digits of the SHA-256 over names and bytes of all files below ``folder``.

    Compiled and hidden files do not count; a folder that does not exist has the hash of nothing.
    """
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(p[0] == "." or p == "__pycache__" for p in parts):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{'/'.join(parts)}\0{content}\n".encode())
    return digest.hexdigest()[:16]
