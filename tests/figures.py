"""What every figure of the book must be, whoever draws it."""

import io
from collections.abc import Callable, Mapping

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.text import Text

PAGE, LEAST = 800, 9.5
"""Pixels of a page's column, and of the smallest text in it."""


def assert_house_style(draw: Callable[[], Mapping[str, Figure]]) -> None:
    """Figures are opaque, legible at page width and closed, and leave the settings alone."""
    plt.close("all")
    before = dict(matplotlib.rcParams)
    for name, figure in draw().items():
        figure.savefig(io.BytesIO(), format="png")
        assert figure.get_facecolor() == (1.0, 1.0, 1.0, 1.0), name
        assert all(axes.get_facecolor()[3] == 1.0 for axes in figure.axes), name
        texts = [text for text in figure.findobj(Text) if text.get_text()]
        smallest = min(text.get_fontsize() for text in texts)
        assert smallest / 72 * min(100.0, PAGE / figure.get_figwidth()) > LEAST, name
    assert not plt.get_fignums()
    assert dict(matplotlib.rcParams) == before
