"""The configuration of a run, which is also its identity."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields, replace
from functools import cache
from math import inf
from typing import Any, Literal, Self, get_args, get_origin, get_type_hints

from ser_lib.corpora.base import PAPER_EMOTIONS
from ser_lib.features import FeatureConfig, Input, VectorInput
from ser_lib.layers import Padding
from ser_lib.mining import Distance, Mining
from ser_lib.vectors import VECTOR_INPUTS, vector_config

PAPER_1_MODELS = ("parallel_cnn", "parent_cnn")
"""Paper 1's network, and the one it descends from."""
VECTOR_MODELS = ("residual", "fc", "cnn", "rnn", "lstm", "gru")
"""Paper 2's network and its ablation: they take 390 numbers and have a number of layers."""
MODELS = (*PAPER_1_MODELS, *VECTOR_MODELS, "residual_frames")
"""All of them, and paper 2's second reading, for utterances of any length."""

PROPORTIONS = {
    "": None,
    "iemocap": {"neutral": 0.488, "sadness": 0.269, "happiness": 0.123, "anger": 0.12},
}
"""Named shares of the emotions: as they are, or as paper 1 prints them in section 3."""

OBJECTIVES = ("S", "A", "S+A", "S+C", "S+A+C")
"""Softmax (S), reconstruction as auxiliary task (A), center loss (C), and their sums."""


_REQUIRED = {
    "corpus": str,
    "corpus_hash": str,
    "emotions": tuple,
    "input": str,
    "fold": int,
    "seed": int,
}


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """One run: one network, trained on one fold with one seed.

    The identity of a run is the hash of what differs from the defaults below, so a default may
    never change; a new field whose default means "as before" leaves old identities alone.

    Raises:
        ValueError: a value is out of its range.
    """

    corpus: str
    corpus_hash: str
    emotions: tuple[str, ...]
    """Classes, in this order."""
    input: Input
    fold: int
    seed: int
    protocol: str = "sessions"
    seconds: float = 6.0
    scaling: Literal["coefficient", "global", "standard"] = "coefficient"
    padding: Padding = "valid"
    units: int = 64
    dropout: float = 0.5
    decoder: tuple[int, ...] = (256,)
    objective: str = "S"
    lambda1: float = 4.0
    """Weight of the center loss (paper 1, equation 2)."""
    lambda2: float = 1.0
    """Weight of the reconstruction loss (paper 1, equation 3)."""
    alpha: float = 0.5
    center_norm: Literal["l1", "l2"] = "l2"
    epochs: int = 60
    batch_size: int = 32
    learning_rate: float = 1.0
    rho: float = 0.95
    model: str = "parallel_cnn"
    proportions: str = ""
    """Thin the training set to these shares of the emotions."""
    train_share: float = 1.0
    """Thin the training set to this share of each emotion."""
    layers: int = 11
    """The x of paper 2's "ResNet-x" and its ablation."""
    optimizer: Literal["adadelta", "adam"] = "adadelta"
    triplet_epochs: int = 0
    """Epochs of triplet loss after ``epochs`` of the objective, which may be none."""
    mining: Mining = "all"
    distance: Distance = "euclidean"
    margin: float = 0.2
    per_class: int = 8
    """Utterances of each emotion in a batch of the triplet stage."""
    batch_statistics: Literal["running", "training_set"] = "running"
    """Means and variances of batch norm where the held-out parts judge an epoch: the running
    averages of training, or those of the training set, measured anew each time."""

    def __post_init__(self) -> None:
        """Refuse what could not be trained."""
        for name, known in _choices().items():
            if (value := getattr(self, name)) not in known:
                raise ValueError(f"{name} {value!r}, known: {', '.join(known)}")
        if self.model != "parallel_cnn" and "A" in self.objective:
            raise ValueError(f"model {self.model!r} has no decoder, objective {self.objective}")
        if (self.input in get_args(VectorInput)) != (self.model in VECTOR_MODELS):
            raise ValueError(f"model {self.model!r} does not take the input {self.input!r}")
        if self.triplet_epochs and self.model in PAPER_1_MODELS:
            raise ValueError(f"model {self.model!r} answers by softmax only: no triplet_epochs")
        if self.triplet_epochs and self.protocol == "sessions":
            raise ValueError(
                "no triplet_epochs with protocol 'sessions', where one half picks the epoch of the "
                "other by softmax; take 'speakers' or a random protocol"
            )
        limits = {
            "train_share": 0 < self.train_share <= 1,
            "fold": self.fold >= 0,
            "seed": 0 <= self.seed < 2**32,
            "seconds": 0 < self.seconds <= 60,
            "units": self.units >= 1,
            "layers": self.layers >= 1,
            "dropout": 0 <= self.dropout < 1,
            "decoder": all(type(width) is int and width >= 1 for width in self.decoder),
            "lambda1": 0 <= self.lambda1 < inf,
            "lambda2": 0 <= self.lambda2 < inf,
            "alpha": 0 <= self.alpha <= 1,
            "epochs": self.epochs >= 0 and self.epochs + self.triplet_epochs > 0,
            "triplet_epochs": self.triplet_epochs >= 0,
            "margin": 0 < self.margin < inf,
            "per_class": self.per_class >= 2,
            "batch_size": self.batch_size >= 2,
            "learning_rate": 0 < self.learning_rate < inf,
            "rho": 0 < self.rho < 1,
        }
        for name, fine in limits.items():
            if not fine:
                raise ValueError(f"{name} is {getattr(self, name)}, which is out of its range")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Build a configuration from JSON or TOML values; an unknown name is refused."""
        kinds = {f.name: _REQUIRED.get(f.name, type(f.default)) for f in fields(cls)}
        if unknown := sorted(set(values) - set(kinds)):
            raise ValueError(f"unknown setting {', '.join(unknown)}; known: {', '.join(kinds)}")
        clean: dict[str, Any] = {}
        for name, value in values.items():
            if isinstance(value, list):
                value = tuple(value)
            elif kinds[name] is float and type(value) is int:
                value = float(value)
            if type(value) is not kinds[name]:
                raise ValueError(f"{name} is {value!r}, expected {kinds[name].__name__}")
            clean[name] = value
        if lacking := sorted(set(_REQUIRED) - set(values)):
            raise ValueError(f"lacks {', '.join(lacking)}")
        return cls(**clean)

    def canonical(self) -> Self:
        """Set what the objective does not use to its default, so that equal runs are one run."""
        unused = set()
        if "A" not in self.objective:
            unused |= {"lambda2", "decoder"}
        if "C" not in self.objective:
            unused |= {"lambda1", "alpha", "center_norm"}
        if self.model not in VECTOR_MODELS:
            unused |= {"layers"}
        if not self.triplet_epochs:
            unused |= {"mining", "distance", "margin", "per_class"}
        defaults: dict[str, Any] = {f.name: f.default for f in fields(self) if f.name in unused}
        return replace(self, **defaults)

    @property
    def features(self) -> FeatureConfig:
        """How the features that the run trains on are extracted."""
        if self.input in VECTOR_INPUTS:
            return vector_config(self.input)
        return FeatureConfig(input=self.input, seconds=self.seconds)

    @property
    def speaker_dependent(self) -> bool:
        """Whether training and test share speakers."""
        return self.protocol.startswith("random")

    @property
    def answer(self) -> str:
        """How the run answers unless asked for another way: by softmax, after triplets by angle."""
        return "angle" if self.triplet_epochs else "softmax"

    @property
    def in_depth(self) -> bool:
        """Whether the packed record keeps every way to answer, and the embeddings.

        It does for the papers' own networks tested on new speakers, as the study usually trains
        them; the rest would fill most of the records with what no page asks for.
        """
        setting = (self.model, self.layers, self.input)
        own = self.model not in VECTOR_MODELS or setting == ("residual", 11, "mfcc_13x30")
        usual = (self.mining, self.distance, self.margin) == ("all", "euclidean", 0.2)
        return own and usual and not self.speaker_dependent

    @property
    def label(self) -> str:
        """What a person calls the run: its place, and every setting that is not the default."""
        told = [f"{self.corpus} {self.input} {self.objective}"]
        for field in fields(self):
            value = getattr(self, field.name)
            chosen = field.name not in (*_REQUIRED, "objective") and value != field.default
            if chosen or (field.name == "lambda1" and "C" in self.objective):
                shown = f"{value:g}" if isinstance(value, float) else str(value)
                told.append(f"{field.name}={shown}")
        if self.emotions != PAPER_EMOTIONS:
            told.append(f"{len(self.emotions)} emotions")
        return f"{' '.join(told)} fold {self.fold} seed {self.seed}"

    @property
    def identity(self) -> str:
        """Name of the run: 16 hex digits of a SHA-256."""
        chosen = {f.name: getattr(self, f.name) for f in fields(self)}
        chosen = {f.name: chosen[f.name] for f in fields(self) if chosen[f.name] != f.default}
        return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()[:16]


@cache
def _choices() -> dict[str, tuple[str, ...]]:
    """Settings that are a name, and the names that each can have."""
    kinds = get_type_hints(RunConfig)
    literal = {name: get_args(kind) for name, kind in kinds.items() if get_origin(kind) is Literal}
    return {"objective": OBJECTIVES, "model": MODELS, "proportions": tuple(PROPORTIONS), **literal}
