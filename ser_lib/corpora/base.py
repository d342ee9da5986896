"""The table of utterances that every corpus gives: who said what, how, and where the file is."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

EMOTIONS = (
    "anger",
    "boredom",
    "calm",
    "disgust",
    "excitement",
    "fear",
    "frustration",
    "happiness",
    "neutral",
    "sadness",
    "surprise",
)
"""Every emotion name used in the project; the same words for all corpora."""

PAPER_EMOTIONS = ("anger", "happiness", "neutral", "sadness")
"""The four emotions of both papers' IEMOCAP experiments (paper 1, section 3)."""

SEXES = ("female", "male", "unknown")


class CorpusError(ValueError):
    """Recordings are missing, damaged, doubled or mislabelled; the message lists every one."""

    def __init__(self, summary: str, problems: Iterable[str] = ()) -> None:
        """Join ``summary`` and all ``problems``, one per line."""
        self.problems = tuple(problems)
        super().__init__("\n".join((summary, *(f"  {problem}" for problem in self.problems))))


@dataclass(frozen=True)
class Utterance:
    """One recording and everything that is known of it."""

    key: str
    """Unique name within the corpus: the file's name without its ending."""
    path: str
    """Path of the file relative to the corpus's root, with forward slashes."""
    speaker: str
    session: str
    """Speakers recorded (or grouped) together: held out together."""
    sex: str
    """``female``, ``male`` or ``unknown``."""
    sentence: str
    raw_label: str
    """The label as the corpus itself writes it."""
    emotion: str
    rate: int
    """Sampling rate in Hz of the file on disk."""
    duration: float
    """Length in seconds of the file on disk."""


@dataclass(frozen=True)
class Corpus:
    """Utterances of one corpus, sorted by key.

    Raises:
        CorpusError: two utterances have the same key, a sex or an emotion is not a known name,
            or there is no utterance at all.
    """

    name: str
    licence: str
    root: Path
    utterances: tuple[Utterance, ...]

    def __post_init__(self) -> None:
        """Sort by key and refuse what no experiment could use."""
        ordered = tuple(sorted(self.utterances, key=lambda utterance: utterance.key))
        object.__setattr__(self, "utterances", ordered)
        if not ordered:
            raise CorpusError(f"corpus {self.name!r} at {self.root} has no utterances")
        counts = Counter(utterance.key for utterance in ordered)
        problems = [
            f"{utterance.path}: key {utterance.key!r} stands {counts[utterance.key]} times"
            for utterance in ordered
            if counts[utterance.key] > 1
        ]
        problems += [
            f"{utterance.path}: unknown emotion {utterance.emotion!r}, known: {', '.join(EMOTIONS)}"
            for utterance in ordered
            if utterance.emotion not in EMOTIONS
        ]
        problems += [
            f"{utterance.path}: sex {utterance.sex!r} is none of {', '.join(SEXES)}"
            for utterance in ordered
            if utterance.sex not in SEXES
        ]
        if problems:
            raise CorpusError(f"corpus {self.name!r} at {self.root} is not usable:", problems)

    def __len__(self) -> int:
        """Return the number of utterances."""
        return len(self.utterances)

    @property
    def emotions(self) -> tuple[str, ...]:
        """Emotions that occur, in alphabetical order: the order of the classes."""
        return tuple(sorted({utterance.emotion for utterance in self.utterances}))

    @property
    def speakers(self) -> tuple[str, ...]:
        """Speakers in alphabetical order."""
        return tuple(sorted({utterance.speaker for utterance in self.utterances}))

    @property
    def sessions(self) -> tuple[str, ...]:
        """Sessions in alphabetical order."""
        return tuple(sorted({utterance.session for utterance in self.utterances}))

    @property
    def hash(self) -> str:
        """SHA-256 (first 16 hex digits) of the table without the files' endings.

        A copy in FLAC and one in WAV have the same hash.
        """
        rows = [
            {**asdict(utterance), "path": utterance.path.rsplit(".", 1)[0]}
            for utterance in self.utterances
        ]
        text = json.dumps([self.name, rows], sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def file(self, utterance: Utterance) -> Path:
        """Path of an utterance's recording."""
        return self.root / utterance.path

    def select(
        self, *, emotions: Sequence[str] | None = None, speakers: Sequence[str] | None = None
    ) -> Corpus:
        """Keep the utterances of some emotions or speakers.

        Raises:
            ValueError: a name asked for does not occur in the corpus.
        """
        for wanted, known, what in (
            (emotions, self.emotions, "emotion"),
            (speakers, self.speakers, "speaker"),
        ):
            unknown = sorted(set(wanted or ()) - set(known))
            if unknown:
                raise ValueError(
                    f"corpus {self.name!r} has no {what} {', '.join(map(repr, unknown))}; "
                    f"it has {', '.join(known)}"
                )
        kept = tuple(
            utterance
            for utterance in self.utterances
            if (emotions is None or utterance.emotion in emotions)
            and (speakers is None or utterance.speaker in speakers)
        )
        return Corpus(self.name, self.licence, self.root, kept)

    def table(self) -> pd.DataFrame:
        """Return the utterances as a data frame, one row each."""
        import pandas as pd

        names = [field.name for field in fields(Utterance)]
        return pd.DataFrame([asdict(utterance) for utterance in self.utterances], columns=names)


def speaker_of(corpus: str, key: str) -> str:
    """Who speaks in an utterance, from its name alone: records hold no more than the name.

    Raises:
        ValueError: the names of that corpus do not tell it, or the key is none of them.

    Examples:
        >>> speaker_of("emodb", "03a01Fa"), speaker_of("ravdess", "03-01-05-02-01-01-07")
        ('03', '07')
        >>> speaker_of("iemocap", "Ses01F_impro01_M003")
        '01M'
    """
    if corpus not in _SPEAKER:
        raise ValueError(
            f"corpus {corpus!r}: its names do not tell the speaker; known: {', '.join(_SPEAKER)}"
        )
    found = _SPEAKER[corpus].fullmatch(key)
    if not found:
        raise ValueError(f"{key!r} is no name of an utterance of corpus {corpus!r}")
    return "".join(found.groups())


_SPEAKER = {
    "emodb": re.compile(r"(\d\d).+"),
    "ravdess": re.compile(r".+-(\d\d)"),
    "iemocap": re.compile(r"Ses(\d\d)[FM]_.+_([FM])\w+"),
}

ATTRIBUTIONS = {
    "emodb": "F. Burkhardt, A. Paeschke, M. Rolfes, W. F. Sendlmeier, B. Weiss: A Database of "
    "German Emotional Speech. Interspeech 2005, doi:10.21437/Interspeech.2005-446",
    "iemocap": "C. Busso et al.: IEMOCAP: interactive emotional dyadic motion capture database. "
    "Language Resources and Evaluation 42, 2008, doi:10.1007/s10579-008-9076-6",
    "ravdess": "S. R. Livingstone, F. A. Russo: The Ryerson Audio-Visual Database of Emotional "
    "Speech and Song (RAVDESS). PLoS ONE 13(5): e0196391, 2018, doi:10.1371/journal.pone.0196391",
}
"""Whom to name for what was learned from a published corpus."""


def cache_folder() -> Path:
    """Folder for downloads, synthesised speech and features.

    ``SER_CACHE`` if set, else ``ser_lib`` in the user's cache folder (``XDG_CACHE_HOME``).

    Raises:
        OSError: the user has no home folder.
    """
    if chosen := os.environ.get("SER_CACHE"):
        return Path(chosen)
    try:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError as error:
        raise OSError(f"no folder for the cache: {error} Set SER_CACHE") from error
    return Path(base) / "ser_lib"


def find_root(name: str, root: str | Path | None, *, advice: str = "") -> Path:
    """Folder of corpus ``name``: ``root``, else ``$SER_DATA/name``, else the download cache.

    Args:
        name: the corpus's name.
        root: its folder, if it is known.
        advice: how to get the corpus, where ``ser data fetch`` cannot.

    Raises:
        CorpusError: the folder does not exist.
    """
    if root is not None:
        found, source = Path(root), "the root given"
    elif data := os.environ.get("SER_DATA"):
        found, source = Path(data) / name, "from SER_DATA"
    else:
        found, source = cache_folder() / name, "the download cache"
    if not found.is_dir():
        raise CorpusError(
            f"corpus {name!r}: no folder {found} ({source}); set SER_DATA to the folder that "
            f"holds {name}/" + (f"; {advice}" if advice else f", or run: ser data fetch {name}")
        )
    return found
