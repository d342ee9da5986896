"""The figures' common style: colours and markers of emotions, and the figure that all draw on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

if TYPE_CHECKING:
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
    "boredom": "p",
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
SERIES_DASHES = ("-", "--", ":", "-.")
GREY = "#6B6B6B"
RIM: dict[str, Any] = {"edgecolor": "#3B3B3B", "linewidth": 0.4}
"""Around a point in an emotion's colour: the pale ones would be lost on white."""
BAND = "#E4E4E4"
"""A range of values behind what is drawn."""
NOTE_BOX = {"facecolor": "white", "edgecolor": "none", "pad": 1}
"""Behind words that stand over lines."""

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


def panel_grid(figure: Figure, count: int, across: int, **options: Any) -> NDArray[Any]:
    """Axes for ``count`` panels in rows of up to ``across``; what is left of the last row is blank.

    Raises:
        ValueError: there is no panel.
    """
    if count < 1:
        raise ValueError("there is no panel to draw")
    across = min(across, count)
    grid: NDArray[Any] = figure.subplots(-(-count // across), across, squeeze=False, **options)
    for axes in grid.ravel()[count:]:
        axes.axis("off")
    return grid


def handles_of(panels: Iterable[Axes]) -> dict[str, Any]:
    """What a legend for several panels must explain, each name once."""
    handles: dict[str, Any] = {}
    for axes in panels:
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(name, handle)
    return handles


def outer_legend(
    figure: Figure, handles: Mapping[str, Any], *, above: bool = False, **options: Any
) -> None:
    """One legend for the whole figure, outside its panels; none where nothing is to explain."""
    if handles:
        figure.legend(
            handles.values(),
            handles.keys(),
            loc="outside upper center" if above else "outside lower center",
            frameon=False,
            **options,
        )
