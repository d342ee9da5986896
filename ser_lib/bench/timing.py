"""How speed and memory are measured: steps in turn, the fastest counts, the peak of a step."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import torch


def wait(device: str) -> None:
    """Let a GPU finish what it was given."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def fastest(call: Callable[[], Any], repeats: int, device: str) -> float:
    """Seconds of the fastest call, after one that does not count."""
    call()
    return fastest_of_each([call], repeats, device)[0]


def fastest_of_each(steps: Sequence[Callable[[], Any]], repeats: int, device: str) -> list[float]:
    """Measure the seconds of each step's fastest repetition; the steps take turns."""
    fastest = [float("inf")] * len(steps)
    for _ in range(repeats):
        for number, step in enumerate(steps):
            wait(device)
            start = perf_counter()
            step()
            wait(device)
            fastest[number] = min(fastest[number], perf_counter() - start)
    return fastest


def system_share(step: Callable[[], Any]) -> float:
    """Share of the processor's time in a step that the operating system takes, as for memory."""
    before = os.times()
    step()
    after = os.times()
    user, system = after.user - before.user, after.system - before.system
    return system / (user + system) if user + system else 0.0


def peak_memory(step: Callable[[], Any], device: str) -> int:
    """Count the bytes allocated at the worst moment of a step, beyond what was there before."""
    if device.startswith("cuda"):
        wait(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        step()
        wait(device)
        return torch.cuda.max_memory_allocated(device) - before
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
