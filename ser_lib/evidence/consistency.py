"""Whether packed records agree with themselves."""

from __future__ import annotations

import numpy as np

from ser_lib.metrics import accuracy_class
from ser_lib.records import Records, configuration


def inconsistencies(records: Records) -> tuple[str, ...]:
    """Say where packed records contradict themselves.

    A run's name must be that of its configuration, what it predicted the emotion of its highest
    score, and the accuracy of its predictions that of its history at the epoch it chose; one that
    classifies must have predictions.
    """
    problems = []
    known_runs = {str(row["run"]): row for row in records.runs.to_dict("records")}
    for run, row in known_runs.items():
        try:
            name = configuration(row).identity
        except ValueError as error:
            name = str(error)
        if name != run:
            problems.append(f"run {run}: its configuration is that of {name}")
    heard = set(records.predictions["run"])
    problems += [
        f"run {name}: classifies, and has no predictions"
        for name, row in known_runs.items()
        if "S" in row["objective"] and name not in heard
    ]
    told = records.history.set_index(["run", "epoch"])
    for (of, number, by), part in records.predictions.groupby(["run", "way", "by"]):
        run, way = str(of), int(str(number))
        if run not in known_runs:
            problems.append(f"run {run}: predictions without a run")
            continue
        emotions = known_runs[run]["emotions"].split(",")
        scores = np.stack(list(part["scores"]))
        named = np.array(emotions) == part["predicted"].to_numpy()[:, None]
        # Rounded to the record's single precision, two scores of a collapsed network may be one.
        if not (named & (scores == scores.max(axis=1, keepdims=True))).any(axis=1).all():
            problems.append(f"run {run}, way {way}: a prediction is not the highest score's")
        epoch = (run, part["epoch"].iloc[0])
        tested = 1 - way if known_runs[run]["protocol"] == "sessions" else 0
        column = f"accuracy_class{'' if by == 'softmax' else f'_{by}'}_{tested}"
        value = told[column].get(epoch) if column in told else None
        mine = accuracy_class(part["truth"], part["predicted"])
        if value is None or not abs(value - mine) <= 1e-9:  # nor may it be nan
            problems.append(
                f"run {run}, way {way}: class accuracy {mine:.6f} by its predictions, "
                f"{value} by its history at epoch {epoch[1]}"
            )
    return tuple(problems)
