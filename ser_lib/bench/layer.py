"""Convolution, ReLU and max-pooling by search against torch's own layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from ser_lib import device as devices
from ser_lib.bench.timing import fastest, fastest_of_each, peak_memory, system_share
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
    rivals: dict[str, float]
    """On a GPU, milliseconds per utterance of :func:`rivals`; else none."""


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


def rivals(plain: nn.Module, x: Tensor) -> dict[str, Callable[[], None]]:
    """Other ways to take a step of the plain layers, and what no search by products can beat.

    TF32 and bfloat16 round, ``torch.compile`` fuses; the product alone, of all kernels with all
    patches, in float32 and in bfloat16, is the ceiling of a search.
    """
    step, compiled = _step(plain, x), _step(cast(nn.Module, torch.compile(plain)), x)

    def in_tf32() -> None:
        with torch.backends.cudnn.flags(allow_tf32=True):
            step()

    def in_bfloat16() -> None:
        with torch.autocast(x.device.type, torch.bfloat16):
            step()

    def product(dtype: torch.dtype) -> Callable[[], None]:
        images = x.to(dtype)

        def multiply() -> None:
            for convolution in cast(PlainPaths, plain).convolutions:
                weight = cast(Tensor, convolution.weight).detach().to(dtype)
                patches = nn.functional.unfold(images[:, None], weight.shape[2:])
                torch.matmul(weight.flatten(1), patches)

        return multiply

    return {
        "TF32": in_tf32,
        "bfloat16": in_bfloat16,
        "torch.compile": compiled,
        "product": product(torch.float32),
        "product in bfloat16": product(torch.bfloat16),
    }


def compare(
    *, batch: int = 16, repeats: int = 3, device: str = "cpu", threads: int | None = None
) -> dict[str, Any]:
    """Compare a training step of paper 1's four paths in both forms, both in float32.

    On a GPU the plain layers are also timed as :func:`rivals`.

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
    with torch.backends.cudnn.flags(allow_tf32=False):  # a GPU's convolutions round by default
        peaks = [peak_memory(step, device) for step in forms]  # also warms up
        system = system_share(forms[0]) if device == "cpu" else None
        plain_ms, search_ms = (
            1000 * seconds / batch for seconds in fastest_of_each(forms, repeats, device)
        )
    others = rivals(plain, x) if device.startswith("cuda") else {}
    took = {name: 1000 * fastest(step, repeats, device) / batch for name, step in others.items()}
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
        rivals={name: round(ms, 3) for name, ms in took.items()},
    )


def _step(paths: nn.Module, x: Tensor) -> Callable[[], None]:
    def step() -> None:
        paths.zero_grad()
        paths(x).square().sum().backward()

    return step
