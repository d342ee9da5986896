"""Whether packed records agree with themselves."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from ser_lib.config import RunConfig
from ser_lib.metrics import accuracy_class
from ser_lib.records import Records


def inconsistencies(records: Records) -> tuple[str, ...]:
    """Say where packed records contradict themselves.

    A run's name must be that of its configuration, what it predicted the emotion of its highest
    score, and the accuracy of its predictions that of its history at the epoch it chose; one that
    classifies must have predictions.
    """
    problems = []
    known = {f.name for f in fields(RunConfig)}
    for row in records.runs.to_dict("records"):
        settings = {str(k): _plain(v) for k, v in row.items() if k in known}
        settings["emotions"] = str(settings["emotions"]).split(",")
        decoder = str(settings["decoder"])
        settings["decoder"] = [int(width) for width in decoder.split(",") if width]
        try:
            name = RunConfig.from_dict(settings).identity
        except ValueError as error:
            name = str(error)
        if name != row["run"]:
            problems.append(f"run {row['run']}: its configuration is that of {name}")
    known_runs = {row["run"]: row for row in records.runs.to_dict("records")}
    heard = set(records.predictions["run"])
    problems += [
        f"run {name}: classifies, and has no predictions"
        for name, row in known_runs.items()
        if "S" in row["objective"] and name not in heard
    ]
    told = records.history.set_index(["run", "epoch"])
    for (run, way, by), part in records.predictions.groupby(["run", "way", "by"]):
        run, way = str(run), int(str(way))
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


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
