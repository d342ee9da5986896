"""Players and glued numbers, as notebooks show them."""

import numpy as np
import pytest
from bs4 import BeautifulSoup

from ser_lib.book import glue, player


def test_a_player_is_small_labelled_and_escaped():
    signal = 0.5 * np.sin(np.arange(32000) * 0.05)
    text = player(signal, 16000, 'anger "1"', "She said <no>.")._repr_html_()
    audio = BeautifulSoup(text, "html.parser").find("audio")
    assert audio["aria-label"] == 'anger "1"'
    assert audio["src"].startswith("data:audio/flac;base64,")
    assert "She said &lt;no&gt;." in text
    assert len(text) < 64000


@pytest.mark.parametrize(
    ("signal", "label", "said"),
    [
        (np.zeros((2, 10)), "a", "b"),
        (np.zeros(0), "a", "b"),
        (np.full(10, np.nan), "a", "b"),
        (np.zeros(10), " ", "b"),
        (np.zeros(10), "a", ""),
    ],
)
def test_a_player_refuses_what_cannot_be_heard_or_read(signal, label, said):
    with pytest.raises(ValueError, match=r"finite samples|label and a transcript"):
        player(signal, 16000, label, said)


def test_glue_stores_plain_numbers_as_myst_nb_does(monkeypatch):
    shown = []
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)  # IPython warns of another environment's
    monkeypatch.setattr("IPython.display.display", lambda data, **kw: shown.append((data, kw)))
    from IPython.core.interactiveshell import InteractiveShell

    InteractiveShell.instance()
    glue("x", np.float64(61.5))
    ((data, options),) = shown
    assert data == {"application/papermill.record/text/plain": "61.5"}
    prefix = "application/papermill.record/"
    assert options["metadata"]["scrapbook"] == {"name": "x", "mime_prefix": prefix}
