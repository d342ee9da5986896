"""Table 1's eight models from the records beside this file."""

import pandas as pd

ROW = ["corpus", "input", "objective", "lambda1"]
runs = pd.read_parquet("runs.parquet").query(
    'emotions == "anger,happiness,neutral,sadness" and seconds == 6 and proportions == ""'
    ' and model == "parallel_cnn" and padding == "valid" and scaling == "coefficient"'
    ' and dropout == 0.5 and decoder == "256" and center_norm == "l2" and train_share == 1'
    ' and batch_statistics == "running" and lambda1 in [4, 0.0625]'
    ' and (lambda2 == 100 or objective in ["S", "S+C"])'
)
whole = runs["corpus"].map({"emodb": 15, "ravdess": 18})  # folds times seeds
runs = runs[runs.groupby(ROW)["run"].transform("size") == whole]
answers = pd.read_parquet("predictions.parquet").merge(runs, on="run")
answers["right"] = 100.0 * (answers["truth"] == answers["predicted"])
overall = answers.groupby([*ROW, "seed"])["right"].mean().groupby(ROW).mean()
by_class = answers.groupby([*ROW, "seed", "truth"])["right"].mean().groupby(ROW).mean()
print(pd.DataFrame({"overall": overall, "class": by_class}).round(1))
