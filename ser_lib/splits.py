"""Who trains, who validates, who tests: pure functions of the table of utterances."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ser_lib.corpora.base import Corpus

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Fold:
    """Indices into a corpus's utterances: the training set and one or two held-out parts.

    The network of each epoch is scored on all parts. Of two, one picks the epoch and the other is
    tested at that epoch, then they change places. One part alone is tested at the last epoch,
    since nothing is left to pick by.
    """

    name: str
    train: Indices
    parts: tuple[Indices, ...]
    speaker_dependent: bool

    @property
    def ways(self) -> tuple[tuple[Indices, Indices], ...]:
        """Pairs of validation and test indices."""
        if len(self.parts) == 1:
            return ((self.parts[0][:0], self.parts[0]),)
        first, second = self.parts
        return (first, second), (second, first)


def sessions(corpus: Corpus) -> tuple[Fold, ...]:
    """Paper 1's protocol: hold out a session, validate on one speaker, test on the other.

    The paper does not say which speaker tests; here both do, one after the other. A session of
    more than two speakers is cut into two halves, of the same sexes if each sex has an even number
    of speakers. With both ways every utterance is tested once, by a network that heard nobody of
    its session.

    Raises:
        ValueError: there is one session only, or a session has one speaker only.
    """
    folds = []
    for session, inside, train in _held_out(corpus):
        people = {corpus.utterances[i].speaker: corpus.utterances[i].sex for i in inside}
        speakers = sorted(people, key=lambda speaker: (people[speaker], speaker))
        if len(speakers) < 2:
            raise ValueError(
                f"session {session!r} of corpus {corpus.name!r} has one speaker only, "
                f"{speakers[0]!r}: one validates, another tests"
            )
        first, second = (
            _where([u.speaker in speakers[half::2] for u in corpus.utterances]) for half in (0, 1)
        )
        folds.append(Fold(session, train, (first, second), speaker_dependent=False))
    return tuple(folds)


def _held_out(corpus: Corpus) -> Iterator[tuple[str, Indices, Indices]]:
    """Each session with the indices of its utterances and those of all others."""
    if len(corpus.sessions) < 2:
        raise ValueError(f"corpus {corpus.name!r} has one session only: nothing is left to train")
    for session in corpus.sessions:
        inside = [utterance.session == session for utterance in corpus.utterances]
        yield session, _where(inside), _where([not held_out for held_out in inside])


def speakers(corpus: Corpus) -> tuple[Fold, ...]:
    """Hold out the speakers of a session, all of them for the test.

    The folds are those of :func:`sessions` (six of four actors in RAVDESS, five of a man and a
    woman in EMO-DB), without a part that picks the epoch; a session may have one speaker.

    Raises:
        ValueError: there is one session only.
    """
    return tuple(
        Fold(session, train, (inside,), speaker_dependent=False)
        for session, inside, train in _held_out(corpus)
    )


def _random(corpus: Corpus, count: int, share: float) -> tuple[Fold, ...]:
    """Draw test sets of a share of the utterances, whoever speaks, each draw by itself."""
    size = round(share * len(corpus))
    drawn = [np.random.default_rng(n).permutation(len(corpus))[:size] for n in range(count)]
    return tuple(_speaker_dependent(corpus, n, test) for n, test in enumerate(drawn))


def random_70_30(corpus: Corpus) -> tuple[Fold, ...]:
    """Ten draws of a test set of 30 % of the utterances: speakers are on both sides."""
    return _random(corpus, 10, 0.3)


def random_5_percent(corpus: Corpus) -> tuple[Fold, ...]:
    """A hundred draws of a test set of 5 % (72 of RAVDESS): speakers are on both sides."""
    return _random(corpus, 100, 0.05)


def random_10_fold(corpus: Corpus) -> tuple[Fold, ...]:
    """Ten parts of the utterances, each tested once: speakers are on both sides."""
    order = np.random.default_rng(0).permutation(len(corpus))
    return tuple(
        _speaker_dependent(corpus, n, part) for n, part in enumerate(np.array_split(order, 10))
    )


def _speaker_dependent(corpus: Corpus, number: int, test: Indices) -> Fold:
    train = np.setdiff1d(np.arange(len(corpus)), test)
    return Fold(str(number), train, (np.sort(test),), speaker_dependent=True)


PROTOCOLS: dict[str, Callable[[Corpus], tuple[Fold, ...]]] = {
    "sessions": sessions,
    "speakers": speakers,
    "random-70-30": random_70_30,
    "random-10-fold": random_10_fold,
    "random-5-percent": random_5_percent,
}
"""Every protocol by its name in plans and records."""


def folds(corpus: Corpus, protocol: str) -> tuple[Fold, ...]:
    """All folds of a named protocol, each checked.

    Raises:
        ValueError: the protocol is unknown, does not fit the corpus or leaks.
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f"unknown protocol {protocol!r}, known: {', '.join(PROTOCOLS)}")
    made = PROTOCOLS[protocol](corpus)
    for fold in made:
        check(corpus, fold)
    return made


def check(corpus: Corpus, fold: Fold) -> None:
    """Refuse a fold that leaks: an utterance, or a speaker, on two sides.

    Raises:
        ValueError: naming what is shared, or the part that is empty.
    """
    parts = zip(("first part", "second part"), fold.parts, strict=False)
    sides = {"train": fold.train, **dict(parts)}
    names = list(sides)
    for name, indices in sides.items():
        if len(indices) == 0:
            raise ValueError(f"fold {fold.name!r}: {name} is empty")
        if len(np.unique(indices)) < len(indices):
            raise ValueError(f"fold {fold.name!r}: {name} holds an utterance twice")
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            shared = {corpus.utterances[j].key for j in np.intersect1d(sides[a], sides[b])}
            if not fold.speaker_dependent:
                people = [{corpus.utterances[j].speaker for j in sides[side]} for side in (a, b)]
                shared |= {f"speaker {speaker}" for speaker in people[0] & people[1]}
            if shared:
                raise ValueError(
                    f"fold {fold.name!r} leaks: {', '.join(sorted(shared))} in {a} and {b}"
                )


def thin(
    corpus: Corpus,
    indices: Indices,
    *,
    share: float = 1.0,
    proportions: Mapping[str, float] | None = None,
    seed: int = 0,
) -> Indices:
    """Keep a random part of a training set, emotion by emotion.

    Args:
        corpus: what the indices point into.
        indices: of the training set.
        share: of each emotion's utterances to keep, in (0, 1].
        proportions: wanted share of each emotion in what is kept, first of all; as many utterances
            as possible are kept.
        seed: another one keeps others.

    Returns:
        Indices in ascending order.

    Raises:
        ValueError: ``share`` is out of its range, an emotion has no proportion, or nothing of an
            emotion would be left.
    """
    if not 0 < share <= 1:
        raise ValueError(f"share is {share}, it must lie in (0, 1]")
    labels = np.array([corpus.utterances[index].emotion for index in indices])
    counts = {
        str(label): int(count)
        for label, count in zip(*np.unique(labels, return_counts=True), strict=True)
    }
    keep: dict[str, float] = dict(counts)
    if proportions is not None:
        if strangers := sorted(set(counts) - set(proportions)):
            raise ValueError(f"no proportion is given for {', '.join(strangers)}")
        whole = min(count / proportions[label] for label, count in counts.items())
        keep = {label: whole * proportions[label] for label in counts}
    rng = np.random.default_rng(seed)
    kept = []
    for label in sorted(counts):
        number = round(share * keep[label] + 1e-9)
        if number == 0:
            raise ValueError(f"share {share} leaves nothing of {counts[label]} of {label!r}")
        kept.append(rng.choice(indices[labels == label], number, replace=False))
    return np.sort(np.concatenate(kept))


def _where(mask: list[bool]) -> Indices:
    return np.flatnonzero(np.array(mask)).astype(np.int64)
