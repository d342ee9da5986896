"""Figures that show an idea: the network, its kernels, pooling, centers, who tests whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Patch, Rectangle

from ser_lib.plots.speech import draw_coefficients
from ser_lib.plots.style import EMOTION_COLOURS, GREY, SERIES_COLOURS, check_emotions, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

ROLE_COLOURS = {"train": "#D9E6F2", "validate": "#E8B800", "test": SERIES_COLOURS[0]}


def network_diagram(
    coefficients: int, frames: int, kernels: Sequence[tuple[int, int]], classes: int
) -> Figure:
    """Paper 1's network as boxes and arrows: shared convolutions, then two branches.

    Args:
        coefficients: rows of the input.
        frames: columns of the input.
        kernels: heights and widths, one path each, of 200 kernels.
        classes: number of emotions.
    """
    with new_figure(10.0, 4.6) as figure:
        axes = figure.add_subplot()
        axes.set(xlim=(0, 10), ylim=(0, 4.6))
        axes.axis("off")

        places = np.linspace(4.1, 0.5, len(kernels))
        middle = float(places.mean())
        _box(axes, 0.05, middle, 1.15, f"input\n{coefficients} × {frames}", "white")
        for y, (height, width) in zip(map(float, places), kernels, strict=True):
            _box(
                axes, 1.9, y, 2.15, f"200 kernels {height} × {width}\nReLU, max to 2 × 2", "#DCEBF7"
            )
            _arrow(axes, (1.25, middle), (1.85, y))
            _arrow(axes, (4.1, y), (4.75, middle))
        joined = 200 * 4 * len(kernels)
        _box(axes, 4.8, middle, 0.95, f"{joined:,}\nnumbers", "white")
        upper, lower = middle + 1.0, middle - 1.0
        for y, colour, texts in (
            (
                upper,
                "#FBE9DD",
                ("FC 64\nbatch norm", "further FC\nsigmoid", f"rebuilt\n{coefficients} × {frames}"),
            ),
            (
                lower,
                "#DFF1EA",
                ("FC 64\nbatch norm", "embedding\n64 numbers", f"softmax\n{classes}"),
            ),
        ):
            _arrow(axes, (5.8, middle), (6.2, y))
            for step, text in enumerate(texts):
                _box(axes, 6.25 + 1.28 * step, y, 1.1, text, colour)
                if step:
                    _arrow(axes, (6.23 + 1.28 * step - 0.12, y), (6.25 + 1.28 * step, y))
        axes.text(9.36, upper - 0.55, "loss A", ha="center", va="center", color=GREY)
        axes.text(9.36, lower - 0.55, "loss S", ha="center", va="center", color=GREY)
        axes.text(8.08, lower - 0.55, "loss C", ha="center", va="center", color=GREY)
    return figure


def residual_diagram(*, length: int, filters: int, kernel: int, units: int, classes: int) -> Figure:
    """Paper 2's network as boxes and arrows, its layers numbered as the paper must count them.

    Args:
        length: numbers of an utterance.
        filters: kernels of each convolution.
        kernel: their width in the first convolution, which has no padding.
        units: of the fully connected layer and of the embedding.
        classes: number of emotions.
    """
    width = length - kernel + 1
    maps, flat = f"{filters} × {width}", f"{filters * width:,}"
    convolution = ("conv", maps, "#DCEBF7")
    norm, activation = ("batch\nnorm", maps, "#F2E8F7"), ("leaky\nReLU", maps, "#DFF1EA")
    above = (convolution, convolution, norm, activation, convolution, norm, activation)
    below = (
        ("flatten", flat, "white"),
        ("FC", str(units), "#FBE9DD"),
        ("embedding", str(units), "#FBE9DD"),
        ("softmax", str(classes), "#FBE9DD"),
    )
    with new_figure(9.0, 4.4) as figure:
        axes = figure.add_subplot()
        axes.set(xlim=(0, 9), ylim=(0, 4.4))
        axes.axis("off")
        axes.add_patch(
            FancyBboxPatch(
                (2.16, 2.0), 6.76, 1.5, boxstyle="round,pad=0.02", facecolor="none",
                edgecolor=GREY, linestyle="--",
            )
        )  # fmt: skip
        axes.text(2.3, 2.08, "residual block", color=GREY, va="bottom")

        def layer(number: int, x: float, y: float, wide: float, kind: tuple[str, str, str]) -> None:
            _box(axes, x, y, wide, kind[0], kind[2])
            axes.text(x + wide / 2, y - 0.42, kind[1], ha="center", va="top", color=GREY)
            axes.text(x + 0.04, y + 0.36, str(number), va="bottom", fontweight="bold")

        top, bottom = 2.95, 0.85
        places = [1.16, 2.28, 3.26, 4.24, 5.36, 6.34, 8.1]
        _box(axes, 0.05, top, 0.74, "input", "white")
        axes.text(0.42, top - 0.42, str(length), ha="center", va="top", color=GREY)
        _arrow(axes, (0.84, top), (1.12, top))
        for number, (x, kind) in enumerate(zip(places, above, strict=True), 1):
            layer(number, x, top, 0.74, kind)
            if number < len(places) - 1:
                _arrow(axes, (x + 0.78, top), (places[number] - 0.04, top))
        plus = 7.58
        axes.text(plus, top, "+", ha="center", va="center", fontsize=20, fontweight="bold")
        _arrow(axes, (places[5] + 0.78, top), (plus - 0.12, top))
        _arrow(axes, (plus + 0.14, top), (places[6] - 0.04, top))
        start, colour = places[3] + 0.9, "#B34700"
        line = [(start, top), (start, 3.9), (plus, 3.9), (plus, top + 0.2)]
        axes.plot(*zip(*line[:3], strict=True), color=colour, linewidth=2.2)
        _arrow(axes, line[2], line[3], colour)
        axes.text((start + plus) / 2, 3.96, "shortcut", ha="center", va="bottom", color=colour)
        end, turn, first = places[6] + 0.37, 1.62, 3.0
        axes.plot((end, end, first + 0.5), (top - 0.75, turn, turn), color=GREY, linewidth=1.2)
        _arrow(axes, (first + 0.5, turn), (first + 0.5, bottom + 0.38))
        for step, kind in enumerate(below):
            x = first + 1.45 * step
            layer(len(above) + 1 + step, x, bottom, 1.05, kind)
            if step:
                _arrow(axes, (x - 0.36, bottom), (x - 0.04, bottom))
    return figure


def _box(axes: Axes, x: float, y: float, width: float, text: str, colour: str) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (x, y - 0.33),
            width,
            0.66,
            boxstyle="round,pad=0.02,rounding_size=0.08",
            facecolor=colour,
            edgecolor=GREY,
        )
    )
    axes.text(x + width / 2, y, text, ha="center", va="center")


def _arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], colour: str = GREY
) -> None:
    style = {"arrowstyle": "->", "color": colour, "linewidth": 1.2 if colour == GREY else 2.2}
    axes.annotate("", end, start, arrowprops={**style, "shrinkA": 0, "shrinkB": 0})


def kernels_on(
    values: NDArray[Any], kernels: Sequence[tuple[int, int]], *, hop_seconds: float
) -> Figure:
    """Outlines of kernels (rows by frames), at their true size, on the features they look at.

    Args:
        values: (coefficients, frames).
        kernels: heights (coefficients) and widths (frames).
        hop_seconds: seconds from one frame to the next.
    """
    with new_figure(9.0, 4.2) as figure:
        axes = figure.add_subplot()
        seconds = values.shape[1] * hop_seconds
        swing = float(np.percentile(np.abs(values[1:]), 99))  # the first is loudness, and large
        draw_coefficients(axes, values, seconds, cmap="RdBu_r", vmin=-swing, vmax=swing)
        for index, (height, width) in enumerate(kernels):
            left = (seconds - width * hop_seconds) * (index + 0.5) / len(kernels)
            bottom = round((0.15, 0.55)[index % 2] * len(values)) - 0.5
            axes.add_patch(
                Rectangle(
                    (left, bottom),
                    width * hop_seconds,
                    height,
                    fill=False,
                    edgecolor="black",
                    linewidth=2.5,
                )
            )
            axes.text(
                left,
                bottom + height + 1,
                f"{height} × {width}",
                fontweight="bold",
                va="bottom",
                bbox={"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 2},
            )
        axes.set(xlabel="time (s)", ylabel="coefficient")
    return figure


def pooling(
    values: NDArray[Any], pooled: NDArray[Any], winners: Sequence[tuple[int, int]]
) -> Figure:
    """A small array with the winner of each quarter marked, beside its 2 x 2 maximum.

    Args:
        values: (rows, columns) with the first row on top.
        pooled: (2, 2).
        winners: row and column of each maximum.
    """
    with new_figure(8.0, 3.4) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(values.shape[1], 3))
        low, high = float(values.min()), float(values.max())
        for axes, array, title in ((left, values, "a feature map"), (right, pooled, "its 2 × 2")):
            axes.imshow(array, cmap="Blues", vmin=low, vmax=high + 0.6 * (high - low))
            for (row, column), value in np.ndenumerate(array):
                axes.text(column, row, f"{value:g}", ha="center", va="center", fontsize=13)
            axes.set(xticks=[], yticks=[], title=title)
        for row, column in winners:
            left.add_patch(
                Rectangle(
                    (column - 0.5, row - 0.5),
                    1,
                    1,
                    fill=False,
                    edgecolor=SERIES_COLOURS[1],
                    linewidth=3,
                )
            )
        left.axhline(values.shape[0] // 2 - 0.5, color="black", linewidth=1.5)
        left.axvline(values.shape[1] // 2 - 0.5, color="black", linewidth=1.5)
    return figure


def winners_on(
    panels: Mapping[str, NDArray[Any]],
    winners: Mapping[str, Sequence[tuple[int, int]]],
    *,
    cut: tuple[int, int],
) -> Figure:
    """Arrays of numbers as images, cut into four quarters, with the winning positions marked.

    Args:
        panels: title -> (rows, columns), lowest row at the bottom.
        winners: title -> row and column of each winner; up to four are ringed, more are dots.
        cut: first row and first column of the second half.
    """
    with new_figure(8.0, 0.4 + 2.5 * len(panels)) as figure:
        grid = figure.subplots(len(panels), 1, sharex=True, squeeze=False).ravel()
        for axes, (title, values) in zip(grid, panels.items(), strict=True):
            low, high = np.percentile(values, (2, 99.8))
            axes.imshow(values, origin="lower", aspect="auto", cmap="Greys", vmin=low, vmax=high)
            rows, columns = np.array(winners[title]).reshape(-1, 2).T
            few = len(rows) <= 4
            marks = axes.scatter(columns, rows, s=220 if few else 26, zorder=3, clip_on=False)
            marks.set(
                facecolor="none" if few else SERIES_COLOURS[1],
                edgecolor=SERIES_COLOURS[1] if few else "white",
                linewidth=3 if few else 0.5,
            )
            axes.axhline(cut[0] - 0.5, color=SERIES_COLOURS[0], linewidth=2)
            axes.axvline(cut[1] - 0.5, color=SERIES_COLOURS[0], linewidth=2)
            axes.set(title=title, ylabel="row")
        grid[-1].set(xlabel="column (frame)")
    return figure


def fold_map(roles: pd.DataFrame) -> Figure:
    """Who trains, validates and tests: one row per fold and way, one column per speaker.

    Args:
        roles: the words ``train``, ``validate`` and ``test``; index and columns are the labels.

    Raises:
        ValueError: another word.
    """
    known = list(ROLE_COLOURS)
    if unknown := sorted(set(map(str, roles.to_numpy().ravel())) - set(known)):
        raise ValueError(f"roles are {', '.join(known)}, not {', '.join(map(repr, unknown))}")
    codes = np.array([[known.index(str(role)) for role in row] for row in roles.to_numpy()])
    with new_figure(9.0, 1.3 + 0.34 * len(roles)) as figure:
        axes = figure.add_subplot()
        colours = ListedColormap(list(ROLE_COLOURS.values()))
        axes.pcolormesh(codes, cmap=colours, vmin=0, vmax=2, edgecolors="white", linewidth=2)
        for (row, column), code in np.ndenumerate(codes):
            if code:
                ink = "white" if known[code] == "test" else "black"
                axes.text(column + 0.5, row + 0.5, "–VT"[code], ha="center", va="center", color=ink)
        axes.set_xticks(np.arange(codes.shape[1]) + 0.5, list(map(str, roles.columns)))
        axes.set_yticks(np.arange(codes.shape[0]) + 0.5, list(map(str, roles.index)))
        axes.invert_yaxis()
        axes.set_xlabel("speaker")
        axes.tick_params(length=0)
        names = ("train", "V  validate", "T  test")
        handles = [
            Patch(facecolor=colour, label=name)
            for colour, name in zip(ROLE_COLOURS.values(), names, strict=True)
        ]
        figure.legend(handles=handles, ncols=3, frameon=False, loc="outside upper center")
    return figure


def pulls(
    scores: Mapping[str, float], embedding: NDArray[Any], picture: NDArray[Any], seconds: float
) -> Figure:
    """What each of the three terms pulls at, in one utterance: minus its slope there.

    Args:
        scores: emotion -> pull of the softmax loss at its score.
        embedding: (dim,) pull of the center loss at each number of the embedding.
        picture: (coefficients, frames) pull of the reconstruction loss at each rebuilt value, in
            any unit: it is drawn on a scale of its own.
        seconds: what the frames span.

    Raises:
        ValueError: an emotion has no colour.
    """
    check_emotions(list(scores))
    with new_figure(10.0, 6.4) as figure:
        grid = figure.add_gridspec(2, 2, width_ratios=(1, 2))
        bars = figure.add_subplot(grid[0, 0])
        colours = [EMOTION_COLOURS[name] for name in scores]
        bars.barh(list(scores), list(scores.values()), color=colours)
        bars.axvline(0, color="black", linewidth=1)
        bars.invert_yaxis()
        bars.set(title="S pulls at the scores", xlabel="pull")
        numbers = figure.add_subplot(grid[0, 1])
        numbers.bar(np.arange(1, len(embedding) + 1), embedding, color=SERIES_COLOURS[0])
        numbers.axhline(0, color="black", linewidth=1)
        numbers.set(title="C pulls at the embedding", xlabel="number", ylabel="pull")
        image = figure.add_subplot(grid[1, :])
        swing = float(np.abs(picture).max()) or 1.0
        drawn = draw_coefficients(image, picture, seconds, cmap="RdBu_r", vmin=-swing, vmax=swing)
        image.set(title="A pulls at every rebuilt value", xlabel="time (s)", ylabel="coefficient")
        figure.colorbar(drawn, ax=image, label="pull")
    return figure
