"""The training loop of paper 1: softmax, center loss and reconstruction, jointly.

Needs torch and NumPy only. One seed gives every random choice of a run; the state of all of them
is in the checkpoint, so a run that was killed ends as one that was not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ser_lib.config import PROPORTIONS, RunConfig
from ser_lib.features import Dataset, MinMaxScaler
from ser_lib.files import atomic_write
from ser_lib.losses import CenterLoss, reconstruction_loss
from ser_lib.metrics import accuracy_class, accuracy_overall
from ser_lib.models import Outputs, ParallelCNN, ParentCNN
from ser_lib.splits import Fold, folds, thin

Network = ParallelCNN | ParentCNN


@dataclass
class Choice:
    """The epoch that one held-out part picked, and what the other part's scores were then."""

    epoch: int = 0
    merit: tuple[float, float] = (-np.inf, -np.inf)
    """Class accuracy and minus the cross-entropy of validation; for A minus the error, twice."""
    scores: list[list[float]] = field(default_factory=list)
    """Probability of every class for each test utterance."""


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
    run = _Run(dataset, config, device)
    with run.randomness(checkpoint):
        saved = monotonic()
        while run.epoch < config.epochs:
            run.epoch += 1
            run.network.train()
            losses = []
            for batch in run.batches():
                x, y = run.inputs[batch], run.labels[batch]
                out = run.network(x)
                parts = run.losses(out, x, y)
                total = sum(weight * loss for weight, loss in parts.values())
                run.optimizer.zero_grad()
                cast(Tensor, total).backward()
                run.optimizer.step()
                if "center" in parts:
                    run.center_loss.update_centers(out.embedding.detach(), y)
                losses.append({name: loss.item() for name, (_, loss) in parts.items()})
            run.score(losses)
            if checkpoint and (run.epoch == config.epochs or monotonic() - saved >= every):
                run.save(checkpoint)
                saved = monotonic()
    embeddings = predict(run.network, run.inputs).embedding
    centers = run.center_loss.centers
    return Trained(run.network, centers, embeddings, run.history, run.choices, run.fold)


class _Run:
    """State of a run between two epochs."""

    def __init__(self, dataset: Dataset, config: RunConfig, device: str) -> None:
        corpus = dataset.corpus
        found = (corpus.name, corpus.hash, dataset.config.input, dataset.config.seconds)
        asked = (config.corpus, config.corpus_hash, config.input, config.seconds)
        if found != asked:
            raise ValueError(f"features are of {found}, the run asks for {asked}")
        all_folds = folds(corpus, config.protocol)
        if config.fold >= len(all_folds):
            raise ValueError(f"fold {config.fold} of {config.protocol!r}: only {len(all_folds)}")
        self.config = config
        self.fold = all_folds[config.fold]
        init, order, self.dropout_seed, thinning = (
            int(seed) for seed in np.random.SeedSequence(config.seed).generate_state(4)
        )
        train = thin(
            corpus,
            self.fold.train,
            share=config.train_share,
            proportions=PROPORTIONS[config.proportions],
            seed=thinning,
        )
        self.fold = replace(self.fold, train=train)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(init)
            self.network = build_network(config, dataset.config.shape).to(device)
        self.terms = config.objective.split("+")
        self.center_loss = CenterLoss(
            len(config.emotions), self.network.dim, config.alpha, config.center_norm
        ).to(device)
        self.optimizer = torch.optim.Adadelta(
            self.network.parameters(), lr=config.learning_rate, rho=config.rho
        )
        self.order = torch.Generator().manual_seed(order)
        scaler = MinMaxScaler(config.scaling).fit(dataset.inputs[self.fold.train])
        self.inputs = torch.from_numpy(scaler.transform(dataset.inputs)).to(device)
        labels = [config.emotions.index(utterance.emotion) for utterance in corpus.utterances]
        self.labels = torch.tensor(labels, device=device)
        self.epoch = 0
        self.history: list[dict[str, float]] = []
        self.choices = [Choice() for _ in self.fold.ways]

    def batches(self) -> Iterator[Tensor]:
        """Shuffle the training set into batches whose sizes differ by one at most."""
        shuffled = self.fold.train[torch.randperm(len(self.fold.train), generator=self.order)]
        count = -(-len(shuffled) // self.config.batch_size)
        return iter(torch.from_numpy(shuffled).to(self.labels.device).tensor_split(count))

    def losses(self, out: Outputs, x: Tensor, y: Tensor) -> dict[str, tuple[float, Tensor]]:
        """Weight and value of each term of the objective (paper 1, equations 2 to 4)."""
        parts: dict[str, tuple[float, Tensor]] = {}
        if "S" in self.terms:
            parts["softmax"] = (1.0, F.cross_entropy(out.logits, y))
        if "C" in self.terms:
            parts["center"] = (self.config.lambda1, self.center_loss(out.embedding, y))
        if out.reconstruction is not None:
            error = reconstruction_loss(out.reconstruction, x)
            parts["reconstruction"] = (self.config.lambda2, error)
        return parts

    def score(self, losses: list[dict[str, float]]) -> None:
        """Add an epoch to the history and let each held-out part judge it."""
        row: dict[str, float] = {"epoch": self.epoch}
        for name in losses[0]:
            row[f"train_{name}"] = float(np.mean([loss[name] for loss in losses]))
        parts = [predict(self.network, self.inputs[part]) for part in self.fold.parts]
        merits = []
        for number, (indices, out) in enumerate(zip(self.fold.parts, parts, strict=True)):
            truth = self.labels[indices]
            merit: tuple[float, float] = (0.0, 0.0)
            if out.reconstruction is not None:
                error = reconstruction_loss(out.reconstruction, self.inputs[indices]).item()
                row[f"reconstruction_{number}"] = error
                merit = (-error, -error)
            if "S" in self.terms:
                predicted = out.logits.argmax(1).cpu().numpy()
                row[f"accuracy_overall_{number}"] = accuracy_overall(truth.cpu(), predicted)
                row[f"accuracy_class_{number}"] = accuracy_class(truth.cpu(), predicted)
                row[f"cross_entropy_{number}"] = F.cross_entropy(out.logits, truth).item()
                merit = (row[f"accuracy_class_{number}"], -row[f"cross_entropy_{number}"])
            merits.append(merit)
        self.history.append(row)
        for choice, merit, out in zip(self.choices, merits, reversed(parts), strict=False):
            if merit > choice.merit:
                scores = out.logits.softmax(1).tolist() if "S" in self.terms else []
                choice.epoch, choice.merit, choice.scores = self.epoch, merit, scores

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
            "dropout": torch.get_rng_state(),
            "history": self.history,
            "choices": [asdict(choice) for choice in self.choices],
        }
        if self.labels.is_cuda:
            state["dropout_cuda"] = torch.cuda.get_rng_state(self.labels.device)
        with atomic_write(path) as file:
            torch.save(state, file)

    def resume(self, path: Path) -> None:
        """Take up a run where its checkpoint left it."""
        try:
            state = torch.load(path, weights_only=True, map_location=self.labels.device)
        except Exception as error:
            raise ValueError(f"{path} is not a checkpoint: {error}") from error
        if state["identity"] != self.config.identity:
            raise ValueError(f"{path} is of run {state['identity']}, not {self.config.identity}")
        self.epoch = state["epoch"]
        self.network.load_state_dict(state["network"])
        self.center_loss.load_state_dict(state["center_loss"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.order.set_state(state["order"].cpu())
        torch.set_rng_state(state["dropout"].cpu())
        if "dropout_cuda" in state:
            torch.cuda.set_rng_state(state["dropout_cuda"].cpu(), self.labels.device)
        self.history = state["history"]
        self.choices = [Choice(**choice) for choice in state["choices"]]


def build_network(config: RunConfig, shape: tuple[int, int]) -> Network:
    """Return the network of a run, not yet trained, for inputs of ``shape``."""
    classes = len(config.emotions)
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
def predict(network: Network, inputs: Tensor, *, batch_size: int = 64) -> Outputs:
    """Run a network over all inputs without dropout.

    Raises:
        ValueError: there are no inputs.
    """
    if len(inputs) == 0:
        raise ValueError("nothing to predict: there are no inputs")
    network.eval()
    parts = [network(batch) for batch in inputs.split(batch_size)]
    logits, embeddings, reconstructions = zip(*parts, strict=True)
    whole = torch.cat(reconstructions) if reconstructions[0] is not None else None
    return Outputs(torch.cat(logits), torch.cat(embeddings), whole)
