"""Speed and memory of the library's own computations, as ratios to the plain way in one run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ser_lib import corpora
from ser_lib.config import OBJECTIVES, RunConfig
from ser_lib.corpora.base import PAPER_EMOTIONS
from ser_lib.features import FeatureConfig, extract, log_mel, mfcc
from ser_lib.layers import ConvReLUMaxPool2d
from ser_lib.models.parallel_cnn import KERNEL_SIZES, ParallelCNN
from ser_lib.statistics import corrected_t_test
from ser_lib.training import Run


@dataclass(frozen=True)
class Comparison:
    """A step of the plain layers against the same step by search."""

    shape: tuple[int, int]
    speech: float
    """Share of the frames that is not padding."""
    plain_ms: float
    """Milliseconds per utterance, forward and backward, the fastest repetition."""
    search_ms: float
    times_faster: float
    plain_mib: float
    """Peak of what was allocated during the step, MiB."""
    search_mib: float
    times_smaller: float


class PlainPaths(nn.Module):
    """The four paths as ``nn.Conv2d``, ReLU and ``nn.MaxPool2d``, with the same parameters."""

    def __init__(self, layers: Iterable[ConvReLUMaxPool2d]) -> None:
        """Copy the parameters of search layers."""
        super().__init__()
        self.convolutions = nn.ModuleList()
        for layer in layers:
            convolution = nn.Conv2d(1, len(layer.weight), layer.kernel_size)
            convolution.load_state_dict(layer.state_dict())
            self.convolutions.append(convolution)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve, rectify, pool to 2 x 2 and concatenate."""
        pooled = []
        for convolution in self.convolutions:
            response = convolution(x[:, None]).relu()
            size = (response.shape[2] // 2, response.shape[3] // 2)
            pooled.append(nn.functional.max_pool2d(response, size)[:, :, :2, :2].flatten(1))
        return torch.cat(pooled, 1)


def layer(
    *, batch: int = 16, repeats: int = 3, device: str = "cpu", threads: int | None = None
) -> dict[str, Any]:
    """Compare a training step of paper 1's four paths in both forms.

    Args:
        batch: utterances in a step.
        repeats: timed steps of either form, in turn; the fastest counts.
        device: of torch.
        threads: of torch, by default as many as it takes.

    Raises:
        ValueError: ``batch`` or ``repeats`` is not positive.
    """
    if batch < 1 or repeats < 1:
        raise ValueError(f"batch {batch} and repeats {repeats} must be positive")
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        used = torch.get_num_threads()
        rows = [
            _compare(shape, speech, batch, repeats, device)
            for shape in ((128, 188), (40, 188))
            for speech in (1.0, 0.5)
        ]
    finally:
        torch.set_num_threads(before)
    gpu = torch.cuda.get_device_name() if device.startswith("cuda") else None
    return {
        "device": device,
        "gpu": gpu,
        "threads": used,
        "batch": batch,
        "torch": torch.__version__,
        "comparisons": [asdict(row) for row in rows],
    }


def inference(
    *, batches: Sequence[int] = (1, 64), repeats: int = 5, device: str = "cpu"
) -> dict[str, Any]:
    """Time paper 1's network per utterance of six seconds, without and with its features.

    Args:
        batches: utterances in a call of the network.
        repeats: timed calls; the fastest counts.
        device: of torch; features are always computed on the CPU, one utterance after the other.

    Returns:
        ``rows`` with ``input``, ``batch``, ``device``, ``features`` (included or not) and
        ``microseconds`` an utterance.

    Raises:
        ValueError: a batch or ``repeats`` is not positive.
    """
    if min(batches, default=0) < 1 or repeats < 1:
        raise ValueError(f"batches {tuple(batches)} and repeats {repeats} must be positive")
    signal = np.random.default_rng(0).normal(size=96_000).astype(np.float32)
    rows = []
    for name, compute in (("mfcc", mfcc), ("log_mel", log_mel)):
        features = _fastest(partial(compute, signal, 16_000), repeats, "cpu")
        shape = compute(signal, 16_000).shape
        network = ParallelCNN(4, (shape[0], shape[1])).eval().to(device)
        for batch in batches:
            x = torch.rand(batch, *shape, device=device)
            with torch.no_grad():
                alone = _fastest(partial(network, x), repeats, device) / batch
            rows += [
                {
                    "input": name,
                    "batch": batch,
                    "device": device,
                    "features": included,
                    "microseconds": round(1e6 * (alone + included * features)),
                }
                for included in (False, True)
            ]
    return {"threads": torch.get_num_threads(), "torch": torch.__version__, "rows": rows}


def objectives(*, rounds: int = 5, device: str = "cpu") -> dict[str, Any]:
    """Time paper 1's training steps with each objective on MFCC of the built-in corpus, in turns.

    Two sessions of it: a step takes as long whatever is spoken.

    Args:
        rounds: epochs of each, two at least; every batch is trained on with all objectives, one
            after the other.
        device: of torch.

    Returns:
        ``rows`` with ``objective``, ``milliseconds`` a step, and for all but softmax alone
        ``against_softmax``: the geometric mean over rounds of the ratio to it, with the ends of
        its 95 % interval (t-test of the log ratios).

    Raises:
        ValueError: there are fewer than two ``rounds``.
    """
    if rounds < 2:
        raise ValueError(f"rounds {rounds}: two at least are needed for an interval")
    speech = corpora.load("builtin").select(emotions=PAPER_EMOTIONS)
    some = {u.speaker for u in speech.utterances if u.session in speech.sessions[:2]}
    speech = speech.select(speakers=sorted(some))
    made = extract(speech, FeatureConfig(input="mfcc"))
    plain = RunConfig(
        corpus=speech.name, corpus_hash=speech.hash, emotions=PAPER_EMOTIONS,
        input="mfcc", fold=0, seed=0,
    )  # fmt: skip
    runs = {name: Run(made, replace(plain, objective=name), device) for name in OBJECTIVES}
    seconds = {name: np.zeros(rounds) for name in runs}
    steps = 0
    for number in range(-1, rounds):  # the first warms up
        for batch in runs["S"].batches():
            steps += number >= 0
            for name, run in runs.items():
                _wait(device)
                start = perf_counter()
                run.step(batch)
                _wait(device)
                seconds[name][max(number, 0)] += (perf_counter() - start) * (number >= 0)
    rows = []
    for name, spent in seconds.items():
        row: dict[str, Any] = {"objective": name}
        row["milliseconds"] = round(1000 * float(spent.sum()) / steps, 1)
        if name != "S":
            logs = corrected_t_test(np.log(spent / seconds["S"]), ratio=0.0).interval
            ends = {"ratio": logs.estimate, "low": logs.low, "high": logs.high}
            row["against_softmax"] = {k: round(math.exp(end), 3) for k, end in ends.items()}
        rows.append(row)
    return {"threads": torch.get_num_threads(), "torch": torch.__version__, "rows": rows}


def _fastest(call: Callable[[], Any], repeats: int, device: str) -> float:
    """Seconds of the fastest call, after one that does not count."""
    call()
    seconds = []
    for _ in range(repeats):
        _wait(device)
        start = perf_counter()
        call()
        _wait(device)
        seconds.append(perf_counter() - start)
    return min(seconds)


def fastest_of_each(steps: Sequence[Callable[[], Any]], repeats: int, device: str) -> list[float]:
    """Measure the seconds of each step's fastest repetition; the steps take turns."""
    fastest = [float("inf")] * len(steps)
    for _ in range(repeats):
        for number, step in enumerate(steps):
            start = perf_counter()
            step()
            _wait(device)
            fastest[number] = min(fastest[number], perf_counter() - start)
    return fastest


def _compare(
    shape: tuple[int, int], speech: float, batch: int, repeats: int, device: str
) -> Comparison:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = [ConvReLUMaxPool2d(200, kernel) for kernel in KERNEL_SIZES]
        x = torch.rand(batch, *shape)
    x[:, :, round(speech * shape[1]) :] = 0
    x = x.to(device)
    search = SearchPaths(layers).to(device)
    plain = PlainPaths(layers).to(device)
    forms = (_step(plain, x), _step(search, x))
    peaks = [peak_memory(step, device) for step in forms]  # also warms up
    fastest = fastest_of_each(forms, repeats, device)
    plain_ms, search_ms = (1000 * seconds / batch for seconds in fastest)
    plain_mib, search_mib = (peak / 2**20 for peak in peaks)
    return Comparison(
        shape=shape,
        speech=speech,
        plain_ms=round(plain_ms, 2),
        search_ms=round(search_ms, 2),
        times_faster=round(plain_ms / search_ms, 1),
        plain_mib=round(plain_mib, 1),
        search_mib=round(search_mib, 1),
        times_smaller=round(plain_mib / search_mib, 1),
    )


class SearchPaths(nn.Module):
    """The four paths as the library computes them."""

    def __init__(self, layers: Iterable[ConvReLUMaxPool2d]) -> None:
        """Take search layers."""
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor) -> Tensor:
        """Pool every path and concatenate."""
        return torch.cat([path(x).flatten(1) for path in self.layers], 1)


def _step(paths: nn.Module, x: Tensor) -> Callable[[], None]:
    def step() -> None:
        paths.zero_grad()
        paths(x).square().sum().backward()

    return step


def _wait(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def peak_memory(step: Callable[[], Any], device: str) -> int:
    """Count the bytes allocated at the worst moment of a step, beyond what was there before."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        step()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated() - before
    with torch.profiler.profile(profile_memory=True) as profile:
        step()
    # Every single allocation is in the raw events only.
    events = profile.profiler.kineto_results.events()
    changes = [(e.start_ns(), e.nbytes()) for e in events if e.name() == "[memory]"]
    now = worst = 0
    for _, change in sorted(changes):
        now += change
        worst = max(worst, now)
    return worst
