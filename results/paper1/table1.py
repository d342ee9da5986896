"""Table 1 from the records beside this file, as far as its runs are there."""

import pandas as pd

SETTINGS = {"emotions": "anger,happiness,neutral,sadness", "seconds": 6, "proportions": ""}
SETTINGS |= {"model": "parallel_cnn", "padding": "valid", "scaling": "coefficient"}
SETTINGS |= {"dropout": 0.5, "center_norm": "l2", "decoder": "256", "train_share": 1}
SETTINGS |= {"batch_statistics": "running"}
WHOLE = {"emodb": 15, "ravdess": 18}  # runs of a row: folds times seeds
row = ["corpus", "input", "objective", "lambda1"]

runs = pd.read_parquet("runs.parquet")
for name, value in SETTINGS.items():
    runs = runs[runs[name] == value]
runs = runs[runs["lambda1"].isin([4, 1 / 16])]
runs = runs[~runs["objective"].str.contains("A") | (runs["lambda2"] == 100)]
runs = runs[runs.groupby(row)["run"].transform("size") == runs["corpus"].map(WHOLE)]

answers = pd.read_parquet("predictions.parquet").merge(runs, on="run")
answers["right"] = 100.0 * (answers["truth"] == answers["predicted"])
seed = answers.groupby([*row, "seed"])["right"].mean()
emotion = answers.groupby([*row, "seed", "truth"])["right"].mean()
table = {"overall": seed.groupby(row).mean(), "class": emotion.groupby(row).mean()}
print(pd.DataFrame(table).round(1))
