"""What the numbers of a table are held against: listeners, and a guess that sees nothing.

Both need the recordings, which a build of the book has not. So they are computed once, by ``ser
study yardsticks``, and stand beside the records: ``listeners.csv`` and ``mean_input.csv``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ser_lib import records, splits
from ser_lib.corpora import emodb
from ser_lib.corpora.base import PAPER_EMOTIONS
from ser_lib.features import Dataset, MinMaxScaler
from ser_lib.files import atomic_write
from ser_lib.sources import Sources
from ser_lib.study import Plan

if TYPE_CHECKING:
    import pandas as pd

FILES = ("listeners.csv", "mean_input.csv")
"""Their names, in the folder of the study."""


def mean_input_errors(dataset: Dataset, protocol: str = "sessions") -> list[dict[str, object]]:
    r"""Error of predicting the mean training input, for each held-out part and way of scaling.

    .. math:: \frac1{|P|} \sum_{i \in P} \overline{(x_i - \bar x)^2}

    with :math:`\bar x` the mean of the training inputs, value by value, after scaling to [0, 1] on
    the training part. ``form`` says what was scaled: the input as it is trained on, or, for a
    spectrogram, also its amplitudes and powers, the logarithm undone.

    Args:
        dataset: features of a corpus.
        protocol: of :mod:`ser_lib.splits`.
    """
    forms: dict[str, npt.NDArray[np.float32]] = {"as trained": dataset.inputs}
    if dataset.config.input == "log_mel":
        forms["amplitude"] = np.power(10, dataset.inputs / 20, dtype=np.float32)
        forms["power"] = np.power(10, dataset.inputs / 10, dtype=np.float32)
    rows: list[dict[str, object]] = []
    for form, inputs in forms.items():
        for scaling in ("coefficient", "global"):
            for number, fold in enumerate(splits.folds(dataset.corpus, protocol)):
                scaled = MinMaxScaler(scaling).fit(inputs[fold.train]).transform(inputs)
                mean = scaled[fold.train].mean(0, dtype=np.float64)
                rows += [
                    {
                        "corpus": dataset.corpus.name,
                        "input": dataset.config.input,
                        "form": form,
                        "scaling": scaling,
                        "fold": number,
                        "part": part,
                        "error": float(np.square(scaled[indices] - mean).mean()),
                    }
                    for part, indices in enumerate(fold.parts)
                ]
    return rows


def write(plan: Plan, *, sources: Sources | None = None, root: Path | None = None) -> list[Path]:
    """Compute both from the recordings and write them beside the records of a study.

    Args:
        plan: of the study; its corpora and inputs are measured, with the paper's four emotions.
        sources: of corpora and features.
        root: folder of all studies.

    Raises:
        CorpusError: a corpus, or EMO-DB's listening test, is not there.
    """
    import pandas as pd

    sources = sources or Sources()
    heard = emodb.listening_test()
    kept = {utterance.key: utterance for utterance in sources.corpus("emodb").utterances}
    listeners = pd.DataFrame(
        [
            {"key": key, "emotion": kept[key].emotion, "recognised": heard[key].recognised}
            for key in kept
        ]
    )
    first = {(c.corpus, c.input): c for c in reversed(plan.runs) if c.seconds == 6}
    errors = [
        row
        for _, config in sorted(first.items())
        for row in mean_input_errors(
            sources.dataset(config).select(emotions=PAPER_EMOTIONS), config.protocol
        )
    ]
    paths = []
    for name, frame in zip(FILES, (listeners, pd.DataFrame(errors)), strict=True):
        paths.append(records.study_folder(plan.name, root) / name)
        with atomic_write(paths[-1]) as file:
            file.write(frame.to_csv(index=False, float_format="%.6g").encode())
    return paths


def listeners(study: str = "paper1", root: Path | None = None) -> pd.DataFrame:
    """EMO-DB's own listening test: ``key``, ``emotion``, and per cent who ``recognised`` it.

    Twenty people heard the whole recordings, once each, and chose among seven emotions.

    Raises:
        ValueError: the file is missing.
    """
    return _read(FILES[0], study, root)


def mean_input(study: str = "paper1", root: Path | None = None) -> pd.DataFrame:
    """Rows of :func:`mean_input_errors` for every corpus and input of a study.

    Raises:
        ValueError: the file is missing.
    """
    return _read(FILES[1], study, root)


def _read(name: str, study: str, root: Path | None) -> pd.DataFrame:
    import pandas as pd

    path = records.study_folder(study, root) / name
    if not path.is_file():
        raise ValueError(f"{path} does not exist; run: ser study yardsticks {study}")
    return pd.read_csv(path, keep_default_na=False)
