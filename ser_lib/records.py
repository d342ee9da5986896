"""One run, one record: its folder while it lives, four Parquet tables once it is packed.

A run's folder holds ``config.json``, ``environment.json``, ``history.json`` (one row an epoch),
``predictions.json`` (one row a tested utterance, with every class's probability),
``embeddings.npy`` (of the last epoch, in half precision), ``checkpoint.pt`` and, written after all
others, ``result.json``: where that stands, the run is finished, and the checkpoint shrinks to the
weights.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from ser_lib import layers
from ser_lib.config import RunConfig
from ser_lib.corpora.base import Corpus
from ser_lib.files import atomic_write, tree_hash
from ser_lib.training import Trained, write_tensors

if TYPE_CHECKING:
    import pandas as pd

TABLES = {
    "predictions": ["run", "way", "by", "key"],
    "history": ["run", "epoch"],
    "embeddings": ["run", "key"],
    "runs": ["run"],
}
"""The files of a study's packed records, and the columns they are sorted by.

``runs`` comes last, since what it holds counts as packed.
"""

_COLUMNS = {
    "predictions": ["run", "by", "key", "way", "epoch", "truth", "predicted", "scores"],
    "embeddings": ["run", "key", "side", "emotion", "z"],
}
"""Of the tables that may be empty."""


@dataclass(frozen=True)
class Records:
    """The packed runs of a study, as data frames that share the column ``run``.

    ``runs`` has one row a run: its configuration, its parameters, the measures of its embeddings,
    how long it trained (since it was last resumed) and where.
    ``predictions`` has one row for each tested utterance: ``way``, ``epoch`` (picked by the other
    held-out part, else the last), ``key``, ``truth``, ``predicted`` and ``scores`` in the order of
    the run's ``emotions``; ``by`` says how it was answered (see
    :class:`ser_lib.training.Choice`), in one way only for runs that are not ``in_depth`` (see
    :class:`ser_lib.config.RunConfig`). ``history`` has one row an epoch. ``embeddings`` has, for
    the runs in depth of seed 0 and fold 0, one row an utterance: ``side``
    (``train``, or ``held out``), ``emotion`` and ``z``, the embedding by the network of the last
    epoch, in half precision.
    """

    runs: pd.DataFrame
    predictions: pd.DataFrame
    history: pd.DataFrame
    embeddings: pd.DataFrame


def results_folder() -> Path:
    """Folder of all studies: ``SER_RESULTS``, else the ``results`` with a plan here or above.

    Raises:
        ValueError: there is none.
    """
    if chosen := os.environ.get("SER_RESULTS"):
        if not Path(chosen).is_dir():
            raise ValueError(f"SER_RESULTS is {chosen}, which is no folder")
        return Path(chosen)
    here = Path.cwd()
    for folder in (here, *here.parents, Path(__file__).parents[1]):
        if any((folder / "results").glob("*/plan.toml")):  # and no folder of somebody else's
            return folder / "results"
    raise ValueError(f"no folder 'results' with a plan in {here} or above; set SER_RESULTS")


def study_folder(study: str, root: str | Path | None = None) -> Path:
    """Folder of a study below ``root``, by default :func:`results_folder`."""
    return (Path(root) if root else results_folder()) / study


def load(study: str, root: str | Path | None = None) -> Records:
    """Read the packed records of a study.

    Raises:
        ValueError: the study has none.
    """
    import pandas as pd

    folder = study_folder(study, root)
    missing = [name for name in TABLES if not (folder / f"{name}.parquet").is_file()]
    if missing:
        raise ValueError(f"study {study!r} at {folder} has no {', '.join(missing)}.parquet")
    # `pack` writes `runs` last: read first, it names no run that the other tables may still lack.
    tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in reversed(TABLES)}
    for name, order in TABLES.items():
        if lacking := sorted({*order, *_COLUMNS.get(name, ())} - set(tables[name].columns)):
            raise ValueError(f"{folder / name}.parquet has no column {', '.join(lacking)}")
    _fill_settings(tables["runs"])
    return Records(**tables)


def load_if_any(study: str, root: str | Path | None = None) -> Records | None:
    """Read the packed records of a study, or none where it has not been run.

    Raises:
        ValueError: some of its tables are missing.
    """
    folder = study_folder(study, root)
    there = any((folder / f"{name}.parquet").is_file() for name in TABLES)
    return load(study, root) if there else None


def _fill_settings(runs: pd.DataFrame) -> None:
    """Give a setting that is newer than a record its default there."""
    import pandas as pd

    for setting in fields(RunConfig):
        if setting.default is not MISSING:
            if setting.name not in runs:
                runs[setting.name] = None
            default = as_column(setting.default)
            runs[setting.name] = [default if pd.isna(v) else v for v in runs[setting.name]]


def packed(study: str, root: str | Path | None = None) -> set[str]:
    """Names of the runs that a study's records hold; none where it has no records.

    Where pandas is not installed the records cannot be read, and none are known.

    Raises:
        ValueError: a part of the records is missing or damaged.
    """
    try:
        folder = study_folder(study, root)
    except ValueError:
        return set()
    if not (folder / "runs.parquet").is_file():
        return set()
    try:
        return set(load(study, root).runs["run"])
    except ImportError:
        return set()


def compare(kept: Records, folder: Path) -> tuple[bool, str]:
    """Whether a finished run may be that of its packed record, and how far it is from it.

    Compared are its predictions, or where it has none, as for the objective A, its history. They
    may differ where products of matrices are rounded otherwise, or the record does not tell how
    they were; of the same utterances and emotions they must be everywhere.
    """
    record = kept.predictions.query("run == @folder.name")
    record = record.sort_values(["way", "by", "key"])
    settings = RunConfig.from_dict(json.loads((folder / "config.json").read_text()))
    mine = _kept(settings, json.loads((folder / "predictions.json").read_text()))
    mine = sorted(mine, key=lambda row: (row["way"], row["by"], row["key"]))
    if [row["key"] for row in mine] != list(record["key"]):
        return False, "other utterances than in the record"
    if not mine:
        history = json.loads((folder / "history.json").read_text())
        old = kept.history.query("run == @folder.name").sort_values("epoch")[list(history[0])]
        new = np.array([list(row.values()) for row in history])
        if np.array_equal(new, old.to_numpy()):
            return True, f"the same history of {len(new)} epochs as the record, bit for bit"
        largest = np.abs(new - old.to_numpy()).max()
        may, why = _rounded(kept, folder)
        return may, f"{len(new)} epochs differ by up to {largest:.2g}{why}"
    scores = np.array([row["scores"] for row in mine], dtype=np.float32)
    facts = ["way", "by", "epoch", "truth", "predicted"]
    told = [[row[name] for name in facts] for row in mine] == record[facts].to_numpy().tolist()
    if told and np.array_equal(scores, np.stack(list(record["scores"]))):
        return True, f"the same {len(mine)} predictions as the record, bit for bit"
    others = sum(
        row["predicted"] != old for row, old in zip(mine, record["predicted"], strict=True)
    )
    largest = float(np.abs(scores - np.stack(list(record["scores"]))).max())
    differ = f"{others} of {len(mine)} predictions differ, scores by up to {largest:.2g}"
    may, why = _rounded(kept, folder)
    if [row["truth"] for row in mine] != list(record["truth"]):
        may, why = False, f"; the record has other true emotions{why}"
    return may, differ + why


def _rounded(kept: Records, folder: Path) -> tuple[bool, str]:
    """Whether :func:`rounding` explains a difference between a run and its record, and in words."""
    (there,) = kept.runs.loc[kept.runs["run"] == folder.name, "environment"]
    places = (json.loads(there), json.loads((folder / "environment.json").read_text()))
    ways = {place.get("rounding") for place in places}
    if None in ways:
        return True, ""
    same = "alike" if len(ways) == 1 else "otherwise"
    why = f"; where the record was made, a product of matrices is rounded {same}"
    return len(ways) > 1, why


def write_run(
    folder: Path, config: RunConfig, corpus: Corpus, trained: Trained, seconds: float
) -> None:
    """Write a finished run into its folder; once its result is there, it is finished.

    ``seconds`` are those since the training began or, of a resumed run, since it was resumed.
    """
    predictions = []
    for way, (choice, (_, test)) in enumerate(zip(trained.choices, trained.fold.ways, strict=True)):
        for by, table in choice.scores.items():
            for index, scores in zip(test, table, strict=True):
                utterance = corpus.utterances[index]
                predictions.append(
                    {
                        "key": utterance.key,
                        "way": way,
                        "by": by,
                        "epoch": choice.epoch,
                        "truth": utterance.emotion,
                        "predicted": config.emotions[int(np.argmax(scores))],
                        "scores": scores,
                    }
                )
    result = {
        "parameters": sum(p.numel() for p in trained.network.parameters()),
        "seconds": round(seconds, 1),
    }
    _write_json(folder / "config.json", asdict(config))
    _write_json(folder / "environment.json", environment(trained.embeddings.device))
    _write_json(folder / "history.json", trained.history)
    _write_json(folder / "predictions.json", predictions)
    with atomic_write(folder / "embeddings.npy") as file:
        np.save(file, trained.embeddings.cpu().numpy().astype(np.float16), allow_pickle=False)
    _write_json(folder / "result.json", result)
    # Only now, for until the result stands a run may have to be resumed from its last epoch.
    weights = {"network": trained.network.state_dict(), "centers": trained.centers}
    write_tensors(folder / "checkpoint.pt", weights)


def finished(folder: Path) -> bool:
    """Say whether the run in ``folder`` came to its end."""
    return (folder / "result.json").is_file()


def read_embeddings(folder: Path) -> npt.NDArray[np.float16]:
    """Read the embeddings of a finished run.

    Raises:
        ValueError: the file is missing or damaged.
    """
    try:
        with (folder / "embeddings.npy").open("rb") as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"run {folder.name} in {folder} cannot be read: {error}") from error


def pack(
    folders: Iterable[Path],
    target: Path,
    tested: Mapping[str, int],
    measures: Mapping[str, Mapping[str, float]],
    embeddings: Sequence[Mapping[str, Any]],
) -> int:
    """Add finished runs to the packed records in ``target``.

    Args:
        folders: of finished runs.
        target: folder of the study.
        tested: how many utterances a run answers for, by its name.
        measures: further columns of ``runs``, by the name of the run.
        embeddings: rows of the table of that name.

    Returns:
        How many runs the records now hold.

    Raises:
        ValueError: a file of a finished run is missing, damaged or of another run.
    """
    import pandas as pd

    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    for folder in folders:
        run = folder.name
        try:
            config, result, history, predictions, where = (
                json.loads((folder / f"{name}.json").read_text())
                for name in ("config", "result", "history", "predictions", "environment")
            )
            settings = RunConfig.from_dict(config)  # with those newer than the run
            facts = {"parameters": result["parameters"], "training_seconds": result["seconds"]}
            _refuse_incomplete(run, settings, history, predictions, tested[run])
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(
                f"run {run} in {folder} cannot be read: {type(error).__name__} {error}"
            ) from error
        flat = {name: as_column(value) for name, value in asdict(settings).items()}
        rows["runs"].append(
            {"run": run, **flat, **facts, **measures[run], "environment": json.dumps(where)}
        )
        predictions = [{"run": run, **row} for row in predictions]
        rows["predictions"] += _kept(settings, predictions)
        rows["history"] += [{"run": run, **row} for row in history]
    if not rows["runs"]:
        raise ValueError(f"there is nothing to pack into {target}")
    rows["embeddings"] = [dict(row) for row in embeddings]
    total = 0
    for name, order in TABLES.items():
        frame = pd.DataFrame(rows[name], columns=_COLUMNS.get(name))
        path = target / f"{name}.parquet"
        if path.is_file():
            old = pd.read_parquet(path)
            fresh = {row["run"] for row in rows["runs"]}
            old = old[~old["run"].isin(fresh)]
            if name == "runs":  # whoever reads the file without this library finds it whole
                _fill_settings(old)
            frames = [part for part in (old, frame) if len(part)] or [frame]
            frame = pd.concat(frames, ignore_index=True)
        if name == "predictions":
            scores = [np.asarray(row, dtype=np.float32) for row in frame["scores"]]
            frame["scores"] = pd.Series(scores, index=frame.index, dtype=object)
        frame = frame.sort_values(order, ignore_index=True)
        with atomic_write(path) as file:
            frame.to_parquet(file, index=False, compression="zstd")
        if name == "runs":
            total = len(frame)
    return total


def _refuse_incomplete(
    run: str, config: RunConfig, history: Any, predictions: Any, tested: int
) -> None:
    if config.identity != run:
        raise ValueError(f"its files are those of run {config.identity}")
    epochs = config.epochs + config.triplet_epochs
    if [row["epoch"] for row in history] != list(range(1, epochs + 1)):
        raise ValueError(f"its history has {len(history)} epochs, not 1 to {epochs}")
    answers = Counter(row["by"] for row in predictions)
    if (tested and config.answer not in answers) or set(answers.values()) - {tested}:
        raise ValueError(f"it has {dict(answers)} predictions, and tests {tested} utterances")


def environment(device: torch.device) -> dict[str, Any]:
    """What the result of a training on ``device`` may depend on besides its configuration."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "system": platform.system(),
        "processor": platform.machine(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
        "threads": torch.get_num_threads(),
        "quick_search": bool(layers.quick_search and layers.quick_search.processor_gains()),
        "rounding": rounding(),
        "library": library_hash(),
    }


def rounding() -> str:
    """Hash of a product of float32 matrices on the CPU, 8 hex digits.

    In which order it is summed, and whether terms are rounded before they are added, is for the
    processor's library to choose. Where that is other, the same training soon goes another way;
    where it is the same, other operations may still be rounded otherwise.
    """
    steps = torch.arange(3_200 * 64)
    left, right = ((steps * factor % 10_007 / 10_007 - 0.5) for factor in (7_919, 9_973))
    product = left[: 16 * 3_200].view(16, 3_200) @ right.view(3_200, 64)
    return hashlib.sha256(product.numpy().tobytes()).hexdigest()[:8]


@cache
def library_hash() -> str:
    """Hash of the library's files when it was first asked for, 16 hex digits."""
    return tree_hash(Path(__file__).parent)


def _kept(config: RunConfig, predictions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Predictions that the packed record of a run keeps."""
    return [row for row in predictions if config.in_depth or row["by"] == config.answer]


def as_column(value: Any) -> Any:
    """Write a list of a configuration as the text of one column; anything else stays."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else value


def configuration(row: Mapping[Any, Any]) -> RunConfig:
    """Read the configuration back from a row of ``runs``.

    Raises:
        ValueError: a setting is missing or out of its range.
    """
    values = {}
    for setting in fields(RunConfig):
        value = row.get(setting.name)
        values[setting.name] = value.item() if isinstance(value, np.generic) else value
    values["emotions"] = str(values["emotions"]).split(",")
    values["decoder"] = [int(width) for width in str(values["decoder"]).split(",") if width]
    return RunConfig.from_dict(values)


def _write_json(path: Path, value: Any) -> None:
    with atomic_write(path) as file:
        file.write(json.dumps(value, indent=1).encode())
