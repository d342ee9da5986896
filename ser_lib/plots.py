"""The figures' common style, and those that several chapters use.

Each function returns a closed ``Figure``: as the last line of a cell it is shown once, and nothing
outside the call is changed (no global style, no current figure). Backgrounds are opaque and light,
so that the figures read in the dark theme too; emotions keep one colour and one marker throughout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

EMOTION_COLOURS = {
    "anger": "#C84A00",
    "boredom": "#C4C4C4",
    "calm": "#56B4E9",
    "disgust": "#009E73",
    "excitement": "#9A3CF0",
    "fear": "#A0256B",
    "frustration": "#5A2A00",
    "happiness": "#E8B800",
    "neutral": "#3B3B3B",
    "sadness": "#0072B2",
    "surprise": "#CC79A7",
}
"""One colour per emotion, apart for colour-blind readers as well."""

EMOTION_MARKERS = {
    "anger": "^",
    "boredom": "_",
    "calm": "v",
    "disgust": "X",
    "excitement": ">",
    "fear": "P",
    "frustration": "<",
    "happiness": "o",
    "neutral": "s",
    "sadness": "D",
    "surprise": "*",
}
"""One marker per emotion: no figure tells emotions apart by colour alone."""

SERIES_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#882255")
GREY = "#6B6B6B"

_STYLE = {
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.dpi": 110,
    "font.size": 11.0,
    "axes.titlesize": 12.0,
    "axes.labelsize": 11.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.constrained_layout.use": True,
}


@contextmanager
def new_figure(width: float, height: float) -> Iterator[Figure]:
    """Give a figure in the book's style, closed at the end so that a notebook shows it once."""
    with plt.style.context(["default", _STYLE]):
        figure = plt.figure(figsize=(width, height))
        try:
            yield figure
        finally:
            plt.close(figure)


def check_emotions(emotions: Sequence[str]) -> None:
    """Raise ``ValueError`` for an emotion that has no colour."""
    unknown = sorted(set(emotions) - set(EMOTION_COLOURS))
    if unknown:
        raise ValueError(
            f"no colour for emotion {', '.join(map(repr, unknown))}; known: "
            f"{', '.join(EMOTION_COLOURS)}"
        )


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
        middle = len(emotions) // 2
        grid[middle, 1].set_ylabel("mel band")
        grid[middle, 2].set_ylabel("coefficient")
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
        styles = ("-", "--", ":", "-.")
        for index, (label, values) in enumerate(smoothed.items()):
            axes.plot(
                values,
                color=SERIES_COLOURS[index % len(SERIES_COLOURS)],
                linestyle=styles[index % len(styles)],
                linewidth=2,
                label=label,
            )
        axes.set(xlabel="mel band", ylabel="dB")
        axes.legend(frameon=False)
    return figure


def curves(
    series: Mapping[str, Sequence[float]], *, xlabel: str, ylabel: str, log: bool = False
) -> Figure:
    """Named curves against their index, which starts at 1; colour and dash tell them apart."""
    with new_figure(8.0, 3.6) as figure:
        axes = figure.add_subplot()
        styles = ("-", "--", ":", "-.")
        for index, (label, values) in enumerate(series.items()):
            axes.plot(
                np.arange(1, len(values) + 1),
                values,
                color=SERIES_COLOURS[index % len(SERIES_COLOURS)],
                linestyle=styles[index % len(styles)],
                linewidth=2,
                label=label,
            )
        if log:
            axes.set_yscale("log")
        axes.set(xlabel=xlabel, ylabel=ylabel)
        if len(series) > 1:
            axes.legend(frameon=False)
    return figure


def speaker_dots(accuracies: pd.DataFrame, *, chance: float | None = None) -> Figure:
    """One dot per speaker and model, one speaker's dots joined, the mean as a bar.

    Args:
        accuracies: (speakers, models) in percent; index and columns are the labels.
        chance: a dashed line, in percent.
    """
    with new_figure(8.0, 4.4) as figure:
        axes = figure.add_subplot()
        places = np.arange(accuracies.shape[1])
        for number, (_, row) in enumerate(accuracies.iterrows()):
            shifted = places + 0.012 * (number - len(accuracies) / 2)
            axes.plot(
                shifted,
                row.to_numpy(dtype=float),
                color="#B5B5B5",
                linewidth=1,
                marker="o",
                markersize=7,
                markerfacecolor=SERIES_COLOURS[0],
                markeredgecolor="white",
            )
        means = accuracies.to_numpy(dtype=float).mean(axis=0)
        axes.hlines(means, places - 0.18, places + 0.18, color=SERIES_COLOURS[1], linewidth=4)
        if chance is not None:
            axes.axhline(chance, color=GREY, linestyle="--", linewidth=1.2)
            axes.annotate("chance", (places[-1] + 0.45, chance), ha="right", va="bottom")
        axes.set_xticks(places, list(map(str, accuracies.columns)))
        axes.set_xlim(-0.5, places[-1] + 0.5)
        axes.set_ylabel("class accuracy of one speaker (%)")
    return figure


def confusion(counts: NDArray[Any], emotions: Sequence[str]) -> Figure:
    """Confusion matrix: the number in each cell is a count, the shade its share of the row.

    Args:
        counts: (classes, classes), truth in rows.
        emotions: names of the classes.

    Raises:
        ValueError: the matrix is not classes x classes.
    """
    with new_figure(6.4, 5.0) as figure:
        axes = figure.add_subplot()
        draw_confusion(axes, counts, emotions, bar=True)
        axes.set(xlabel="the network said", ylabel="the recording is labelled")
    return figure


def draw_confusion(axes: Axes, counts: NDArray[Any], emotions: Sequence[str], *, bar: bool) -> None:
    """A confusion matrix, with or without the bar that explains its shades."""
    if counts.shape != (len(emotions), len(emotions)):
        raise ValueError(f"{len(emotions)} emotions do not fit a matrix of shape {counts.shape}")
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    sns.heatmap(
        100 * shares,
        annot=counts,
        fmt="d",
        cmap="Blues",
        vmin=0,
        vmax=100,
        square=True,
        linewidths=1,
        xticklabels=list(emotions),
        yticklabels=list(emotions),
        cbar=bar,
        cbar_kws={"label": "% of the recordings in the row"} if bar else None,
        ax=axes,
    )
    axes.tick_params(length=0, labelrotation=0)
