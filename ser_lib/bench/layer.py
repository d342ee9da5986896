"""Convolution, ReLU and max-pooling by search against torch's own layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from ser_lib import device as devices
from ser_lib.bench.timing import fastest_of_each, peak_memory, system_share
from ser_lib.layers import ConvReLUMaxPool2d
from ser_lib.models.parallel_cnn import KERNEL_SIZES, Paths


@dataclass(frozen=True)
class Comparison:
    """A step of the plain layers against the same step by search."""

    shape: tuple[int, int]
    speech: float
    """Share of the frames that is not padding."""
    plain_ms: float
    """Milliseconds per utterance, forward and backward, the fastest repetition."""
    plain_system: float | None
    """Share of the plain step's processor time that the operating system takes, above all to hand
    out and clear memory; on a GPU it says nothing and is none."""
    search_ms: float
    times_faster: float
    plain_mib: float
    """Peak of what was allocated during the step, MiB."""
    search_mib: float
    times_smaller: float


class PlainPaths(nn.Module):
    """The four paths as ``nn.Conv2d``, ReLU and ``nn.MaxPool2d``, with the same parameters."""

    def __init__(self, paths: Paths) -> None:
        """Copy the parameters of the library's paths."""
        super().__init__()
        self.convolutions = nn.ModuleList()
        for layer in cast(Iterable[ConvReLUMaxPool2d], paths):
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


def compare(
    *, batch: int = 16, repeats: int = 3, device: str = "cpu", threads: int | None = None
) -> dict[str, Any]:
    """Compare a training step of paper 1's four paths in both forms.

    Args:
        batch: utterances in a step.
        repeats: timed steps of either form, in turn; the fastest counts.
        device: of torch.
        threads: of torch, by default as many as it takes.

    Raises:
        ValueError: ``batch`` or ``repeats`` is not positive, or the device cannot be used.
    """
    if batch < 1 or repeats < 1:
        raise ValueError(f"batch {batch} and repeats {repeats} must be positive")
    devices.check_device(device)
    with devices.threads(threads) as used:
        rows = [
            _compare(shape, speech, batch, repeats, device)
            for shape in ((128, 188), (40, 188))
            for speech in (1.0, 0.5)
        ]
    gpu = torch.cuda.get_device_name(device) if device.startswith("cuda") else None
    return {
        "device": device,
        "gpu": gpu,
        "threads": used,
        "batch": batch,
        "torch": torch.__version__,
        "comparisons": [asdict(row) for row in rows],
    }


def _compare(
    shape: tuple[int, int], speech: float, batch: int, repeats: int, device: str
) -> Comparison:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        search = Paths(KERNEL_SIZES, shape)
        x = torch.rand(batch, *shape)
    x[:, :, round(speech * shape[1]) :] = 0
    x = x.to(device)
    plain = PlainPaths(search).to(device)
    search = search.to(device)
    forms = (_step(plain, x), _step(search, x))
    peaks = [peak_memory(step, device) for step in forms]  # also warms up
    system = system_share(forms[0]) if device == "cpu" else None
    fastest = fastest_of_each(forms, repeats, device)
    plain_ms, search_ms = (1000 * seconds / batch for seconds in fastest)
    plain_mib, search_mib = (peak / 2**20 for peak in peaks)
    return Comparison(
        shape=shape,
        speech=speech,
        plain_ms=round(plain_ms, 2),
        plain_system=None if system is None else round(system, 2),
        search_ms=round(search_ms, 2),
        times_faster=round(plain_ms / search_ms, 1),
        plain_mib=round(plain_mib, 1),
        search_mib=round(search_mib, 1),
        times_smaller=round(plain_mib / search_mib, 1),
    )


def _step(paths: nn.Module, x: Tensor) -> Callable[[], None]:
    def step() -> None:
        paths.zero_grad()
        paths(x).square().sum().backward()

    return step
