"""A tiny tree of the form of IEMOCAP, with what makes the real one hard to read."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile

RATE = 16_000

LABELS = {
    # The letter after the session is who wore the markers, not who talks.
    "Ses01F_impro01": {
        "F000": "neu",
        "F001": "xxx",
        "M000": "neu",
        "M001": "fru",
        "M002": "hap",
    },
    "Ses01M_impro02": {"F000": "sad", "M000": "exc", "M001": "ang"},
    "Ses01F_script01_1": {"F000": "ang", "M000": "sad", "M001": "oth"},
    "Ses02F_impro05a": {"F000": "ang", "M000": "sad"},
    "Ses02M_script01_1b": {"F000": "hap", "F001": "exc", "M000": "neu"},
    "Ses03M_impro08b": {"F000": "hap", "M000": "neu", "M001": "sur"},
    "Ses04F_impro03": {"F000": "sad", "M000": "ang", "M001": "fea"},
    "Ses05M_impro04": {"F000": "neu", "F001": "dis", "M000": "hap"},
}
"""Raw label by turn, for each dialogue."""


def turn_line(key: str, label: str, start: float = 6.2901) -> str:
    return f"[{start:.4f} - {start + 1.9456:.4f}]\t{key}\t{label}\t[2.5000, 2.5000, 2.5000]"


def label_text(dialogue: str, labels: Mapping[str, str]) -> str:
    """A label file as published: heading, then a turn and its listeners' answers."""
    text = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"
    for number, (turn, label) in enumerate(labels.items()):
        text += turn_line(f"{dialogue}_{turn}", label, 3.0 * number) + "\n"
        text += "C-E2:\tNeutral;\t()\nC-F1:\tNeutral; Sadness;\t(a little [sad])\n"
        text += "A-E3:\tval 3; act 2; dom  2;\t()\n\n"
    return text


def transcript(dialogue: str, turns: Sequence[str]) -> str:
    """A transcript as published, with a turn that has no label and a line that names no turn."""
    text = "".join(f"{dialogue}_{turn} [006.2901-008.2357]: Line {turn}.\n" for turn in turns)
    return f"{text}{dialogue}_MXX0 [050.0100-051.2000]: [LAUGHTER]\nM: And another thing.\n"


def place(key: str) -> str:
    """Path of a recording relative to the release."""
    return f"Session{key[4]}/sentences/wav/{key.rsplit('_', 1)[0]}/{key}.wav"


def write_recording(path: Path, seed: int, *, rate: int = RATE, channels: int = 1) -> None:
    samples = np.random.default_rng(seed).integers(-3000, 3000, (320, channels))
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples.astype(np.int16), rate)


def build(release: Path, labels: Mapping[str, Mapping[str, str]] = LABELS) -> Path:
    """Write a tree and return its root; its traps are those that a reader must step over."""
    seed = 0
    for dialogue, turns in labels.items():
        session = release / f"Session{dialogue[4]}"
        for folder in ("EmoEvaluation", "transcriptions", "wav", "avi"):
            (session / "dialog" / folder).mkdir(parents=True, exist_ok=True)
        evaluation = session / "dialog" / "EmoEvaluation"
        (evaluation / f"{dialogue}.txt").write_text(label_text(dialogue, turns), newline="\n")
        spoken = session / "dialog" / "transcriptions" / f"{dialogue}.txt"
        spoken.write_text(transcript(dialogue, list(turns)), newline="\n")
        for turn in turns:
            key = f"{dialogue}_{turn}"
            write_recording(release / place(key), seed)
            seed += 1
        # Whole dialogues, films and single listeners' answers are no recordings or labels.
        write_recording(session / "dialog" / "wav" / f"{dialogue}.wav", seed + 1000, channels=2)
        (session / "dialog" / "avi" / f"{dialogue}.avi").write_bytes(b"film")
        for folder in ("Attribute", "Categorical", "Self-evaluation"):
            (evaluation / folder).mkdir(exist_ok=True)
            other = evaluation / folder / f"{dialogue}_e1.txt"
            other.write_text(turn_line(f"{dialogue}_F000", "ang") + "\n")
        # What Apple's and Windows' file managers leave behind.
        audio = session / "sentences" / "wav" / dialogue
        for path in (
            evaluation / f"._{dialogue}.txt",
            spoken.with_name(f"._{dialogue}.txt"),
            audio / f"._{dialogue}_F000.wav",
            audio / ".DS_Store",
            session / ".DS_Store",
            session / "sentences" / "wav" / "Thumbs.db",
        ):
            path.write_bytes(b"\x00\x05\x16\x07[1.0 - 2.0]\t\xff")
    return release
