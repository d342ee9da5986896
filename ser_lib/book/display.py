"""What chapters show things by: numbers for the prose, and players."""

from __future__ import annotations

import base64
import html
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def glue(name: str, value: Any) -> None:
    """Store ``value`` under ``name`` in the notebook, to be shown in prose by the ``glue`` roles.

    The output is the one that ``myst_nb.glue`` makes with ``display=False``, so nothing shows where
    the cell stands; that package is not on Colab. Numpy's numbers are stored as Python's, so that a
    format such as ``{glue:text}`x:.1f``` works on them.
    """
    import numpy as np
    from IPython.core.formatters import format_display_data
    from IPython.display import display as show

    prefix = "application/papermill.record/"
    plain = value.item() if isinstance(value, np.generic) else value
    data, metadata = format_display_data(plain)
    metadata["scrapbook"] = {"name": name, "mime_prefix": prefix}
    show({prefix + kind: body for kind, body in data.items()}, raw=True, metadata=metadata)


@dataclass(frozen=True)
class Player:
    """One recording as a notebook shows it: to be heard, with its label and what is said."""

    label: str
    transcript: str
    audio: bytes
    """The recording as FLAC."""

    def _repr_html_(self) -> str:
        label, said = (html.escape(text, quote=True) for text in (self.label, self.transcript))
        body = base64.b64encode(self.audio).decode()
        return (
            f'<figure class="ser-player"><audio controls preload="metadata" aria-label="{label}" '
            f'src="data:audio/flac;base64,{body}"></audio><figcaption><strong>{label}</strong>'
            f"<br><q>{said}</q></figcaption></figure>"
        )

    def __repr__(self) -> str:
        """Name what can be heard: the form for where no player can be shown."""
        return f"Player({self.label!r}, {self.transcript!r})"


def player(signal: NDArray[np.floating], rate: int, label: str, transcript: str) -> Player:
    """Make a player for ``signal`` (samples in [-1, 1]; beyond that it is cut) at ``rate`` Hz.

    Loudness is left as it is: it is one of the things by which an emotion is heard.

    Raises:
        ValueError: the signal is not one channel of finite numbers, or label or transcript are
            empty (who cannot hear needs both).

    Examples:
        >>> import numpy as np
        >>> player(np.zeros(160), 16000, "anger, voice 1", "Dogs are sitting by the door.")
        Player('anger, voice 1', 'Dogs are sitting by the door.')
    """
    import numpy as np
    import soundfile

    signal = np.asarray(signal)
    if signal.ndim != 1 or not signal.size or not np.isfinite(signal).all():
        raise ValueError(f"{label!r}: expected one channel of finite samples, got {signal.shape}")
    if not label.strip() or not transcript.strip():
        raise ValueError(f"a player needs a label and a transcript, got {label!r}, {transcript!r}")
    buffer = io.BytesIO()
    cut = np.clip(signal, -1, 1 - 2**-15)
    soundfile.write(buffer, cut, rate, format="FLAC", subtype="PCM_16")
    return Player(label, transcript, buffer.getvalue())
