"""Table 1 from the records beside this file, as far as its runs are there; needs pandas."""

import pandas as pd

FOUR = "emotions == 'anger,happiness,neutral,sadness' and proportions == '' and train_share == 1"
NET = "model == 'parallel_cnn' and padding == 'valid' and seconds == 6 and scaling == 'coefficient'"
WEIGHTS = "(lambda2 == 100 or ~objective.str.contains('A')) and lambda1 in (4, 0.0625)"
REST = "dropout == 0.5 and center_norm == 'l2' and decoder == '256'"
WHOLE = {"emodb": 15, "ravdess": 18}  # runs of a row: folds times seeds

runs = pd.read_parquet("runs.parquet").query(" and ".join((FOUR, NET, WEIGHTS, REST)))
answers = pd.read_parquet("predictions.parquet").merge(runs, on="run")
answers["right"] = 100.0 * (answers["truth"] == answers["predicted"])
row = ["corpus", "input", "objective", "lambda1"]
overall = answers.groupby([*row, "seed"])["right"].mean()
by_class = answers.groupby([*row, "seed", "truth"])["right"].mean().groupby([*row, "seed"]).mean()
table = pd.DataFrame({"overall accuracy": overall, "class accuracy": by_class}).groupby(row).mean()
found = runs.groupby(row)["run"].nunique()  # A has runs too, but says nothing of emotions
whole = found[found == found.index.get_level_values("corpus").map(WHOLE)].index
print(table[table.index.isin(whole)].round(1))
