"""Packed records with known effects, without a training."""

from dataclasses import asdict
from itertools import chain

import numpy as np
import pandas as pd

from ser_lib import records
from ser_lib.config import RunConfig
from ser_lib.corpora.base import PAPER_EMOTIONS
from ser_lib.evidence import Evidence, Protocol, Size
from ser_lib.metrics import accuracy_class
from tests.fakes import vector_run, vectors

SEEDS, FOLDS, TAKES = (0, 1), 5, 12  # two speakers a fold, so ten; takes of each emotion
FIXED = {"protocol": "sessions", "epochs": 2, "lambda2": 100.0}
S = {"corpus": "emodb", "input": "mfcc", "objective": "S"}
SA = {**S, "objective": "S+A"}
RUNS = FOLDS * len(SEEDS)


def key(speaker, emotion, take):
    return f"{speaker:02d}{emotion[:2]}{take:02d}"


WOBBLE = np.array([0.01, -0.02, 0.0, 0.03, -0.02])
"""By how much the logarithm of a cost differs from fold to fold."""


def made(share, *, tilt=0.0, **settings):
    """Runs of one condition; ``share`` of each speaker's utterances are right, plus a tilt.

    The tilt raises the even speakers and lowers the odd ones. Which utterances are wrong depends on
    the seed only, so that two conditions of the same share say the same.
    """
    runs, predictions, history = [], [], []
    costs = np.full(FOLDS, 1.0)
    if "cost" in settings:
        costs = settings.pop("cost") * np.exp(WOBBLE)
    validated = settings.pop("validated", None)
    for fold in range(FOLDS):
        for seed in SEEDS:
            config = RunConfig(
                corpus="emodb",
                corpus_hash="0" * 16,
                emotions=PAPER_EMOTIONS,
                fold=fold,
                seed=seed,
                **{"input": "mfcc", **FIXED, **settings},
            ).canonical()
            run = config.identity
            row = {"run": run, "epoch": 2}
            for part in (0, 1):
                speaker, truth, said = 2 * fold + part, [], []
                right = round((share + (tilt if speaker % 2 == 0 else -tilt)) * TAKES)
                for index, emotion in enumerate(PAPER_EMOTIONS):
                    for take in range(TAKES):
                        fine = (take + seed + index + speaker) % TAKES < right
                        answer = (index + (not fine)) % 4
                        scores = np.full(4, 0.1, dtype=np.float32)
                        scores[answer] = 0.7
                        truth.append(emotion)
                        said.append(PAPER_EMOTIONS[answer])
                        predictions.append(
                            {
                                "run": run,
                                "key": key(speaker, emotion, take),
                                "way": 1 - part,
                                "by": "softmax",
                                "epoch": 2,
                                "truth": emotion,
                                "predicted": said[-1],
                                "scores": scores,
                            }
                        )
                row[f"accuracy_class_{part}"] = accuracy_class(truth, said)
                row[f"cross_entropy_{part}"] = 1.0
                row[f"reconstruction_{part}"] = costs[fold] * (1 + 0.01 * speaker + 0.02 * seed)
            if "S" not in config.objective:
                predictions = [p for p in predictions if p["run"] != run]
            flat = {name: records.as_column(value) for name, value in asdict(config).items()}
            spread = costs[fold] * (1 + 0.02 * fold + 0.01 * seed)
            facts = {"parameters": 260452, "compactness_train": spread, "training_seconds": 60.0}
            runs.append({"run": run, **flat, **facts})
            history += [{**row, "epoch": 1}, row]
    if validated is not None:  # what validation sees: all the test of the other way does not
        for row in history:
            row["cross_entropy_0"] = row["cross_entropy_1"] = validated
    return tuple(map(pd.DataFrame, (runs, predictions, history)))


def joined(*parts):
    tables = (pd.concat(tables, ignore_index=True) for tables in zip(*parts, strict=True))
    embeddings = pd.DataFrame(columns=["run", "key", "side", "emotion", "z"])
    return records.Records(*tables, embeddings)


def write(root, found):
    folder = root / "results" / "paper1"
    for name in records.TABLES:
        getattr(found, name).to_parquet(folder / f"{name}.parquet", index=False)


def evidence(*parts):
    protocol = Protocol(
        seeds=SEEDS,
        sizes={"emodb": {"sessions": Size(FOLDS, 2 * FOLDS * 4 * TAKES)}},
        weights=(4.0, 0.0625),
        fixed={**FIXED, "emotions": "four"},
        smallest=0.02,
    )
    return Evidence(joined(*parts) if parts else None, protocol)


def without_first_run(part):
    runs, predictions, history = part
    first = runs["run"].iloc[0]
    return tuple(table[table["run"] != first] for table in (runs, predictions, history))


def unbalanced(*parts):
    """Records in which half of the recordings are angry: overall is not class accuracy."""
    parts = [tuple(table.copy() for table in part) for part in parts]
    for _, predictions, _ in parts:
        predictions.loc[predictions["truth"] == "happiness", "truth"] = "anger"
    return parts


DRAWS, SIZE = 10, 24  # of 80 utterances


def records_of(share, *, seeds=(0,), protocol="random-70-30", folds=DRAWS, by=None, **settings):
    """Runs whose draws have ``share`` of their answers right, plus a few by draw and seed."""
    data = vectors(sessions=5, takes=2)
    emotions = data.corpus.emotions
    runs, answers = [], []
    for fold in range(folds):
        for seed in seeds:
            config = vector_run(
                data, protocol=protocol, fold=fold, seed=seed, triplet_epochs=0, **settings
            ).canonical()
            flat = {name: records.as_column(value) for name, value in asdict(config).items()}
            runs.append({"run": config.identity, **flat})
            right = round(share * SIZE) + fold % 3
            for n in range(SIZE):
                truth = emotions[n % 4]
                said = truth if n < right else emotions[(n + 1) % 4]
                for way in by or ["softmax"]:
                    answers.append(
                        {
                            "run": config.identity,
                            "way": 0,
                            "by": way,
                            "key": f"{n:03}",
                            "truth": truth,
                            "predicted": said,
                        }
                    )
    return runs, answers


def vector_evidence(*parts, seeds=(0,)):
    runs, answers = (pd.DataFrame(chain(*rows)) for rows in zip(*parts, strict=True))
    sizes = {"fake": {"random-70-30": Size(DRAWS, DRAWS * SIZE)}}
    data = vectors(sessions=5, takes=2)
    fixed = {
        name: getattr(vector_run(data), name)
        for name in ("input", "model", "scaling", "optimizer", "learning_rate", "seconds")
    }
    fixed |= {"epochs": 3, "batch_size": 8, "protocol": "random-70-30"}
    fixed["emotions"] = list(data.corpus.emotions)
    records = type("Records", (), {"runs": runs, "predictions": answers})
    return Evidence(records, Protocol(tuple(seeds), sizes, (), fixed))
