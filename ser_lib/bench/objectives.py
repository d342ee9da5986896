"""Paper 1's training steps with each objective against softmax alone, in turns."""

from __future__ import annotations

import math
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np
import torch

from ser_lib import corpora
from ser_lib.bench.timing import wait
from ser_lib.config import OBJECTIVES, RunConfig
from ser_lib.corpora.base import PAPER_EMOTIONS
from ser_lib.device import check_device
from ser_lib.features import FeatureConfig, extract
from ser_lib.statistics import corrected_t_test
from ser_lib.training import Run


def compare(*, rounds: int = 5, device: str = "cpu") -> dict[str, Any]:
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
        ValueError: there are fewer than two ``rounds``, or the device cannot be used.
    """
    if rounds < 2:
        raise ValueError(f"rounds {rounds}: two at least are needed for an interval")
    check_device(device)
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
                wait(device)
                start = perf_counter()
                run.step(batch)
                wait(device)
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
