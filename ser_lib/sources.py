"""Where a study's corpora and features come from: recordings, or feature files made elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ser_lib import corpora
from ser_lib.config import RunConfig
from ser_lib.corpora.base import Corpus, CorpusError
from ser_lib.features import Dataset, FeatureConfig, extract

Choices = Mapping[str, Mapping[str, Any]]
"""Arguments of :func:`ser_lib.corpora.load` for each corpus: table ``[corpora]`` of a plan."""


class Sources:
    """Corpora and their features, each loaded once."""

    def __init__(self, files: Sequence[Path] = (), choices: Choices | None = None) -> None:
        """Read feature files, if any; the corpora they do not hold are loaded from recordings."""
        self.files = tuple(files)
        self.choices: Choices = choices or {}
        self._datasets: dict[tuple[str, FeatureConfig], Dataset] = {}
        self._corpora: dict[str, Corpus] = {}
        self._read: dict[str, Mapping[str, Any]] = {}
        for path in files:
            dataset = Dataset.load(path)
            self._datasets[dataset.corpus.name, dataset.config] = dataset
            self._corpora[dataset.corpus.name] = dataset.corpus

    def choose(self, choices: Choices) -> None:
        """Read recordings with these choices from now on; a feature file holds what it holds.

        Raises:
            ValueError: a corpus is unknown, or was read with another choice before.
        """
        if strange := sorted(set(choices) - set(corpora.NAMES)):
            raise ValueError(f"no corpus {', '.join(strange)}; known: {', '.join(corpora.NAMES)}")
        for name, before in self._read.items():
            if choices.get(name, {}) != before:
                raise ValueError(
                    f"corpus {name!r} was read with {dict(before)}, "
                    f"not with {dict(choices.get(name, {}))}: other sources are needed"
                )
        self.choices = choices

    def corpus(self, name: str) -> Corpus:
        """Return the table of a corpus."""
        if name not in self._corpora:
            self._read[name] = self.choices.get(name, {})
            self._corpora[name] = corpora.load(name, **self._read[name])
        return self._corpora[name]

    def dataset(self, config: RunConfig) -> Dataset:
        """Return the features that a run asks for.

        Raises:
            ValueError: the corpus is in a feature file, but not with these features.
        """
        features = config.features
        if (config.corpus, features) not in self._datasets:
            known = [
                f"{f.input} of {f.seconds:g} s" for c, f in self._datasets if c == config.corpus
            ]
            if known and config.corpus not in self._read:
                raise ValueError(
                    f"the feature files hold {config.corpus!r} as {', '.join(known)}, "
                    f"not as {features.input} of {features.seconds:g} s: "
                    f"{', '.join(map(str, self.files))}"
                )
            made = extract(self.corpus(config.corpus), features)
            self._datasets[config.corpus, features] = made
        return self._datasets[config.corpus, features]


_EXPECTED = {
    "emotions", "folds", "note", "protocols", "sessions", "utterances", "utterances_of_all",
}  # fmt: skip
"""Names that a table ``[rules.corpora.NAME]`` may have, here or for the evidence."""


def check_counts(corpus: Corpus, expected: Mapping[str, Any]) -> None:
    """Refuse a corpus that does not hold what a plan was written for.

    Args:
        corpus: as read, all its emotions.
        expected: number of utterances by ``emotions`` and by ``sessions``; either may be missing.

    Raises:
        CorpusError: naming each number that was found and the one expected.
        ValueError: ``expected`` has a name that nothing reads.
    """
    if strange := sorted(set(expected) - _EXPECTED):
        raise ValueError(
            f"rules.corpora.{corpus.name} has {', '.join(strange)}; "
            f"known: {', '.join(sorted(_EXPECTED))}"
        )
    found = {
        "emotions": Counter(utterance.emotion for utterance in corpus.utterances),
        "sessions": Counter(utterance.session for utterance in corpus.utterances),
    }
    problems = [
        f"{kind}: found {counted[name]:,} utterances of {name!r}, expected {wanted.get(name, 0):,}"
        for kind, counted in found.items()
        if (wanted := expected.get(kind)) is not None
        for name in sorted({*counted, *wanted})
        if counted[name] != wanted.get(name, 0)
    ]
    if problems:
        raise CorpusError(
            f"corpus {corpus.name!r} at {corpus.root} is not what the plan was written for; "
            "nothing was trained:",
            problems,
        )
