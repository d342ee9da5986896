"""Where and on how many threads torch computes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def threads(count: int | None) -> Iterator[int]:
    """Let torch have ``count`` threads (``None``: what it has), then as many as before."""
    if count is not None and count < 1:
        raise ValueError(f"threads {count} must be positive")
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield torch.get_num_threads()
    finally:
        torch.set_num_threads(before)


def check_device(device: str) -> None:
    """Refuse a device of torch that cannot be used here.

    Raises:
        ValueError: naming it, and why.
    """
    try:
        torch.ones(1, device=device).item()  # which "meta" cannot
    except Exception as error:  # of many kinds, by the device
        why = str(error).partition("\n")[0]
        raise ValueError(f"device {device!r} cannot be used: {why}") from error
