"""Figures of recordings and of the features that are computed from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ser_lib.plots.style import (
    EMOTION_COLOURS,
    GREY,
    SERIES_COLOURS,
    SERIES_DASHES,
    check_emotions,
    new_figure,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray


def draw_coefficients(axes: Axes, values: NDArray[Any], seconds: float, **options: Any) -> Any:
    """Coefficients (rows, lowest at the bottom) against time."""
    extent = (0.0, seconds, -0.5, len(values) - 0.5)
    return axes.imshow(
        values, origin="lower", aspect="auto", extent=extent, **{"cmap": "magma", **options}
    )


def emotion_counts(counts: Mapping[str, int]) -> Figure:
    """One bar per emotion: how many recordings there are of it.

    Args:
        counts: emotion -> number of recordings.

    Raises:
        ValueError: an emotion has no colour.
    """
    check_emotions(list(counts))
    with new_figure(7.5, 0.7 + 0.42 * len(counts)) as figure:
        axes = figure.add_subplot()
        bars = axes.barh(
            list(counts), list(counts.values()), color=[EMOTION_COLOURS[name] for name in counts]
        )
        axes.bar_label(bars, padding=4)
        axes.invert_yaxis()
        axes.set_xlabel("recordings")
        axes.margins(x=0.1)
    return figure


def side_by_side(
    signals: Mapping[str, NDArray[Any]],
    rate: int,
    log_mels: Mapping[str, NDArray[Any]],
    mfccs: Mapping[str, NDArray[Any]],
) -> Figure:
    """Waveform, log-mel spectrogram and MFCC of one recording per emotion, a row each.

    All rows share one time axis, one amplitude axis and one colour scale, so that they can be
    compared; the first coefficient, which is mostly loudness, sets no limit of the MFCC's scale.

    Args:
        signals: emotion -> samples.
        rate: samples per second.
        log_mels: emotion -> (bands, frames) in decibels.
        mfccs: emotion -> (coefficients, frames).

    Raises:
        ValueError: the three mappings do not name the same emotions, or one has no colour.
    """
    emotions = list(signals)
    check_emotions(emotions)
    if not emotions or set(emotions) != set(log_mels) or set(emotions) != set(mfccs):
        raise ValueError(
            f"signals, log_mels and mfccs must name the same emotions, at least one: "
            f"{emotions}, {list(log_mels)}, {list(mfccs)}"
        )
    longest = max(len(signal) for signal in signals.values()) / rate
    peak = max(float(np.abs(signal).max()) for signal in signals.values())
    loudest = max(float(values.max()) for values in log_mels.values())
    quietest = min(float(np.percentile(values, 5)) for values in log_mels.values())
    quietest = max(quietest, loudest - 80.0)
    swing = max(float(np.percentile(np.abs(values[1:]), 99)) for values in mfccs.values())
    with new_figure(10.0, 0.9 + 1.75 * len(emotions)) as figure:
        grid = figure.subplots(len(emotions), 3, squeeze=False, sharex=True)
        for row, name in zip(grid, emotions, strict=True):
            seconds = len(signals[name]) / rate
            times = np.arange(len(signals[name])) / rate
            row[0].plot(times, signals[name], color=EMOTION_COLOURS[name], linewidth=0.5)
            row[0].set_ylim(-1.05 * peak, 1.05 * peak)
            row[0].set_ylabel(name, fontweight="bold")
            bands = draw_coefficients(row[1], log_mels[name], seconds, vmin=quietest, vmax=loudest)
            cepstrum = draw_coefficients(
                row[2], mfccs[name], seconds, cmap="RdBu_r", vmin=-swing, vmax=swing
            )
        for axes, title in zip(
            grid[0], ("waveform", "log-mel spectrogram", "MFCC (cepstrum)"), strict=True
        ):
            axes.set_title(title)
        for axes in grid[-1]:
            axes.set_xlabel("time (s)")
        grid[0, 0].set_xlim(0, longest)
        for axes in grid[:, 1]:
            axes.set_ylabel("mel band")
        for axes in grid[:, 2]:
            axes.set_ylabel("coefficient")
        figure.colorbar(bands, ax=grid[:, 1], label="dB", location="bottom", aspect=40)
        figure.colorbar(cepstrum, ax=grid[:, 2], label="value", location="bottom", aspect=40)
    return figure


def mel_filters(frequencies: NDArray[Any], mels: NDArray[Any], bank: NDArray[Any]) -> Figure:
    """The mel scale as a curve, and a bank of triangular filters on the scale of hertz.

    Args:
        frequencies: (bins,) in Hz.
        mels: (bins,) the same frequencies in mel.
        bank: (filters, bins) weights; each filter is drawn with its peak at 1.
    """
    with new_figure(9.0, 3.4) as figure:
        curve, filters = figure.subplots(1, 2)
        curve.plot(frequencies, mels, color=SERIES_COLOURS[0], linewidth=2)
        for axes in (curve, filters):
            axes.locator_params(axis="x", nbins=4)
        curve.set(xlabel="frequency (Hz)", ylabel="mel", title="the mel scale")
        for index, weights in enumerate(bank):
            filters.plot(
                frequencies,
                np.where(weights > 0, weights / weights.max(), np.nan),
                color=SERIES_COLOURS[index % 2],
                linestyle=("-", "--")[index % 2],
                linewidth=1.3,
            )
        filters.set(
            xlabel="frequency (Hz)", ylabel="weight, peak at 1", title=f"{len(bank)} mel filters"
        )
    return figure


def envelopes(log_mel_frame: NDArray[Any], smoothed: Mapping[str, NDArray[Any]]) -> Figure:
    """One column of a log-mel spectrogram and what a few cepstral coefficients keep of it.

    Args:
        log_mel_frame: (bands,) in decibels.
        smoothed: label -> (bands,) in decibels.
    """
    with new_figure(8.0, 3.6) as figure:
        axes = figure.add_subplot()
        axes.plot(log_mel_frame, color=GREY, linewidth=1.2, label="log-mel frame")
        for index, (label, values) in enumerate(smoothed.items()):
            axes.plot(
                values,
                color=SERIES_COLOURS[index % len(SERIES_COLOURS)],
                linestyle=SERIES_DASHES[index % len(SERIES_DASHES)],
                linewidth=2,
                label=label,
            )
        axes.set(xlabel="mel band", ylabel="dB")
        axes.legend(frameon=False)
    return figure


def pictures(inputs: Mapping[str, NDArray[Any]], seconds: float) -> Figure:
    """Inputs scaled to [0, 1] under each other, on one colour scale, to be compared.

    Args:
        inputs: title -> (coefficients, frames).
        seconds: what the frames span.

    Raises:
        ValueError: there are no inputs, or their shapes differ.
    """
    shapes = sorted({np.shape(values) for values in inputs.values()})
    if len(shapes) != 1:
        raise ValueError(f"inputs must have one shape, these have {shapes}")
    with new_figure(8.0, 0.8 + 1.5 * len(inputs)) as figure:
        column = figure.subplots(len(inputs), 1, squeeze=False, sharex=True)[:, 0]
        for axes, (title, values) in zip(column, inputs.items(), strict=True):
            image = draw_coefficients(axes, values, seconds, vmin=0.0, vmax=1.0)
            axes.set(title=title, ylabel="coefficient")
        column[-1].set_xlabel("time (s)")
        figure.colorbar(image, ax=list(column), label="scaled value", aspect=40)
    return figure


def readings(vectors: Mapping[str, Mapping[str, NDArray[Any]]]) -> Figure:
    """Vectors of the same utterances read in several ways, as pictures on one scale.

    Args:
        vectors: reading -> utterance -> (coefficients, steps), each number in standard deviations
            from its mean.

    Raises:
        ValueError: the readings are not of the same utterances, or there are none.
    """
    columns = list(dict.fromkeys(name for row in vectors.values() for name in row))
    if not columns or any(list(row) != columns for row in vectors.values()):
        raise ValueError(f"readings must be of the same utterances, at least one: {columns}")
    heights = [1.0 + 0.05 * len(row[columns[0]]) for row in vectors.values()]
    with new_figure(9.0, 1.2 + 0.8 * sum(heights)) as figure:
        grid = figure.subplots(
            len(vectors), len(columns), squeeze=False, sharex="row", height_ratios=heights
        )
        for number, (reading, row) in enumerate(vectors.items()):
            for axes, (name, values) in zip(grid[number], row.items(), strict=True):
                image = axes.imshow(
                    values,
                    origin="lower",
                    aspect="auto",
                    cmap="RdBu_r",
                    vmin=-3.0,
                    vmax=3.0,
                    interpolation="nearest",
                )
                last = len(values) - 1
                axes.set_yticks([0, last] if last else [0], ["1", str(last + 1)][: last + 1])
                steps = values.shape[1]
                axes.set_xticks([0, steps - 1], ["1", str(steps)])
                axes.set_title(reading if number else f"{name}\n{reading}")
        for axes in grid[-1]:
            axes.set_xlabel("step in time")
        figure.supylabel("coefficient", fontsize=11)
        figure.colorbar(
            image, ax=grid, label="standard deviations from the mean", aspect=40, extend="both"
        )
    return figure
