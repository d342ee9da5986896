"""The training loop of both papers.

Paper 1: softmax, center loss and reconstruction, jointly. Paper 2: softmax, then triplet loss on
the embeddings' directions.

Needs torch and NumPy only. One seed gives every random choice of a run; the state of all of them
is in the checkpoint, so a run that was killed ends as one that was not.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Any, cast, get_args

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

from ser_lib.angles import class_directions, cosines
from ser_lib.config import PAPER_1_MODELS, PROPORTIONS, RunConfig
from ser_lib.features import Dataset, MinMaxScaler, StandardScaler
from ser_lib.files import atomic_write
from ser_lib.losses import CenterLoss, reconstruction_loss, triplet_loss
from ser_lib.metrics import accuracy_class, accuracy_overall
from ser_lib.mining import describe
from ser_lib.models import (
    AblationNetwork,
    Family,
    Outputs,
    ParallelCNN,
    ParentCNN,
    ResidualEmbedder,
    ResidualFrames,
)
from ser_lib.sampling import BalancedBatches
from ser_lib.splits import Fold, folds, thin
from ser_lib.vectors import STEPS

Network = ParallelCNN | ParentCNN | ResidualEmbedder | ResidualFrames | AblationNetwork


@dataclass
class Choice:
    """The epoch that one held-out part picked, and what the other part's scores were then."""

    epoch: int = 0
    merit: tuple[float, float] = (-np.inf, -np.inf)
    """Class accuracy and minus the cross-entropy of validation; for A minus the error, twice."""
    scores: dict[str, list[list[float]]] = field(default_factory=dict)
    """Score of every class for each test utterance, by each way to answer that the run has.

    ``softmax``: probabilities. ``angle``: cosines to the mean directions of the training set's
    classes. ``weights``: cosines to the rows of the last layer's weights.
    """


@dataclass
class Trained:
    """What a run leaves."""

    network: Network
    centers: Tensor
    embeddings: Tensor
    """Of all the corpus's utterances, by the network of the last epoch, ``(utterances, dim)``."""
    history: list[dict[str, float]]
    choices: list[Choice]
    fold: Fold


def train(
    dataset: Dataset,
    config: RunConfig,
    *,
    checkpoint: Path | None = None,
    every: float = 20.0,
    device: str = "cpu",
) -> Trained:
    """Train one network and let the held-out parts pick epochs for each other.

    Args:
        dataset: features of the corpus; only ``config.emotions`` are used.
        config: everything else.
        checkpoint: where to resume from if it exists, and to save to.
        every: seconds between two checkpoints.
        device: of torch.

    Raises:
        ValueError: dataset and configuration do not belong together, or the fold leaks.
    """
    dataset = dataset.select(emotions=config.emotions)
    run = Run(dataset, config, device)
    with run.randomness(checkpoint):
        saved = monotonic()
        last = config.epochs + config.triplet_epochs
        while run.epoch < last:
            run.epoch += 1
            if run.epoch == config.epochs + 1:
                run.optimizer = run.make_optimizer()  # the triplet stage begins afresh
            run.network.train()
            run.score([run.step(batch) for batch in run.batches()])
            if checkpoint and (run.epoch == last or monotonic() - saved >= every):
                run.save(checkpoint)
                saved = monotonic()
    embeddings = predict(run.network, run.inputs).embedding
    centers = run.center_loss.centers
    return Trained(run.network, centers, embeddings, run.history, run.choices, run.fold)


class Run:
    """A run between two steps."""

    def __init__(self, dataset: Dataset, config: RunConfig, device: str) -> None:
        """Make the network, its optimiser and the data ready for the first step."""
        self.config = config
        self.fold, scaler = prepare(dataset, config)
        init, order, self.dropout_seed, _ = _seeds(config)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(init)  # the CPU's only, where weights are drawn
            self.network = build_network(config, dataset.config.shape).to(device)
        self.terms = config.objective.split("+")
        self.center_loss = CenterLoss(
            len(config.emotions), self.network.dim, config.alpha, config.center_norm
        ).to(device)
        self.optimizer = self.make_optimizer()
        self.order = torch.Generator().manual_seed(order)
        self.inputs = torch.from_numpy(scaler.transform(dataset.inputs)).to(device)
        labels = [
            config.emotions.index(utterance.emotion) for utterance in dataset.corpus.utterances
        ]
        self.labels = torch.tensor(labels, device=device)
        self.sampler = BalancedBatches(
            self.labels.cpu()[self.fold.train],
            utterances=config.per_class,
            generator=self.order,
        )
        self.epoch = 0
        self.history: list[dict[str, float]] = []
        self.choices = [Choice() for _ in self.fold.ways]

    @property
    def in_triplet_stage(self) -> bool:
        """Whether the epoch that runs belongs to the triplet loss."""
        return self.epoch > self.config.epochs

    def make_optimizer(self) -> torch.optim.Optimizer:
        """Return a fresh optimiser."""
        parameters, rate = self.network.parameters(), self.config.learning_rate
        if self.config.optimizer == "adam":
            return torch.optim.Adam(parameters, lr=rate)
        return torch.optim.Adadelta(parameters, lr=rate, rho=self.config.rho)

    def batches(self) -> Iterator[Tensor]:
        """Shuffle the training set into batches whose sizes differ by one at most.

        In the triplet stage each has the same number of utterances of each emotion.
        """
        train = self.fold.train
        if self.in_triplet_stage:
            for batch in self.sampler:
                yield torch.from_numpy(train)[batch].to(self.labels.device)
            return
        shuffled = train[torch.randperm(len(train), generator=self.order)]
        count = -(-len(shuffled) // self.config.batch_size)
        yield from torch.from_numpy(shuffled).to(self.labels.device).tensor_split(count)

    def measure_batch_norm(self) -> None:
        """Set batch norm's means and variances to those of the training set.

        In a network with dropout before its batch norm they are those under dropout.

        In training they are not used, and dropout's random numbers are left as they were, so the
        training goes on as it would have without.
        """
        devices = [self.labels.device] if self.labels.is_cuda else []
        with torch.random.fork_rng(devices=devices):
            update_bn([self.inputs[self.fold.train]], self.network)

    def step(self, batch: Tensor) -> dict[str, float]:
        """Train on a batch, and say what to log of it."""
        x, y = self.inputs[batch], self.labels[batch]
        out = self.network(x)
        parts = self.losses(out, x, y)
        total = sum(weight * loss for weight, loss in parts.values())
        self.optimizer.zero_grad()
        cast(Tensor, total).backward()
        self.optimizer.step()
        if "center" in parts:
            self.center_loss.update_centers(out.embedding.detach(), y)
        row = {f"train_{name}": loss.item() for name, (_, loss) in parts.items()}
        return {**row, **self.statistics(out, y)}

    def losses(self, out: Outputs, x: Tensor, y: Tensor) -> dict[str, tuple[float, Tensor]]:
        """Weight and value of each term of the objective (paper 1, equations 2 to 4)."""
        config = self.config
        if self.in_triplet_stage:
            loss = triplet_loss(
                F.normalize(out.embedding),
                y,
                config.margin,
                mining=config.mining,
                distance=config.distance,
                generator=self.order,
            )
            return {"triplet": (1.0, loss)}
        parts: dict[str, tuple[float, Tensor]] = {}
        if "S" in self.terms:
            parts["softmax"] = (1.0, F.cross_entropy(out.logits, y))
        if "C" in self.terms:
            parts["center"] = (config.lambda1, self.center_loss(out.embedding, y))
        if out.reconstruction is not None:
            error = reconstruction_loss(out.reconstruction, x)
            parts["reconstruction"] = (config.lambda2, error)
        return parts

    def statistics(self, out: Outputs, y: Tensor) -> dict[str, float]:
        """What to log of a batch of the triplet stage."""
        if not self.in_triplet_stage:
            return {}
        config, embeddings = self.config, out.embedding.detach()
        found = describe(F.normalize(embeddings), y, config.margin, config.distance)
        return {**asdict(found), "norm": float(embeddings.norm(dim=1).mean())}

    def score(self, losses: list[dict[str, float]]) -> None:
        """Add an epoch to the history and let each held-out part judge it."""
        row: dict[str, float] = {"epoch": self.epoch}
        for name in losses[0]:
            row[name] = float(np.mean([loss[name] for loss in losses]))
        if self.config.batch_statistics == "training_set":
            self.measure_batch_norm()
        parts = [predict(self.network, self.inputs[part]) for part in self.fold.parts]
        answers = self.answers(parts)
        merits = []
        for number, (indices, out) in enumerate(zip(self.fold.parts, parts, strict=True)):
            truth = self.labels[indices]
            merit: tuple[float, float] = (0.0, 0.0)
            if out.reconstruction is not None:
                error = reconstruction_loss(out.reconstruction, self.inputs[indices]).item()
                row[f"reconstruction_{number}"] = error
                merit = (-error, -error)
            for by, scores in answers[number].items():
                kind = "" if by == "softmax" else f"_{by}"
                predicted = scores.argmax(1).cpu().numpy()
                row[f"accuracy_overall{kind}_{number}"] = accuracy_overall(truth.cpu(), predicted)
                row[f"accuracy_class{kind}_{number}"] = accuracy_class(truth.cpu(), predicted)
            if "softmax" in answers[number]:
                row[f"cross_entropy_{number}"] = F.cross_entropy(out.logits, truth).item()
                merit = (row[f"accuracy_class_{number}"], -row[f"cross_entropy_{number}"])
            merits.append(merit)
        self.history.append(row)
        if len(parts) == 1:  # nobody picks, so the last epoch counts
            merits, answers = [(float(self.epoch), 0.0)], answers * 2
        for choice, merit, answer in zip(self.choices, merits, reversed(answers), strict=False):
            if merit > choice.merit:
                choice.epoch, choice.merit = self.epoch, merit
                choice.scores = {by: table.tolist() for by, table in answer.items()}

    def answers(self, parts: list[Outputs]) -> list[dict[str, Tensor]]:
        """Scores of every class for each held-out part, by each way to answer."""
        given: list[dict[str, Tensor]] = [{} for _ in parts]
        # The triplet stage moves the embeddings and leaves the softmax layer behind.
        if "S" in self.terms and not self.in_triplet_stage:
            for answer, out in zip(given, parts, strict=True):
                answer["softmax"] = out.logits.softmax(1)
        if self.config.model not in PAPER_1_MODELS:
            train = predict(self.network, self.inputs[self.fold.train]).embedding
            classes = len(self.config.emotions)
            labels = self.labels[self.fold.train]
            directions = class_directions(train, labels, classes, reading="unit mean")
            for answer, out in zip(given, parts, strict=True):
                answer["angle"] = cosines(out.embedding, directions)
                if not self.in_triplet_stage:
                    rows = cast(nn.Linear, self.network.classify).weight
                    answer["weights"] = cosines(out.embedding, rows)
        return given

    @contextmanager
    def randomness(self, checkpoint: Path | None) -> Iterator[None]:
        """Give dropout its own seed, or the checkpoint's state, and leave torch's as it was."""
        devices = [self.labels.device] if self.labels.is_cuda else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(self.dropout_seed)
            if checkpoint and checkpoint.exists():
                self.resume(checkpoint)
            yield

    def save(self, path: Path) -> None:
        """Write everything that the rest of the run depends on."""
        state = {
            "identity": self.config.identity,
            "epoch": self.epoch,
            "network": self.network.state_dict(),
            "center_loss": self.center_loss.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "order": self.order.get_state(),
            "sampler": self.sampler.state_dict(),
            "dropout": torch.get_rng_state(),
            "history": self.history,
            "choices": [asdict(choice) for choice in self.choices],
        }
        if self.labels.is_cuda:
            state["dropout_cuda"] = torch.cuda.get_rng_state(self.labels.device)
        write_tensors(path, state)

    def resume(self, path: Path) -> None:
        """Take up a run where its checkpoint left it."""
        try:
            state = torch.load(path, weights_only=True, map_location=self.labels.device)
        except Exception as error:
            raise ValueError(f"{path} is not a checkpoint: {error!r}") from error
        if not isinstance(state, dict) or "epoch" not in state:
            raise ValueError(f"{path} is no checkpoint to resume from; remove it to begin anew")
        if (identity := state.get("identity")) != self.config.identity:
            raise ValueError(f"{path} is of run {identity}, not {self.config.identity}")
        self.epoch = state["epoch"]
        self.network.load_state_dict(state["network"])
        self.center_loss.load_state_dict(state["center_loss"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.sampler.load_state_dict(state["sampler"])
        self.order.set_state(state["order"].cpu())
        torch.set_rng_state(state["dropout"].cpu())
        if "dropout_cuda" in state:
            torch.cuda.set_rng_state(state["dropout_cuda"].cpu(), self.labels.device)
        self.history = state["history"]
        self.choices = [Choice(**choice) for choice in state["choices"]]


def write_tensors(path: Path, values: dict[str, Any]) -> None:
    """Save with torch, in memory first: its own errors do not tell a full disk from a bug."""
    made = io.BytesIO()
    torch.save(values, made)
    with atomic_write(path) as file:
        file.write(made.getbuffer())


def prepare(dataset: Dataset, config: RunConfig) -> tuple[Fold, StandardScaler | MinMaxScaler]:
    """Return a run's fold, with the training set that it asks for, and the scaler fitted on that.

    Raises:
        ValueError: the features are others than the run's, or the protocol does not fit the corpus,
            has no such fold, or leaks.
    """
    corpus = dataset.corpus
    found = (corpus.name, corpus.hash, dataset.config)
    asked = (config.corpus, config.corpus_hash, config.features)
    if found != asked:
        raise ValueError(f"features are of {found}, the run asks for {asked}")
    all_folds = folds(corpus, config.protocol)
    if config.fold >= len(all_folds):
        raise ValueError(f"fold {config.fold} of {config.protocol!r}: only {len(all_folds)}")
    fold = all_folds[config.fold]
    train = thin(
        corpus,
        fold.train,
        share=config.train_share,
        proportions=PROPORTIONS[config.proportions],
        seed=_seeds(config)[3],
    )
    scaler = StandardScaler() if config.scaling == "standard" else MinMaxScaler(config.scaling)
    return replace(fold, train=train), scaler.fit(dataset.inputs[train])


def _seeds(config: RunConfig) -> list[int]:
    """Seeds of the first weights, the order, the dropout and the thinning."""
    return [int(seed) for seed in np.random.SeedSequence(config.seed).generate_state(4)]


def build_network(config: RunConfig, shape: tuple[int, int]) -> Network:
    """Return the network of a run, not yet trained, for inputs of ``shape``."""
    classes = len(config.emotions)
    if config.model == "residual":
        return ResidualEmbedder(classes, shape, layers=config.layers)
    if config.model == "residual_frames":
        return ResidualFrames(classes, shape)
    if config.model in get_args(Family):
        family = cast(Family, config.model)
        return AblationNetwork(family, classes, STEPS[config.input], layers=config.layers)
    if config.model == "parent_cnn":
        return ParentCNN(classes, shape, padding=config.padding, dropout=config.dropout)
    return ParallelCNN(
        classes,
        shape,
        padding=config.padding,
        units=config.units,
        dropout=config.dropout,
        decoder=config.decoder if "A" in config.objective else None,
    )


@torch.no_grad()
def predict(network: Network, inputs: Tensor) -> Outputs:
    """Run a network over all inputs without dropout.

    Raises:
        ValueError: there are no inputs.
    """
    if len(inputs) == 0:
        raise ValueError("nothing to predict: there are no inputs")
    network.eval()
    parts = [network(batch) for batch in inputs.split(64)]
    logits, embeddings, reconstructions = zip(*parts, strict=True)
    whole = torch.cat(reconstructions) if reconstructions[0] is not None else None
    return Outputs(torch.cat(logits), torch.cat(embeddings), whole)
