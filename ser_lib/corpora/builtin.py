"""The built-in corpus: synthetic emotional speech, spoken by eSpeak NG when it is first needed.

It lets every page of the book run on any machine. It is **not** emotional speech: nobody felt
anything, and no result on it says anything about people. Eight voices in four sessions of a
woman and a man speak ten neutral sentences in four emotions, two takes each: 640 utterances.

Speaking rate, pitch, pitch range and loudness of an utterance are drawn from normal
distributions, one set per emotion, relative to the voice's own base. The differences between the
means have the directions that the literature agrees on:

- Murray and Arnott (1993), *Toward the simulation of emotion in synthetic speech*, J. Acoust.
  Soc. Am. 93(2), 1097-1108, a review made for synthesisers. Anger: slightly faster, very much
  higher pitch, much wider range, louder. Happiness: faster or slower, much higher, much wider,
  louder. Sadness: slightly slower, slightly lower, slightly narrower, softer.
- Banse and Scherer (1996), *Acoustic profiles in vocal emotion expression*, J. Pers. Soc.
  Psychol. 70(3), 614-636, measured on actors: intense emotions (hot anger, elation) have high
  pitch and energy, sadness has low energy and a low rate.
- Juslin and Laukka (2003), *Communication of emotions in vocal expression and music
  performance*, Psychol. Bull. 129(5), 770-814, over 104 studies of the voice. Anger: fast, loud,
  high, variable pitch. Happiness: fast, medium to loud, high, variable. Sadness: slow, soft, low,
  little variable.

Voice quality, which these studies also find to change, does not change here. The sizes of the
differences and the overlap are ours, chosen so that a voice never heard in training is neither
trivial nor hopeless: logistic regression on the mean and standard deviation of 40 MFCC is right
for about seven utterances in ten (``tests/corpora/test_builtin.py``); guessing is for two and a
half.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, fields
from functools import cache
from importlib import metadata
from pathlib import Path
from statistics import NormalDist

from ser_lib.corpora import espeak
from ser_lib.corpora.base import Corpus, CorpusError, Utterance, cache_folder, find_root
from ser_lib.files import atomic_write

NAME = "builtin"
LICENCE = (
    "CC0-1.0: synthetic speech, made by eSpeak NG (a GPL-3.0 program; the audio is released "
    "with the book)"
)
WHEEL = "espeakng-loader"
"""The Python package that carries eSpeak NG and its voices."""
TABLE = "builtin.json"
"""Name of the file that lists the corpus's recordings; written last."""

_FORMAT = 1  # raise when the files change although no recipe does


@dataclass(frozen=True)
class Voice:
    """One of eSpeak NG's voices and what its utterances vary around."""

    session: str
    sex: str
    level: float
    """Added to the loudness, in dB, so that the voices are about equally loud."""


# Variants with breath are left out: their noise comes from the C library's rand(), which is
# another on every system.
VOICES = {
    "f1": Voice("1", "female", 0.0),
    "m1": Voice("1", "male", 2.0),
    "f4": Voice("2", "female", 0.0),
    "m3": Voice("2", "male", 1.0),
    "aunty": Voice("3", "female", 0.0),
    "m7": Voice("3", "male", 0.0),
    "steph": Voice("4", "female", 0.0),
    "m6": Voice("4", "male", 1.0),
}
"""Speakers by the name of their eSpeak NG variant."""

SENTENCES = {
    "s01": "The letter is on the kitchen table.",
    "s02": "They will arrive on Monday morning.",
    "s03": "The shop around the corner opens at nine.",
    "s04": "She left the blue folder in the car.",
    "s05": "We can take the bus or the train.",
    "s06": "The meeting was moved to Thursday.",
    "s07": "He put the cups back on the shelf.",
    "s08": "The road goes past the old library.",
    "s09": "I will call you again this evening.",
    "s10": "There is a bridge behind the station.",
}


@dataclass(frozen=True)
class Prosody:
    """Speaking rate, pitch, pitch range and loudness, relative to the voice's neutral speech."""

    rate: float
    """Natural logarithm of the factor."""
    pitch: float
    """Semitones."""
    range: float
    """Natural logarithm of the factor."""
    loudness: float
    """dB."""


MEANS = {
    "anger": Prosody(rate=0.20, pitch=2.5, range=0.40, loudness=7.5),
    "happiness": Prosody(rate=0.10, pitch=5.5, range=0.55, loudness=2.5),
    "neutral": Prosody(rate=0.0, pitch=0.0, range=0.0, loudness=0.0),
    "sadness": Prosody(rate=-0.20, pitch=-3.0, range=-0.60, loudness=-5.5),
}
SPREAD = Prosody(rate=0.10, pitch=1.9, range=0.25, loudness=2.2)
"""Standard deviations, the same for all emotions."""
TAKES = ("1", "2")

_NEUTRAL = {"rate": 165, "pitch": 50, "range": 35, "volume": 38}
_LIMITS = {"rate": (80, 450), "pitch": (0, 99), "range": (0, 99), "volume": (0, 200)}


@dataclass(frozen=True)
class Recipe:
    """What eSpeak NG is told for one utterance."""

    key: str
    """``voice_sentence_emotion_take``."""
    text: str
    voice: str
    rate: int
    """Words per minute."""
    pitch: int
    """0 to 99: 50 is the voice's own pitch, 50 more an octave higher."""
    range: int
    """0 to 99: 50 is the voice's own range, 99 nearly twice as wide."""
    volume: int
    """0 to 200: 100 is normal, proportional to the amplitude."""


def draw(key: str, emotion: str) -> Prosody:
    """Draw the prosody of one utterance, the same for the same key on every machine.

    The random numbers are the SHA-256 of the key, taken to normal ones by the inverse of their
    distribution: no generator, so neither the order nor a library's version matters. Values
    beyond 2.5 standard deviations are moved there.

    Example:
        >>> draw("f1_s01_anger_1", "anger") == draw("f1_s01_anger_1", "anger")
        True
        >>> round(draw("f1_s01_anger_1", "anger").pitch, 3)
        0.741
    """
    digest = hashlib.sha256(key.encode()).digest()
    values = {}
    for index, field in enumerate(fields(Prosody)):
        uniform = (int.from_bytes(digest[8 * index : 8 * index + 8], "big") + 0.5) / 2**64
        z = NormalDist().inv_cdf(min(max(uniform, 1e-9), 1 - 1e-9))
        mean, spread = getattr(MEANS[emotion], field.name), getattr(SPREAD, field.name)
        values[field.name] = mean + spread * min(max(z, -2.5), 2.5)
    return Prosody(**values)


@cache
def recipes() -> tuple[Recipe, ...]:
    """Return the recipes of all utterances, sorted by key."""
    found = []
    for speaker, voice in VOICES.items():
        for code, text in SENTENCES.items():
            for emotion in MEANS:
                for take in TAKES:
                    key = f"{speaker}_{code}_{emotion}_{take}"
                    prosody = draw(key, emotion)
                    told = {
                        "rate": _NEUTRAL["rate"] * math.exp(prosody.rate),
                        "pitch": _NEUTRAL["pitch"] + 50 * prosody.pitch / 12,
                        "range": _NEUTRAL["range"] * math.exp(prosody.range),
                        "volume": _NEUTRAL["volume"]
                        * 10 ** ((prosody.loudness + voice.level) / 20),
                    }
                    numbers = {
                        name: min(max(round(told[name]), low), high)
                        for name, (low, high) in _LIMITS.items()
                    }
                    found.append(Recipe(key, text, f"en-us+{speaker}", **numbers))
    return tuple(sorted(found, key=lambda recipe: recipe.key))


def version() -> str:
    """Hash of all recipes and of the version of eSpeak NG: names the corpus's folder.

    Raises:
        CorpusError: the package with eSpeak NG is not installed.
    """
    try:
        wheel = metadata.version(WHEEL)
    except metadata.PackageNotFoundError:
        raise CorpusError(
            f"corpus {NAME!r}: the package {WHEEL} is not installed; run: pip install {WHEEL}"
        ) from None
    text = json.dumps([_FORMAT, wheel, [asdict(recipe) for recipe in recipes()]], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def load(root: str | Path | None = None) -> Corpus:
    """Read the built-in corpus, spoken anew if this version is not in the cache yet.

    Args:
        root: a folder that already holds it; by default ``$SER_DATA/builtin`` if there is one,
            else the cache, where it is made in a few seconds.

    Raises:
        CorpusError: the root given is not the built-in corpus, recordings in it are missing or
            damaged (all are named), eSpeak NG fails, or the cache cannot be written.
    """
    if root is None:
        root = place()
        if not root.exists():
            make(root)
    return _read(find_root(NAME, root))


def place() -> Path:
    """Where the corpus is looked for: ``$SER_DATA/builtin`` if there is one, else the cache."""
    data = os.environ.get("SER_DATA")
    given = Path(data) / NAME if data else None
    return given if given and given.is_dir() else cache_folder() / f"{NAME}-{version()}"


def _read(root: Path) -> Corpus:
    """Build the table of utterances from the folder's own list, comparing every file's length."""
    path = root / TABLE
    # Nobody is told to delete a folder that this module did not make.
    ours = root.name.startswith(f"{NAME}-") and root.parent == cache_folder()
    remedy = (
        f"delete {root} and it is made again" if ours else "without it, one is made in the cache"
    )
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        frames = {str(key): int(count) for key, count in table["frames"].items()}
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise CorpusError(
            f"corpus {NAME!r}: {path} is missing or damaged "
            f"({type(error).__name__}: {error}); {remedy}"
        ) from None
    known = {recipe.key: recipe for recipe in recipes()}
    if set(frames) != set(known):
        raise CorpusError(
            f"corpus {NAME!r}: {path} lists {len(frames)} recordings that are not the {len(known)} "
            f"of this version; {remedy}"
        )
    problems, utterances = [], []
    for key, recipe in known.items():
        name = f"{key}.wav"
        expected = 44 + 2 * frames[key]
        try:
            size = (root / name).stat().st_size
        except OSError as error:
            problems.append(f"{root / name}: {error.strerror}")
            continue
        if size != expected:
            problems.append(f"{root / name}: {size} bytes, expected {expected}")
            continue
        speaker, _, emotion, _ = key.split("_")
        voice = VOICES[speaker]
        utterances.append(
            Utterance(
                key=key,
                path=name,
                speaker=speaker,
                session=voice.session,
                sex=voice.sex,
                sentence=recipe.text,
                raw_label=emotion,
                emotion=emotion,
                rate=espeak.RATE,
                duration=frames[key] / espeak.RATE,
            )
        )
    if problems:
        raise CorpusError(
            f"corpus {NAME!r}: {len(problems)} recordings are missing or damaged; {remedy}:",
            problems,
        )
    return Corpus(NAME, LICENCE, root, tuple(utterances))


def make(root: Path) -> None:
    """Speak the corpus into a temporary folder that becomes ``root`` when it is complete.

    Raises:
        CorpusError: eSpeak NG fails, or ``root`` cannot be written.
    """
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(root)
        with tempfile.TemporaryDirectory(
            dir=root.parent, prefix=f".{root.name}.", ignore_cleanup_errors=True
        ) as temporary:
            folder = Path(temporary) / root.name
            folder.mkdir()
            _speak(folder)
            try:
                folder.rename(root)
            except OSError:
                # Another process was quicker; its folder has the same bytes.
                if not root.is_dir():
                    raise
    except OSError as error:
        raise CorpusError(
            f"corpus {NAME!r}: {root} cannot be written ({error.strerror or error}); set SER_CACHE "
            "to a folder that can"
        ) from error


def _remove_leftovers(root: Path) -> None:
    """Remove what a killed synthesis left behind, an hour or more ago."""
    for leftover in root.parent.glob(f".{root.name}.*"):
        if time.time() - leftover.stat().st_mtime > 3600:
            shutil.rmtree(leftover, ignore_errors=True)


def _speak(folder: Path) -> None:
    """Fill ``folder`` with all recordings and their list."""
    import espeakng_loader

    library = Path(espeakng_loader.get_library_path())
    done = subprocess.run(
        [sys.executable, "-I", espeak.__file__, str(library), str(folder.absolute())],
        input=json.dumps([asdict(recipe) for recipe in recipes()]),
        cwd=library.parent,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.strip() or "no message"
        raise CorpusError(
            f"corpus {NAME!r}: eSpeak NG ({library}) failed with status {done.returncode} while "
            f"speaking into {folder.parent.parent}: {said}"
        )
    frames = {
        recipe.key: ((folder / f"{recipe.key}.wav").stat().st_size - 44) // 2
        for recipe in recipes()
    }
    with atomic_write(folder / TABLE) as file:
        file.write(json.dumps({"licence": LICENCE, "frames": frames}, indent=1).encode())
