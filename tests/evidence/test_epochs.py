"""The epoch that is counted, against a loop as in training and against the repository's records."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ser_lib import claims
from ser_lib.evidence import epochs
from tests.fake_records import FOLDS, RUNS, SA, SEEDS, S, evidence, made

ROOT = Path(__file__).parents[2]


def history(*, objective="S+A", epochs=4, seed=0):
    """Runs of ``epochs`` epochs with random measures, all different."""
    rng = np.random.default_rng(seed)
    runs, predictions, old = made(0.5, objective=objective)
    rows = []
    for run in old["run"].unique():
        for epoch in range(1, epochs + 1):
            row = {"run": run, "epoch": epoch, "train_reconstruction": rng.random()}
            for part in (0, 1):
                row[f"accuracy_class_{part}"] = rng.integers(3) / 2  # with ties
                row[f"cross_entropy_{part}"] = rng.random()
                row[f"reconstruction_{part}"] = rng.random()
            rows.append(row)
    return runs, predictions, pd.DataFrame(rows)


@pytest.mark.parametrize("objective", ["S+A", "A"])
def test_a_part_is_measured_at_the_epoch_that_the_other_part_picked(objective):
    found = evidence(history(objective=objective))
    condition = {**S, "objective": objective}
    table = epochs.at_picked(found, condition, "reconstruction")
    assert table.shape == (2 * FOLDS, len(SEEDS))
    runs = found.runs(condition).set_index(["fold", "seed"])["run"]
    for (fold, part), row in table.iterrows():
        for seed, value in row.items():
            own = found.records.history.query(f"run == '{runs[fold, seed]}'")
            judge, best, merit = 1 - int(part), None, (-np.inf, -np.inf)
            for _, epoch in own.iterrows():  # the loop of ser_lib/training.py
                error = -epoch[f"reconstruction_{judge}"]
                score = (epoch[f"accuracy_class_{judge}"], -epoch[f"cross_entropy_{judge}"])
                if (score if "S" in objective else (error, error)) > merit:
                    merit = score if "S" in objective else (error, error)
                    best = epoch[f"reconstruction_{part}"]
            assert value == best


def test_a_measure_of_the_second_stage_has_the_epochs_of_that_stage():
    runs, predictions, rows = history()
    rows["active"] = rows["reconstruction_0"].where(rows["epoch"] > 2)
    assert list(epochs.table(evidence((runs, predictions, rows)), SA, "active").columns) == [3, 4]


def test_the_last_epoch_and_the_training_error():
    found = evidence(history())
    table = epochs.table(found, SA, "reconstruction")
    assert list(table.columns) == [1, 2, 3, 4]
    last = found.by_part(SA, "reconstruction")
    assert np.array_equal(last.to_numpy().ravel(), table[4].to_numpy())
    training = epochs.table(found, SA, "train_reconstruction")
    assert set(training.index.get_level_values("part")) == {"train"}
    assert len(training) == FOLDS * len(SEEDS)
    with pytest.raises(ValueError, match="train_center"):
        epochs.table(found, SA, "train_center")


def test_the_epochs_of_this_repository_s_predictions_are_those_that_are_picked():
    found = claims.evidence("paper1", ROOT)
    picked = epochs.picked(found, S)
    told = found.records.predictions.merge(found.runs(S)[["run", "fold", "seed"]], on="run")
    told = told[["fold", "way", "seed", "epoch"]].drop_duplicates()
    assert len(told) == len(picked)
    for row in told.itertuples():
        assert picked[row.fold, str(1 - row.way), row.seed] == row.epoch


def test_trainings_are_the_same_if_every_loss_is():
    measured = {**SA, "batch_statistics": "training_set"}
    tables = [
        made(0.5, objective="S+A", batch_statistics=way) for way in ("running", "training_set")
    ]
    runs, predictions, rows = (pd.concat(part) for part in zip(*tables, strict=True))
    rows = rows.assign(train_softmax=rows["epoch"] / 3).reset_index(drop=True)
    assert epochs.same_trainings(evidence((runs, predictions, rows)), SA, measured) == (RUNS, RUNS)

    rows.loc[3, "train_softmax"] = np.nextafter(rows.loc[3, "train_softmax"], 1)
    assert epochs.same_trainings(evidence((runs, predictions, rows)), measured, SA) == (
        RUNS - 1,
        RUNS,
    )
