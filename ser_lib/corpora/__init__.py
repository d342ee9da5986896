"""Corpora of emotional speech: each gives the same table of utterances."""

from __future__ import annotations

from importlib import import_module
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, cast

from ser_lib.corpora.base import (
    EMOTIONS,
    PAPER_EMOTIONS,
    Corpus,
    CorpusError,
    Utterance,
    cache_folder,
    find_root,
    speaker_of,
)

if TYPE_CHECKING:
    from ser_lib.corpora.check import Report

__all__ = [
    "EMOTIONS",
    "NAMES",
    "PAPER_EMOTIONS",
    "Corpus",
    "CorpusError",
    "Utterance",
    "cache_folder",
    "find_root",
    "load",
    "speaker_of",
    "verify",
]

NAMES = ("builtin", "emodb", "ravdess", "iemocap", "folder")
"""Names that :func:`load` knows."""


def module(name: str) -> ModuleType:
    """Return the module that reads corpus ``name``; imported late, as it needs audio libraries.

    Raises:
        ValueError: the name is not in ``NAMES``.
    """
    if name not in NAMES:
        raise ValueError(f"unknown corpus {name!r}; known: {', '.join(NAMES)}")
    return import_module(f"ser_lib.corpora.{name}")


def load(
    name: str, root: str | Path | None = None, *, partial: bool = False, **choice: str
) -> Corpus:
    """Read the table of utterances of corpus ``name``; only the headers of its files are opened.

    Args:
        name: one of ``NAMES``.
        root: the corpus's folder (for ``folder``: its CSV file); see :func:`find_root`.
        partial: take an ``emodb``, ``ravdess`` or ``iemocap`` of which recordings are missing.
        **choice: what else the corpus lets choose: ``part`` and ``labels`` of ``iemocap``, see
            :func:`ser_lib.corpora.iemocap.load`.

    Raises:
        ValueError: the name is not in ``NAMES``, or the corpus knows no such choice.
        CorpusError: the folder is missing, or any recording is missing, unreadable, doubled or
            mislabelled; the message lists every one of them.
    """
    corpus_module = module(name)
    known = set(signature(corpus_module.load).parameters) - {"root", "partial"}
    if strange := sorted(set(choice) - known):
        known_ones = f"known: {', '.join(sorted(known))}" if known else "there is nothing to choose"
        raise ValueError(f"corpus {name!r} knows no {', '.join(strange)}; {known_ones}")
    # The other two hold whatever they hold: there is no list that they could fall short of.
    if partial and name in ("emodb", "ravdess", "iemocap"):
        return cast(Corpus, corpus_module.load(root, partial=True, **choice))
    return cast(Corpus, corpus_module.load(root, **choice))


def verify(name: str, root: str | Path | None = None) -> Report:
    """Decode every recording of corpus ``name`` and compare it with the published samples.

    See :func:`ser_lib.corpora.check.verify`.
    """
    from ser_lib.corpora import check

    return check.verify(name, root)
