"""What the tables are held against: on made-up features, and against the real recordings."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ser_lib import splits
from ser_lib.corpora import emodb
from ser_lib.evidence import yardsticks
from ser_lib.features import MinMaxScaler
from ser_lib.losses import reconstruction_loss
from tests.commands import ser
from tests.fakes import dataset

ROOT = Path(__file__).parents[2]
real = pytest.mark.skipif("SER_DATA" not in os.environ, reason="needs the real recordings")


@pytest.mark.parametrize("scaling", ["coefficient", "global"])
def test_the_error_of_the_mean_input_is_that_of_the_loss(scaling):
    import torch

    made = dataset()
    rows = [r for r in yardsticks.mean_input_errors(made) if r["scaling"] == scaling]
    folds = splits.sessions(made.corpus)
    assert [(r["fold"], r["part"]) for r in rows] == [(f, p) for f in range(2) for p in range(2)]
    for row in rows:
        fold = folds[row["fold"]]
        x = MinMaxScaler(scaling).fit(made.inputs[fold.train]).transform(made.inputs)
        guess = torch.from_numpy(x[fold.train]).mean(0)
        truth = torch.from_numpy(x[fold.parts[row["part"]]])
        error = reconstruction_loss(guess.expand_as(truth), truth).item()
        assert row["error"] == pytest.approx(error, rel=1e-5)


def test_a_spectrogram_is_also_measured_without_its_logarithm():
    made = dataset()
    config = replace(made.config, input="log_mel", n_mels=made.config.shape[0], n_mfcc=1)
    decibels = replace(made, config=config)
    for form, divisor in (("amplitude", 20), ("power", 10)):
        rows = [r for r in yardsticks.mean_input_errors(decibels) if r["form"] == form]
        plain = yardsticks.mean_input_errors(replace(made, inputs=10 ** (made.inputs / divisor)))
        assert [r["error"] for r in rows] == pytest.approx([r["error"] for r in plain], rel=1e-4)
    assert {r["form"] for r in yardsticks.mean_input_errors(made)} == {"as trained"}


def test_a_missing_file_names_the_command(tmp_path):
    with pytest.raises(ValueError, match="run: ser study yardsticks paper1"):
        yardsticks.listeners("paper1", tmp_path)


def test_what_this_repository_holds():
    heard = yardsticks.listeners("paper1", ROOT / "results")
    assert len(heard) == heard["key"].nunique() == 535
    assert heard["recognised"].mean() == pytest.approx(93.5, abs=0.05)  # as its makers say
    assert set(heard["emotion"]) == set(emodb.EMOTION_CODES.values())
    errors = yardsticks.mean_input("paper1", ROOT / "results")
    parts = errors.groupby(["corpus", "input", "form", "scaling"]).size()
    assert set(parts["emodb"]) == {10}
    assert set(parts["ravdess"]) == {12}
    assert (errors["error"] > 0).all()


@real
def test_the_files_are_those_of_the_recordings(tmp_path, shared_cache, monkeypatch):
    """Only EMO-DB is computed again: RAVDESS would take minutes where nothing is cached."""
    (tmp_path / "paper1").mkdir()
    (tmp_path / "paper1" / "plan.toml").write_text(
        '[[grid]]\ncorpus = "emodb"\ninput = ["mfcc", "log_mel"]\nseed = 0\n'
    )
    monkeypatch.setenv("SER_RESULTS", str(tmp_path))
    done = ser("study", "yardsticks", "paper1")
    written = [tmp_path / "paper1" / name for name in yardsticks.FILES]
    assert done.stdout.splitlines() == list(map(str, written))
    for read in (yardsticks.listeners, yardsticks.mean_input):
        mine, kept = read("paper1", tmp_path), read("paper1", ROOT / "results")
        if "corpus" in kept:
            kept = kept[kept["corpus"] == "emodb"].reset_index(drop=True)
            assert np.allclose(mine.pop("error"), kept.pop("error"), rtol=1e-4)
        assert mine.equals(kept)
