"""A trained network as one small file that answers for any recording.

The file is a NumPy archive without pickles: the network's matrices in half precision, its other
numbers, the scaler and the classes' directions as they are, and in ``meta`` a JSON text with the
run's configuration, the extraction's parameters, the threshold, and what the network is worth.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import torch
from torch import Tensor

from ser_lib import records, study
from ser_lib.angles import angles, choose_threshold, class_directions
from ser_lib.config import PAPER_1_MODELS, RunConfig
from ser_lib.corpora.base import ATTRIBUTIONS, EMOTIONS
from ser_lib.features import FeatureConfig, StandardScaler, extract_file
from ser_lib.files import atomic_write
from ser_lib.metrics import accuracy_class, accuracy_overall
from ser_lib.sources import Sources
from ser_lib.training import Network, build_network, prepare
from ser_lib.training import predict as run_network

SECONDS = (0.5, 60.0)
"""Shortest and longest recording that is answered."""
RATES = (8_000, 192_000)
"""Lowest and highest sampling rate in Hz of such a recording."""
CONFIDENT = 0.8
"""Share of the rightly answered held-out utterances that lie within the threshold."""


@dataclass(frozen=True)
class Prediction:
    """The answer for one recording.

    Example:
        >>> print(Prediction("a.wav", 2.0, "fear", False, {"anger": 95.0, "fear": 81.5}))
        a.wav: unknown (nearest is fear, not confident)
          fear 81.5°, anger 95.0°
    """

    path: str
    seconds: float
    nearest: str
    """Emotion whose direction makes the smallest angle with the embedding."""
    confident: bool
    """Whether that angle is within the predictor's threshold."""
    angles: dict[str, float]
    """Degrees to each emotion's direction."""

    @property
    def emotion(self) -> str:
        """The nearest emotion if it is near enough, else ``unknown``."""
        return self.nearest if self.confident else "unknown"

    def __str__(self) -> str:
        """Write the answer, then every angle, the smallest first."""
        sure = "confident" if self.confident else f"nearest is {self.nearest}, not confident"
        nearest_first = sorted(self.angles.items(), key=lambda item: item[1])
        degrees = ", ".join(f"{emotion} {angle:.1f}°" for emotion, angle in nearest_first)
        return f"{self.path}: {self.emotion} ({sure})\n  {degrees}"


@dataclass(frozen=True)
class Predictor:
    """A network with everything that stands between a recording and its answer.

    The answer is the emotion whose direction makes the smallest angle with the embedding (paper 2,
    abstract), and "unknown" where even that is larger than the threshold.

    Raises:
        ValueError: the parts do not fit each other.
    """

    config: RunConfig
    features: FeatureConfig
    network: Network
    scaler: StandardScaler
    directions: Tensor
    """Unit vector of each emotion, ``(emotions, dim)``, from the training set."""
    threshold: float
    """Degrees, from held-out speakers."""
    origin: dict[str, Any]
    """Study, licence, attribution, and accuracies on the held-out speakers."""

    def __post_init__(self) -> None:
        """Refuse parts that could answer nothing, or nonsense."""
        emotions, shape = self.config.emotions, self.features.shape
        if strangers := sorted(set(emotions) - set(EMOTIONS)):
            raise ValueError(f"unknown emotions {strangers}, known: {', '.join(EMOTIONS)}")
        if not 0 <= self.threshold <= 180:
            raise ValueError(f"threshold is {self.threshold} degrees, it must lie in [0, 180]")
        if self.directions.shape != (len(emotions), self.network.dim):
            raise ValueError(
                f"directions have shape {tuple(self.directions.shape)}, "
                f"expected {(len(emotions), self.network.dim)}"
            )
        for name in ("accuracy_overall", "accuracy_overall_confident"):
            if not 0 <= self.origin["held_out"][name] <= 1:
                raise ValueError(f"{name} is {self.origin['held_out'][name]}, not in [0, 1]")
        numbers = {**self.network.state_dict(), "directions": self.directions}
        for name in ("mean_", "deviation_"):
            values = getattr(self.scaler, name)
            if values.shape != shape:
                raise ValueError(f"scaler's {name} has shape {values.shape}, expected {shape}")
            numbers[name] = torch.from_numpy(values)
        for name, tensor in numbers.items():
            if not tensor.isfinite().all():
                raise ValueError(f"{name} holds a number that is not finite")

    def predict(self, path: str | Path) -> Prediction:
        """Answer for one recording, whatever other recordings are asked about.

        Raises:
            ValueError: the file is no recording, or its length or rate is beyond the limits; the
                message names the path, the value and the limit.
        """
        from ser_lib.audio import AudioError
        from ser_lib.corpora.recording import read_header

        header = read_header(path)
        if not RATES[0] <= header.rate <= RATES[1]:
            raise AudioError(
                f"{path}: {header.rate:,} Hz, it must have {RATES[0]:,} to {RATES[1]:,} Hz"
            )
        if not SECONDS[0] <= header.duration <= SECONDS[1]:
            raise AudioError(
                f"{path}: {header.duration:.6g} s long, it must have "
                f"{SECONDS[0]:g} to {SECONDS[1]:g} s"
            )
        inputs = self.scaler.transform(extract_file(Path(path), self.features)[None])
        embedding = run_network(self.network, torch.from_numpy(inputs)).embedding
        degrees = angles(embedding, self.directions)[0]
        nearest = int(degrees.argmin())
        return Prediction(
            str(path),
            round(header.duration, 3),
            self.config.emotions[nearest],
            bool(degrees[nearest] <= self.threshold),
            dict(zip(self.config.emotions, degrees.tolist(), strict=True)),
        )

    def describe(self) -> dict[str, Any]:
        """What is to be known of whoever gives the answers."""
        config = self.config
        return {
            "run": config.identity,
            "label": config.label,
            "corpus": config.corpus,
            "protocol": config.protocol,
            "emotions": list(config.emotions),
            "threshold": self.threshold,
            **self.origin,
        }

    def __str__(self) -> str:
        """Say what was learned from, and what the answers are worth."""
        config, held_out = self.config, self.origin["held_out"]
        return (
            f"trained on {config.corpus} (licence: {self.origin['licence']}); of speakers it never "
            f"heard it answered {held_out['accuracy_overall']:.1%} rightly, of its confident "
            f"answers {held_out['accuracy_overall_confident']:.1%} (confident: within "
            f"{self.threshold:.1f}°)"
        )

    def save(self, path: str | Path) -> None:
        """Write the file that :meth:`load` reads."""
        meta = {
            "config": asdict(self.config),
            "features": asdict(self.features),
            "threshold": self.threshold,
            "origin": self.origin,
        }
        weights = {
            f"network.{name}": (tensor.half() if tensor.dim() > 1 else tensor).numpy()
            for name, tensor in self.network.state_dict().items()
        }
        with atomic_write(Path(path)) as file:
            np.savez_compressed(
                file,
                meta=np.array(json.dumps(meta)),
                mean=self.scaler.mean_,
                deviation=self.scaler.deviation_,
                directions=self.directions.numpy(),
                **weights,
            )

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what :meth:`save` wrote; never unpickles.

        Raises:
            FileNotFoundError: there is no such file; the message says how to make one.
            ValueError: the file is damaged, or is something else.
        """
        path = Path(path)
        if not path.exists():
            raise FileNotFoundError(
                f"there is no predictor at {path}: make it from a finished run by "
                f"'ser study export STUDY RUN --to {path}', or name another by --model"
            )
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            meta = json.loads(str(arrays["meta"]))
            config = RunConfig.from_dict(meta["config"])
            features = FeatureConfig(**meta["features"])
            network = build_network(config, features.shape)
            weights = {
                name: torch.from_numpy(arrays[f"network.{name}"]) for name in network.state_dict()
            }
            network.load_state_dict(weights)
            scaler = StandardScaler()
            scaler.mean_, scaler.deviation_ = arrays["mean"], arrays["deviation"]
            directions = torch.from_numpy(arrays["directions"])
            threshold, origin = float(meta["threshold"]), dict(meta["origin"])
            return cls(config, features, network, scaler, directions, threshold, origin)
        except Exception as error:
            reason = f"lacks {error}" if isinstance(error, KeyError) else error
            raise ValueError(f"{path} is not a predictor, or is damaged: {reason}") from error


def export(name: str, run: str, *, runs_root: Path, sources: Sources | None = None) -> Predictor:
    """Make a predictor from a finished run of a study.

    The weights are rounded to what :meth:`Predictor.save` keeps; then the directions are taken from
    the training set, and the threshold and the accuracies from the held-out speakers. Within the
    threshold lie ``CONFIDENT`` of those of their utterances that are answered rightly; had the
    wrongly answered a say, whose own class is far off, hardly any answer could be beyond it.

    Args:
        name: of the study.
        run: its identity, as ``ser study plan`` prints it.
        runs_root: folder of the runs' own folders.
        sources: of corpora and features.

    Raises:
        ValueError: the run is not finished, not one of the study's on the corpus at hand, not of
            paper 2's networks, or its speakers are in the training and the held-out part.
    """
    sources, folder = sources or Sources(), runs_root / run
    if not records.finished(folder):
        raise ValueError(f"run {run!r} is not finished: {folder / 'result.json'} does not exist")
    try:
        config = RunConfig.from_dict(json.loads((folder / "config.json").read_text()))
        state = torch.load(folder / "checkpoint.pt", weights_only=True, map_location="cpu")
        weights = {
            key: tensor.half().float() if tensor.dim() > 1 else tensor
            for key, tensor in state["network"].items()
        }
    except Exception as error:
        raise ValueError(f"run {run!r} in {folder} cannot be read: {error}") from error
    if config.model in PAPER_1_MODELS or config.scaling != "standard":
        raise ValueError(
            f"run {run!r} has the model {config.model!r} with scaling {config.scaling!r}; a "
            "predictor has one of paper 2's, with scaling 'standard'"
        )
    only = {"corpus": config.corpus, "fold": config.fold, "seed": config.seed}
    if run not in {c.identity for c in study.read_plan(name, only, sources=sources).runs}:
        raise ValueError(f"run {run!r} is none of study {name!r} on the corpus at hand")
    dataset = sources.dataset(config).select(emotions=config.emotions)
    fold, scaler = prepare(dataset, config)
    if fold.speaker_dependent:
        raise ValueError(
            f"run {run!r} has the protocol {config.protocol!r}, whose speakers are in the training "
            "and the held-out part: nothing would be known of new voices"
        )
    network = build_network(config, dataset.config.shape)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"run {run!r} in {folder} has the weights of another: {error}") from error
    scaler = cast(StandardScaler, scaler)
    corpus, classes = dataset.corpus, len(config.emotions)
    z = run_network(network, torch.from_numpy(scaler.transform(dataset.inputs))).embedding
    y = torch.tensor([config.emotions.index(u.emotion) for u in corpus.utterances])
    directions = class_directions(z[fold.train], y[fold.train], classes, reading="unit mean")
    held_out = np.concatenate(fold.parts)
    smallest, nearest = angles(z[held_out], directions).min(1)
    truth = y[held_out]
    right = nearest == truth
    threshold = choose_threshold(z[held_out][right], truth[right], directions, share=CONFIDENT)
    confident = smallest <= threshold
    origin = {
        "study": name,
        "licence": corpus.licence,
        "attribution": ATTRIBUTIONS.get(corpus.name, ""),
        "held_out": {
            "speakers": sorted({corpus.utterances[index].speaker for index in held_out}),
            "utterances": len(held_out),
            "accuracy_overall": accuracy_overall(truth, nearest),
            "accuracy_class": accuracy_class(truth, nearest),
            "confident": float(confident.double().mean()),
            "accuracy_overall_confident": accuracy_overall(truth[confident], nearest[confident]),
        },
    }
    return Predictor(config, dataset.config, network, scaler, directions, threshold, origin)
