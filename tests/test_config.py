"""A run's settings: what is refused, and the names that runs are found by."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from ser_lib import records
from ser_lib.config import RunConfig
from ser_lib.corpora.base import PAPER_EMOTIONS
from tests.fakes import config, vector_run, vectors

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objective": "C"}, "'C', known: S, A"),
        ({"epochs": 0}, "epochs is 0"),
        ({"batch_size": 1}, "batch_size is 1"),
        ({"lambda1": -1.0}, "lambda1 is -1.0"),
        ({"model": "resnet"}, "'resnet', known: parallel_cnn"),
        ({"model": "residual"}, "does not take the input 'mfcc'"),
        ({"input": "mean_390"}, "does not take the input 'mean_390'"),
        ({"model": "parent_cnn", "objective": "S+A"}, "has no decoder"),
        ({"margin": 0.0}, "margin is 0.0"),
        ({"per_class": 1}, "per_class is 1"),
        ({"mining": "hardest"}, "mining 'hardest', known: all, hard, semi-hard, random"),
        ({"distance": "manhattan"}, "distance 'manhattan', known: euclidean"),
        ({"scaling": "none"}, "scaling 'none', known: coefficient, global, standard"),
        ({"optimizer": "sgd"}, "optimizer 'sgd', known: adadelta, adam"),
        ({"proportions": "equal"}, "proportions 'equal', known: "),
    ],
)
def test_refuses_bad_settings(made, changes, message):
    with pytest.raises(ValueError, match=message):
        config(made, **changes)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"lamda1": 4.0}, "unknown setting lamda1"),
        ({"epochs": "40"}, "epochs is '40', expected int"),
        ({"seed": True}, "seed is True, expected int"),
    ],
)
def test_from_dict_refuses(values, message):
    with pytest.raises(ValueError, match=message):
        RunConfig.from_dict(values)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"triplet_epochs": 2, "protocol": "speakers"}, "model 'parallel_cnn' answers by softmax"),
        ({"triplet_epochs": 2, "model": "residual_frames"}, "with protocol 'sessions'"),
    ],
)
def test_refuses_a_triplet_stage_that_nothing_would_be_answered_by(made, changes, message):
    with pytest.raises(ValueError, match=message):
        config(made, **changes)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("alpha", 2.0),
        ("alpha", -0.1),
        ("decoder", (0,)),
        ("decoder", (8.0,)),
        ("dropout", 1.0),
        ("dropout", -0.5),
        ("lambda1", math.nan),
        ("lambda2", math.inf),
        ("layers", 0),
        ("learning_rate", math.inf),
        ("learning_rate", 0.0),
        ("margin", math.inf),
        ("seconds", 0.0),
        ("seconds", math.nan),
        ("units", 0),
    ],
)
def test_refuses_what_could_not_be_trained(made, name, value):
    with pytest.raises(ValueError, match=f"{name} is .*, which is out of its range"):
        config(made, **{name: value})


def test_identities_do_not_change():
    """Records are found by these names: a default that changes would orphan them."""
    run = RunConfig(corpus="c", corpus_hash="h", emotions=("a", "b"), input="mfcc", fold=0, seed=0)
    assert run.identity == "4f27e06e3351a6f4"
    assert replace(run, objective="S+C", lambda1=0.1).identity == "6be3025422350be6"


def test_labels_tell_runs_of_other_settings_apart(made):
    kwargs = {"objective": "S+C", "lambda1": 0.1, "seconds": 6.0, "decoder": (256,)}
    plain = config(made, **kwargs, emotions=PAPER_EMOTIONS)
    assert "mfcc S+C" in plain.label
    assert "lambda1=0.1" in plain.label
    assert plain.label.endswith("fold 0 seed 0")
    changes = {"padding": "same", "dropout": 0.25, "decoder": (8, 9), "center_norm": "l1"}
    for name, value in changes.items():
        assert f" {name}={value} " in replace(plain, **{name: value}).label
    assert " lambda1=4 " in replace(plain, lambda1=4.0).label
    three = replace(plain, emotions=PAPER_EMOTIONS[:3])
    assert three.label.endswith(" 3 emotions fold 0 seed 0")


@pytest.mark.parametrize("study", ["paper1", "paper2", "rounding"])
def test_no_two_committed_runs_have_one_label(study):
    runs = records.load(study, ROOT / "results").runs.to_dict("records")
    labels = [records.configuration(row).label for row in runs]
    assert len(set(labels)) == len(labels) > 0


def test_canonical(made):
    run = config(made, objective="S", lambda1=0.1, lambda2=9.0, alpha=0.1)
    assert run.canonical() == config(made, objective="S", decoder=(256,)).canonical()
    whole = config(made, objective="S+A+C", lambda1=0.1, lambda2=9.0)
    assert whole.canonical() == whole
    softmax = config(made, margin=0.9, mining="hard", distance="cosine", per_class=3, layers=8)
    assert softmax.canonical() == config(made).canonical()
    made = vectors()
    assert vector_run(made, layers=8, margin=0.9).canonical().layers == 8
    assert vector_run(made, layers=8, margin=0.9).canonical().margin == 0.9
