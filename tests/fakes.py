"""Noise as samples, and a tiny corpus of it with a pattern per emotion, as features."""

from pathlib import Path

import numpy as np

from ser_lib.config import RunConfig
from ser_lib.corpora.base import PAPER_EMOTIONS, Corpus, Utterance
from ser_lib.features import Dataset, FeatureConfig
from ser_lib.vectors import vector_config

SECONDS = 1.0


def noise(frames: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    """Quiet 16-bit samples, ``(frames, channels)``."""
    samples = np.random.default_rng(seed).integers(-3000, 3000, (frames, channels))
    return samples.astype(np.int16)


def cut(path: Path, part: float) -> Path:
    """Keep the first ``part`` of a file's bytes only."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    return path


def dataset(*, sessions: int = 2, takes: int = 3, name: str = "fake") -> Dataset:
    """Speakers ``0f, 0m, 1f, ...``; each emotion lifts rows of its own."""
    rng = np.random.default_rng(0)
    config = FeatureConfig(input="mfcc", seconds=SECONDS)
    utterances, inputs = [], []
    for session in range(sessions):
        for sex in ("female", "male"):
            for emotion in PAPER_EMOTIONS:
                for take in range(takes):
                    speaker = f"{session}{sex[0]}"
                    utterances.append(
                        Utterance(
                            f"{speaker}-{emotion}-{take}",
                            f"{speaker}-{emotion}-{take}.wav",
                            speaker,
                            str(session),
                            sex,
                            "noise",
                            emotion,
                            emotion,
                            16_000,
                            SECONDS,
                        )
                    )
                    x = rng.normal(scale=0.3, size=config.shape)
                    row = 10 * PAPER_EMOTIONS.index(emotion)
                    x[row : row + 10] += 2
                    inputs.append(x)
    order = np.argsort([utterance.key for utterance in utterances])
    corpus = Corpus(name, "none", Path(), tuple(utterances))
    return Dataset(corpus, config, np.array(inputs, dtype=np.float32)[order])


def vectors(**options) -> Dataset:
    """The same speakers; each emotion lifts a tenth of 390 numbers."""
    made = dataset(**options)
    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(len(made.inputs), 1, 390)).astype(np.float32)
    for x, utterance in zip(inputs, made.corpus.utterances, strict=True):
        start = 39 * PAPER_EMOTIONS.index(utterance.emotion)
        x[0, start : start + 39] += 1
    return Dataset(made.corpus, vector_config("mfcc_13x30"), inputs)


def vector_run(made: Dataset, **changes) -> RunConfig:
    """A run of paper 2's network on it: softmax, then triplets."""
    values = {
        "input": "mfcc_13x30",
        "seconds": 6.0,
        "model": "residual",
        "protocol": "speakers",
        "scaling": "standard",
        "optimizer": "adam",
        "learning_rate": 1e-3,
        "triplet_epochs": 2,
        "per_class": 3,
    }
    return config(made, **{**values, **changes})


def config(made: Dataset, **changes) -> RunConfig:
    """A run of a few seconds on it."""
    values = {
        "corpus": made.corpus.name,
        "corpus_hash": made.corpus.hash,
        "emotions": PAPER_EMOTIONS,
        "input": "mfcc",
        "seconds": SECONDS,
        "fold": 0,
        "seed": 0,
        "epochs": 3,
        "batch_size": 8,
        "decoder": (8,),
    }
    return RunConfig(**{**values, **changes})
