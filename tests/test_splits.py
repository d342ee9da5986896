"""Protocols: everybody tested once, nobody on two sides."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ser_lib import splits
from ser_lib.config import RunConfig
from ser_lib.corpora.base import PAPER_EMOTIONS, Corpus, Utterance


def corpus(people: dict[str, tuple[str, str]], takes: int = 2) -> Corpus:
    """A corpus of people (name: (session, sex)), each with every emotion."""
    utterances = [
        Utterance(
            f"{name}-{emotion}-{take}",
            "x.wav",
            name,
            session,
            sex,
            "one",
            emotion,
            emotion,
            16_000,
            1.0,
        )
        for name, (session, sex) in people.items()
        for emotion in PAPER_EMOTIONS
        for take in range(takes)
    ]
    return Corpus("fake", "none", Path(), tuple(utterances))


PAIRS = {f"{s}{sex[0]}": (f"s{s}", sex) for s in range(5) for sex in ("female", "male")}


def people(made: Corpus, indices: np.ndarray) -> set[str]:
    return {made.utterances[i].speaker for i in indices}


def test_sessions_of_paper_1():
    made = corpus(PAIRS)
    folds = splits.folds(made, "sessions")
    assert [fold.name for fold in folds] == ["s0", "s1", "s2", "s3", "s4"]
    tested = np.concatenate([test for fold in folds for _, test in fold.ways])
    assert sorted(tested) == list(range(len(made)))
    for number, fold in enumerate(folds):
        first, second = fold.parts
        assert people(made, first) == {f"{number}f"}
        assert people(made, second) == {f"{number}m"}
        assert people(made, fold.train) == set(PAIRS) - {f"{number}f", f"{number}m"}
        assert [tuple(map(id, way)) for way in fold.ways] == [
            (id(first), id(second)),
            (id(second), id(first)),
        ]


def test_a_session_of_four_is_cut_into_mixed_halves():
    four = {f"{s}{i}": (f"s{s}", "female" if i % 2 else "male") for s in range(2) for i in range(4)}
    made = corpus(four)
    for fold in splits.folds(made, "sessions"):
        for part in fold.parts:
            sexes = {made.utterances[i].sex for i in part}
            assert len(people(made, part)) == 2
            assert sexes == {"female", "male"}


@given(st.permutations(range(len(corpus(PAIRS)))))
def test_a_corpus_and_so_its_folds_do_not_depend_on_the_order_of_the_files(order):
    made = corpus(PAIRS)
    shuffled = Corpus("fake", "none", Path(), tuple(made.utterances[i] for i in order))
    assert shuffled.utterances == made.utterances


def test_a_planted_speaker_leak_raises():
    made = corpus(PAIRS)
    fold = splits.sessions(made)[0]
    leaked = np.append(fold.train, fold.parts[1][0])
    with pytest.raises(ValueError, match="speaker 0m in train and second part"):
        splits.check(made, replace(fold, train=leaked))
    # Another utterance of the same person is a leak as well.
    with pytest.raises(ValueError, match="speaker 0f in train and first part"):
        splits.check(
            made,
            replace(
                fold,
                train=np.append(fold.train, fold.parts[0][0]),
                parts=(fold.parts[0][1:], fold.parts[1]),
            ),
        )


def test_a_shared_utterance_raises_even_where_speakers_may_be_shared():
    made = corpus(PAIRS)
    fold = replace(splits.sessions(made)[0], speaker_dependent=True)
    with pytest.raises(ValueError, match=made.utterances[fold.train[0]].key):
        splits.check(made, replace(fold, parts=(fold.train[:1], fold.parts[1])))


def test_an_empty_side_raises():
    made = corpus(PAIRS)
    fold = splits.sessions(made)[0]
    with pytest.raises(ValueError, match="train is empty"):
        splits.check(made, replace(fold, train=fold.train[:0]))


def test_an_utterance_twice_in_a_part_raises():
    made = corpus(PAIRS)
    fold = splits.sessions(made)[0]
    first, second = fold.parts
    with pytest.raises(ValueError, match="first part holds an utterance twice"):
        splits.check(made, replace(fold, parts=(np.concatenate([first, first[:1]]), second)))


def test_sessions_of_one_speaker_can_be_held_out():
    made = corpus({name: (name, "unknown") for name in "abc"})
    tested = [people(made, fold.parts[0]) for fold in splits.folds(made, "speakers")]
    assert tested == [{"a"}, {"b"}, {"c"}]


def test_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="one session only"):
        splits.folds(corpus({"a": ("s0", "female"), "b": ("s0", "male")}), "sessions")
    with pytest.raises(ValueError, match="one speaker only, 'b'"):
        splits.folds(
            corpus({"a": ("s0", "female"), "c": ("s0", "male"), "b": ("s1", "male")}), "sessions"
        )
    with pytest.raises(ValueError, match="'leave-one-out', known: sessions"):
        splits.folds(corpus(PAIRS), "leave-one-out")


def test_thinning():
    made = corpus(PAIRS, takes=30)
    train = splits.sessions(made)[0].train
    labels = np.array([made.utterances[i].emotion for i in train])
    assert np.array_equal(splits.thin(made, train), train)
    half = splits.thin(made, train, share=0.5, seed=1)
    assert set(half) < set(train)
    for emotion in PAPER_EMOTIONS:
        kept = sum(made.utterances[i].emotion == emotion for i in half)
        assert kept == sum(labels == emotion) / 2
    assert np.array_equal(half, splits.thin(made, train, share=0.5, seed=1))
    assert not np.array_equal(half, splits.thin(made, train, share=0.5, seed=2))
    shares = {"neutral": 0.4, "sadness": 0.3, "happiness": 0.2, "anger": 0.1}
    skewed = splits.thin(made, train, proportions=shares)
    names, counts = np.unique([made.utterances[i].emotion for i in skewed], return_counts=True)
    whole = max(counts) / 0.4
    assert {n: c / whole for n, c in zip(names, counts, strict=True)} == pytest.approx(shares)
    assert counts.max() == sum(labels == "neutral")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"share": 0.0}, "share is 0.0"),
        ({"share": 1e-6}, "leaves nothing of"),
        ({"proportions": {"anger": 1.0}}, "happiness, neutral, sadness"),
    ],
)
def test_thinning_refuses(options, message):
    made = corpus(PAIRS)
    with pytest.raises(ValueError, match=message):
        splits.thin(made, splits.sessions(made)[0].train, **options)


def test_speakers_are_held_out_with_nobody_to_pick_the_epoch():
    made = corpus(PAIRS)
    folds = splits.folds(made, "speakers")
    assert sorted(np.concatenate([fold.parts[0] for fold in folds])) == list(range(len(made)))
    for number, fold in enumerate(folds):
        assert people(made, fold.parts[0]) == {f"{number}f", f"{number}m"}
        ((validation, test),) = fold.ways
        assert len(validation) == 0
        assert test is fold.parts[0]
        assert not fold.speaker_dependent


@pytest.mark.parametrize("protocol", splits.PROTOCOLS)
def test_a_run_knows_whether_its_folds_share_speakers(protocol):
    made = corpus(PAIRS)
    run = RunConfig(
        corpus=made.name,
        corpus_hash=made.hash,
        emotions=("anger", "neutral"),
        input="mfcc",
        fold=0,
        seed=0,
        protocol=protocol,
    )
    shared = {fold.speaker_dependent for fold in splits.folds(made, protocol)}
    assert shared == {run.speaker_dependent}


@pytest.mark.parametrize(
    ("protocol", "count", "size"),
    [("random-70-30", 10, 24), ("random-10-fold", 10, 8), ("random-5-percent", 100, 4)],
)
def test_random_protocols(protocol, count, size):
    made = corpus(PAIRS)  # 80 utterances
    folds = splits.folds(made, protocol)
    assert len(folds) == count
    assert {len(fold.parts[0]) for fold in folds} == {size}
    for fold in folds:
        assert fold.speaker_dependent
        assert sorted([*fold.train, *fold.parts[0]]) == list(range(len(made)))
        assert people(made, fold.parts[0]) & people(made, fold.train)
    assert len({tuple(fold.parts[0]) for fold in folds}) == count
    tested = np.concatenate([fold.parts[0] for fold in folds])
    if protocol == "random-10-fold":
        assert sorted(tested) == list(range(len(made)))
    again = splits.folds(made, protocol)
    assert all(np.array_equal(a.train, b.train) for a, b in zip(folds, again, strict=True))


def test_folds_do_not_change():
    """Records name a fold by its number: another draw under the same name would mix two studies."""

    made = corpus(PAIRS)
    found = {}
    for name in splits.PROTOCOLS:
        digest = hashlib.sha256()
        for fold in splits.folds(made, name):
            for side in (fold.train, *fold.parts):
                digest.update(side.astype("<i8").tobytes())
        found[name] = digest.hexdigest()[:8]
    assert found == {
        "sessions": "ffd0d0ba",
        "speakers": "ffd0d0ba",
        "random-70-30": "c2de859a",
        "random-10-fold": "d49ea055",
        "random-5-percent": "6a741c58",
    }
