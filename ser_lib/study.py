"""A study is a grid of runs, fixed in ``plan.toml`` before the first of them: plan, run, resume."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import threading
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import numpy.typing as npt

from ser_lib import records
from ser_lib.config import RunConfig
from ser_lib.corpora.base import PAPER_EMOTIONS
from ser_lib.device import check_device, threads
from ser_lib.files import remove_leftovers
from ser_lib.metrics import accuracy_class, compactness
from ser_lib.sources import Choices, Sources, check_counts
from ser_lib.splits import Fold, folds
from ser_lib.training import prepare, train

MEASURES = (
    "compactness_train", "silhouette_train", "compactness_held_out", "silhouette_held_out",
    "neighbour_held_out",
)  # fmt: skip
"""What :func:`pack` measures of a run's embeddings."""

LABEL_SETS = {"four": PAPER_EMOTIONS, "all": None}
"""Names of the emotions' sets in plans: those of paper 1, or whatever the corpus has."""


_PLAN = {
    "title", "paper", "question", "how", "primary_metric", "rule", "rules", "factors",
    "corpora", "fixed", "grid",
}  # fmt: skip
"""What a plan may have: :func:`read_plan` reads the last three and ``rules.corpora``."""


@dataclass(frozen=True)
class Plan:
    """What a study will run."""

    name: str
    runs: tuple[RunConfig, ...]


def read_plan(
    name: str,
    only: Mapping[str, Any] | None = None,
    *,
    sources: Sources | None = None,
    root: Path | None = None,
) -> Plan:
    """Expand ``results/<name>/plan.toml`` into runs.

    The file has a table ``[fixed]`` of settings for all runs and one or more ``[[grid]]`` tables
    whose lists are crossed; both use the field names of :class:`ser_lib.config.RunConfig`.
    ``emotions`` is the name of a set, and every fold of the protocol is run.

    Two tables for a corpus are optional: ``[corpora.NAME]``, the arguments with which it is loaded
    (a run knows them by the corpus's hash), and ``[rules.corpora.NAME]``, which may say how many
    utterances of each emotion and session it must hold (:func:`ser_lib.sources.check_counts`).

    Args:
        name: of the study.
        only: keep the runs with these values; ``None`` keeps all.
        sources: of corpora and features.
        root: folder of all studies.

    Raises:
        ValueError: the file is missing or wrong, a corpus does not hold what the plan expects, or
            no run is left.
    """
    sources = sources or Sources()
    path = records.study_folder(name, root) / "plan.toml"
    try:
        text = tomllib.loads(path.read_text())
    except FileNotFoundError as error:
        raise ValueError(f"study {name!r} has no plan: {path} does not exist") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not valid TOML: {error}") from error
    only = {key: value for key, value in (only or {}).items() if value is not None}
    if strange := sorted(set(text) - _PLAN):
        raise ValueError(f"{path} has {', '.join(strange)}; known: {', '.join(sorted(_PLAN))}")
    runs: dict[str, RunConfig] = {}
    try:
        sources.choose(text.get("corpora", {}))
        expected = text.get("rules", {}).get("corpora", {})
        named: set[str] = set()
        for grid in text["grid"]:
            for values in expanded(grid):
                settings = {**text.get("fixed", {}), **values}
                named.add(settings["corpus"])
                if any(settings.get(key, value) != value for key, value in only.items()):
                    continue
                for config in _all_folds(settings, sources, expected):
                    if all(getattr(config, key) == value for key, value in only.items()):
                        runs[config.identity] = config
        if strange := sorted(set(expected) - named):
            raise ValueError(f"rules.corpora: no grid has the corpus {', '.join(strange)}")
    except KeyError as error:
        raise ValueError(f"{path} lacks {error}") from error
    except (AttributeError, TypeError) as error:
        raise ValueError(f"{path}: something is no table, {error}") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    if not runs:
        raise ValueError(f"no run of study {name!r} has {only}" if only else f"{path} has no runs")
    return Plan(name, tuple(runs.values()))


def expanded(grid: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every combination of a grid's factors; one value stands for a list of it.

    Example:
        >>> list(expanded({"objective": "S", "seed": [0, 1]}))
        [{'objective': 'S', 'seed': 0}, {'objective': 'S', 'seed': 1}]
    """
    if empty := [name for name, value in grid.items() if value == []]:
        raise ValueError(f"{', '.join(empty)} has no values, so that the grid has no runs")
    factors = [value if isinstance(value, list) else [value] for value in grid.values()]
    for values in itertools.product(*factors):
        yield dict(zip(grid, values, strict=True))


def _all_folds(
    settings: dict[str, Any], sources: Sources, expected: Choices
) -> Iterator[RunConfig]:
    if strange := sorted({"corpus_hash", "fold"} & set(settings)):
        raise ValueError(f"{', '.join(strange)} is not for a plan to set")
    label_set = settings.get("emotions", "four")
    if label_set not in LABEL_SETS:
        raise ValueError(f"emotions {label_set!r}, known sets: {', '.join(LABEL_SETS)}")
    corpus = sources.corpus(settings["corpus"])
    check_counts(corpus, expected.get(corpus.name, {}))
    emotions = LABEL_SETS[label_set] or corpus.emotions
    corpus = corpus.select(emotions=emotions)
    settings = {**settings, "emotions": list(emotions), "corpus_hash": corpus.hash, "fold": 0}
    first = RunConfig.from_dict(settings).canonical()
    for fold in range(len(folds(corpus, first.protocol))):
        yield replace(first, fold=fold)


def run(
    plan: Plan,
    *,
    runs_root: Path,
    sources: Sources | None = None,
    jobs: int = 1,
    device: str = "cpu",
    again: bool = True,
    say: Callable[[str], None] = print,
    progress: Callable[[Iterator[str], int, int], Iterable[str]] = lambda lines, done, total: lines,
) -> bool:
    """Run what is neither finished nor packed, resuming what was begun; safe to start twice.

    If all of the plan's runs are packed already and ``again`` is set, those that are not finished
    in ``runs_root`` are run again, and all are compared with their records: on the same type of
    machine the predictions are the same. Each run computes on one thread, so that its bits do not
    depend on ``jobs``.

    Args:
        plan: which runs.
        runs_root: folder of the runs' own folders.
        sources: of corpora and features.
        jobs: runs at a time.
        device: of torch.
        again: repeat what is packed if nothing else is to do.
        say: called with each line of the log.
        progress: wraps the finished runs, given how many were done before and how many there are.

    Returns:
        False if a repeated run differs from its record though the same type of machine made it.

    Raises:
        ValueError: features and plan do not belong together, or the device cannot be used.
        OSError: ``runs_root`` cannot be written, or a worker died.
    """
    check_device(device)
    records.library_hash()  # of the code that runs now, not of what is edited meanwhile
    sources = sources or Sources()
    unfinished = [c for c in plan.runs if not records.finished(runs_root / c.identity)]
    packed = records.packed(plan.name)
    open_runs = [config for config in unfinished if config.identity not in packed]
    finished = len(plan.runs) - len(unfinished)
    say(
        f"{plan.name}: {len(plan.runs)} runs, {finished} finished here, "
        f"{len(unfinished) - len(open_runs)} packed only, {len(open_runs)} to do"
    )
    repeated = plan.runs if again and all(c.identity in packed for c in plan.runs) else ()
    if repeated:
        say("all of them are packed: run again what is not finished here, to compare")
        open_runs = unfinished
    done = len(plan.runs) - len(open_runs)
    for config in open_runs:
        sources.dataset(config)  # fills the feature cache once, before the workers need it
    for config in open_runs:
        try:
            (runs_root / config.identity).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OSError(f"runs cannot be written below {runs_root}: {error.strerror}") from error
    tasks = [(runs_root / config.identity, config) for config in open_runs]
    lines = (
        (_run_one(folder, config, sources, device) for folder, config in tasks)
        if jobs == 1
        else _side_by_side(tasks, sources, jobs, device)
    )
    for number, line in enumerate(progress(lines, done, len(plan.runs)), done + 1):
        say(f"[{number}/{len(plan.runs)}] {line}")
    if repeated:
        kept = records.load(plan.name)
    agree = True
    for config in repeated:
        may, told = records.compare(kept, runs_root / config.identity)
        say(f"{config.label}: {told}")
        agree = agree and may
    return agree


def _side_by_side(
    tasks: Sequence[tuple[Path, RunConfig]], sources: Sources, jobs: int, device: str
) -> Iterator[str]:
    context = multiprocessing.get_context("spawn")
    given = (sources.files, sources.choices)
    with ProcessPoolExecutor(jobs, context, _start_worker, given) as pool:
        futures = [pool.submit(_work, folder, config, device) for folder, config in tasks]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            raise OSError(
                "a worker died, perhaps for lack of memory; start again to resume"
            ) from error
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


_worker_sources: list[Sources] = []


def _start_worker(files: tuple[Path, ...], choices: Choices) -> None:
    """End with the parent: a worker whose study was killed must not go on by itself."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    records.library_hash()  # of the code that this worker has just imported
    _worker_sources.append(Sources(files, choices))


def _work(folder: Path, config: RunConfig, device: str) -> str:
    return _run_one(folder, config, _worker_sources[0], device)


def _run_one(folder: Path, config: RunConfig, sources: Sources, device: str) -> str:
    """Train one run unless it is finished; wait if another process is at it."""
    with _locked(folder / "lock"):
        if records.finished(folder):
            return f"{config.label}: finished elsewhere"
        remove_leftovers(folder)
        start = monotonic()
        dataset = sources.dataset(config).select(emotions=config.emotions)
        try:
            with threads(1):
                trained = train(dataset, config, checkpoint=folder / "checkpoint.pt", device=device)
                seconds = monotonic() - start
                records.write_run(folder, config, dataset.corpus, trained, seconds)
        except (ValueError, RuntimeError) as error:
            raise ValueError(f"{config.label}, run {folder.name}: {error}") from error
        return f"{config.label}: epochs {[c.epoch for c in trained.choices]} in {seconds:.0f} s"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock that the system frees when its holder dies, however it dies."""
    import fcntl  # not on Windows, where chapters can still be read and run

    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def status(plan: Plan, *, runs_root: Path) -> dict[str, int]:
    """Count the runs of a plan: planned, finished, begun, and packed into the records."""
    folders = [runs_root / config.identity for config in plan.runs]
    done = sum(map(records.finished, folders))
    begun = sum((f / "checkpoint.pt").is_file() and not records.finished(f) for f in folders)
    packed = records.packed(plan.name)
    return {
        "planned": len(folders),
        "finished": done,
        "begun": begun,
        "packed": len(packed & {config.identity for config in plan.runs}),
    }


def pack(
    plan: Plan, *, runs_root: Path, sources: Sources | None = None, root: Path | None = None
) -> int:
    """Add the finished runs of a plan to ``results/<study>/*.parquet``; what is packed stays.

    What a picture of the embeddings cannot prove is measured here.

    Returns:
        How many runs the records now hold.

    Raises:
        ValueError: no run is finished or packed, or a file of a run is missing or damaged.
    """
    target = records.study_folder(plan.name, root)
    with _locked(target / "plan.toml"):  # one at a time
        return _pack(plan, target, runs_root, sources or Sources())


def _pack(plan: Plan, target: Path, runs_root: Path, sources: Sources) -> int:
    known = records.packed(plan.name, target.parent)
    done = [
        config
        for config in plan.runs
        if config.identity not in known and records.finished(runs_root / config.identity)
    ]
    if known and not done:
        return len(known)
    remove_leftovers(target)
    measures: dict[str, dict[str, float]] = {}
    tested: dict[str, int] = {}
    embeddings: list[dict[str, Any]] = []
    for config in done:
        measures[config.identity] = {}
        tested[config.identity] = 0
        if "S" not in config.objective:
            continue  # nothing trained the layer that the embedding is
        dataset = sources.dataset(config).select(emotions=config.emotions)
        fold, _ = prepare(dataset, config)
        tested[config.identity] = sum(len(test) for _, test in fold.ways)
        z = records.read_embeddings(runs_root / config.identity)
        labels = [utterance.emotion for utterance in dataset.corpus.utterances]
        if z.ndim != 2 or len(z) != len(labels):
            raise ValueError(
                f"run {config.identity} in {runs_root / config.identity}: embeddings of shape "
                f"{z.shape}, expected ({len(labels)}, dim)"
            )
        measures[config.identity] = _measure(z, np.array(labels), fold)
        if config.seed == config.fold == 0 and config.in_depth:
            embeddings += [
                {
                    "run": config.identity,
                    "key": dataset.corpus.utterances[index].key,
                    "side": side,
                    "emotion": labels[index],
                    "z": z[index],
                }
                for side, indices in _sides(fold).items()
                for index in indices
            ]
    folders = [runs_root / config.identity for config in done]
    return records.pack(folders, target, tested, measures, embeddings)


def _sides(fold: Fold) -> dict[str, npt.NDArray[np.int64]]:
    return {"train": fold.train, "held out": np.concatenate(fold.parts)}


def _measure(
    z: npt.NDArray[np.float16], labels: npt.NDArray[np.str_], fold: Fold
) -> dict[str, float]:
    """Compactness and silhouette of the last epoch's embeddings, on training and held-out data.

    ``neighbour_held_out`` is the class accuracy of giving each held-out utterance the emotion of
    its nearest training utterance. A training that diverged has no measures: all are NaN.
    """
    from sklearn.metrics import silhouette_score
    from sklearn.neighbors import KNeighborsClassifier

    z = z.astype(np.float64)
    if not np.isfinite(z).all():
        return dict.fromkeys(MEASURES, float("nan"))
    values = {}
    for name, side in _sides(fold).items():
        values[f"compactness_{name.replace(' ', '_')}"] = compactness(z[side], labels[side])
        values[f"silhouette_{name.replace(' ', '_')}"] = float(
            silhouette_score(z[side], labels[side])
        )
    train, held_out = _sides(fold).values()
    nearest = KNeighborsClassifier(1).fit(z[train], labels[train]).predict(z[held_out])
    values["neighbour_held_out"] = accuracy_class(labels[held_out], nearest)
    return values
