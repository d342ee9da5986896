"""A measure after each epoch of a condition's runs, and the epoch that is counted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ser_lib.evidence.conditions import Condition, Evidence


def table(evidence: Evidence, condition: Condition, measure: str) -> pd.DataFrame:
    """A measure of the history: a row for each fold, part and seed, a column for each epoch.

    Epochs of another stage, which none of the runs measured it in, have no column.

    Args:
        evidence: the records.
        condition: whose runs.
        measure: the name that both held-out parts share, such as ``accuracy_class``; ``part`` is
            then "0" or "1". Or a measure of training, such as ``train_reconstruction``, whose
            ``part`` is "train".

    Raises:
        Missing: runs are not there.
        ValueError: the history of these runs has no such measure.
    """
    history = evidence.history(condition)
    names = {f"{measure}_0": "0", f"{measure}_1": "1", measure: "train"}
    names = {name: part for name, part in names.items() if name in history}
    rows = history.rename(columns=names).melt(
        id_vars=["fold", "seed", "epoch"], value_vars=list(names.values()), var_name="part"
    )
    found = rows.pivot(index=["fold", "part", "seed"], columns="epoch", values="value")
    found = found.dropna(axis="columns", how="all")
    if found.empty or found.isna().any(axis=None):
        raise ValueError(f"the history of {dict(condition)} has no {measure!r}")
    return found.astype(float)


def picked(evidence: Evidence, condition: Condition) -> pd.Series[int]:
    """Epoch of each fold, part and seed that the other part picked, as in training.

    The other part takes its first epoch of the highest class accuracy, then of the lowest
    cross-entropy; where nothing classifies, of the lowest error of reconstruction.

    Raises:
        Missing: runs are not there.
        ValueError: the runs have no such history.
    """
    if "S" in evidence.config(condition).objective:
        accuracy = table(evidence, condition, "accuracy_class")
        best = accuracy.eq(accuracy.max(axis=1), axis=0)
        merit = table(evidence, condition, "cross_entropy").where(best, np.inf)
    else:
        merit = table(evidence, condition, "reconstruction")
    epochs: pd.Series[int] = merit.idxmin(axis=1)
    return epochs.rename(index={"0": "1", "1": "0"}, level="part").sort_index()


def at_picked(evidence: Evidence, condition: Condition, measure: str) -> pd.DataFrame:
    """A measure of each held-out part (row: fold, part) and seed after the epoch picked for it.

    It is to that epoch what :meth:`ser_lib.evidence.Evidence.by_part` is to the last.

    Raises:
        Missing: runs are not there.
        ValueError: the runs have no such history.
    """
    measured, epochs = table(evidence, condition, measure), picked(evidence, condition)
    values = [measured.at[place, epochs[place]] for place in measured.index]
    return pd.Series(values, measured.index).unstack("seed")


def same_trainings(evidence: Evidence, one: Condition, other: Condition) -> tuple[int, int]:
    """How many runs of two conditions have, bit by bit, the same training losses, and of how many.

    A run is held against that of its fold and seed. Trainings with the same settings part where
    sums are rounded otherwise; what is only judged otherwise leaves them the same.

    Raises:
        Missing: runs are not there.
        ValueError: the runs have no softmax loss.
    """
    losses, others = (table(evidence, condition, "train_softmax") for condition in (one, other))
    alike = losses.eq(others).all(axis=1)
    return int(alike.sum()), len(alike)
