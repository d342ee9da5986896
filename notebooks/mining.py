# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Which triplets
#
# ```{admonition} After this chapter you can …
# :class: tip
# - sort an anchor's negatives into hard, semi-hard and easy ones, and say which of them pay;
# - pick all, hard, semi-hard or random triplets from a batch as three index vectors;
# - say what each choice does to a free embedding, of which one lets it collapse and one lets it
#   explode, and to one on the unit sphere, as the study's is;
# - make batches that have triplets in them;
# - compute the mean over *all* triplets, and its gradient, without listing any: by sorting, and by
#   looking things up.
# ```
#
# **You need** {doc}`triplet-loss`. As there, everything happens among invented points in the plane,
# and no number is a result about speech.

# %% tags=["setup", "hide-cell"]
# Set-up, the same in every notebook: where ser_lib is missing (on Colab) it installs the
# library and leaves every package that is already there as it is; elsewhere it only reports.
import sys

if sys.version_info < (3, 11):
    raise RuntimeError(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}")
import importlib.metadata
import importlib.util
import json
import os
import re
import subprocess
import tomllib
from pathlib import Path
from urllib.parse import unquote
from urllib.request import urlopen

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

BOOK = ("", "")  # its address and branch, where the page that offers this notebook knew them
PIN = re.compile(r"[A-Za-z0-9][\w.-]*==\d[\w.!+]*")


def opened_from(session):
    """Address and branch of the GitHub repository that a Colab session was opened from."""
    pattern = r"(https://github\.com/[^/]+/[^/]+)/blob/(.+)/notebooks/[^/]+\.ipynb"
    found = re.search(pattern, unquote(session))
    return found.groups() if found else ("", "")


def address():
    """Where to install from: SER_REPOSITORY_URL, where Colab opened this notebook, or BOOK."""
    url, branch = os.environ.get("SER_REPOSITORY_URL", ""), ""
    if not url and "COLAB_JUPYTER_IP" in os.environ:
        host, port = os.environ["COLAB_JUPYTER_IP"], os.environ.get("KMP_TARGET_PORT", "9000")
        with urlopen(f"http://{host}:{port}/api/sessions", timeout=10) as reply:
            url, branch = opened_from(json.load(reply)[0]["path"])
    if not url:
        url, branch = BOOK
    if not url:
        raise RuntimeError(
            "ser_lib is not installed and this notebook does not know where it came from: set "
            "os.environ['SER_REPOSITORY_URL'] to the book's repository (anything that git can "
            "clone), and os.environ['SER_REPOSITORY_BRANCH'] for a branch of it"
        )
    return url, os.environ.get("SER_REPOSITORY_BRANCH", branch)


def install(url, branch):
    """Clone the repository and install what is missing; pip may not replace what is there."""
    folder = Path.cwd() / "emotion-by-distance"
    if not folder.is_dir():
        chosen = ["--branch", branch] if branch else []
        clone = ["git", "clone", "--quiet", "--depth", "1", *chosen, url, str(folder)]
        subprocess.run(clone, check=True)
    present = {}
    for package in importlib.metadata.distributions():  # of two of a name, the first is imported
        present.setdefault(canonicalize_name(package.metadata["Name"]), package.version)
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    needed = {canonicalize_name(r.name): r for r in map(Requirement, project["dependencies"])}
    old = [f"{n} {present[n]} for {r}" for n, r in needed.items()
           if n in present and not r.specifier.contains(present[n], prereleases=True)]  # fmt: skip
    if old:
        raise RuntimeError(f"too old here, and not replaced: {', '.join(old)}")
    missing = [str(requirement) for name, requirement in needed.items() if name not in present]
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    if missing:
        pins = sorted(f"{name}=={number}" for name, number in present.items() if number)
        constraints = folder / "constraints.txt"
        constraints.write_text("\n".join(filter(PIN.fullmatch, pins)) + "\n")
        subprocess.run([*pip, "--constraint", str(constraints), *missing], check=True)
    subprocess.run([*pip, "--no-deps", "--editable", str(folder)], check=True)
    return folder


if importlib.util.find_spec("ser_lib") is None:
    here = Path.cwd()
    clone = next((p for p in (here, *here.parents) if (p / "ser_lib/__init__.py").is_file()), None)
    sys.path.insert(0, str(clone or install(*address())))
    importlib.invalidate_caches()

import torch

import ser_lib

device = "cuda" if torch.cuda.is_available() else "cpu"  # of the trainings on recordings
gpu = torch.cuda.get_device_name() if device == "cuda" else "none, so the CPU computes"
print(f"ser_lib {ser_lib.__version__}, torch {torch.__version__}, GPU: {gpu}")

# %% tags=["parameters", "hide-cell"]
corpus = "builtin"
profile = "smoke"

# %% tags=["hide-input"]
import warnings

import pandas as pd
import torch

from ser_lib import bench, plots
from ser_lib.book import glue
from ser_lib.losses import triplet_loss
from ser_lib.mining import count_active, pairwise_distances, triplets
from ser_lib.sampling import BalancedBatches
from ser_lib.toys import clouds, right, train

torch.set_num_threads(1)
# %% [markdown]
# ## Look: one anchor's line
#
# Put all utterances of a batch on a line by their distance from one anchor. In the figure there are
# one positive and six negatives. Which negatives pay, with a margin of 0.6?

# %% tags=["hide-input"] mystnb={"image": {"alt": "A line of distances from the anchor in three zones. Hard: from zero to the positive at 1.3, with two negatives. Semi-hard: from there to the limit at 1.9, with two negatives. Easy: beyond the limit, with two negatives."}, "figure": {"caption": "One anchor's positive, its limit a margin farther out, and six negatives in three zones.", "name": "fig-zones"}}
line = [0.5, 0.9, 1.5, 1.7, 2.4, 3.0]
plots.triplets.zones(1.3, line, 0.6)

# %% [markdown]
# The four on the left: up to the *limit* $d_{ap} + m$ a negative pays.
#
# ```{prf:definition} Hard, semi-hard, easy
# :label: def-zones
#
# A triplet is *hard* if $d_{an} \le d_{ap}$, *semi-hard* if $d_{ap} < d_{an} < d_{ap} + m$, and
# *easy* otherwise. Hard and semi-hard triplets are *active*: they pay, and have a gradient.
# ```
#
# The zones belong to the triplet, not to the utterance: for another positive the same negative may
# lie in another zone. *Hard* is also the name of a strategy, which takes each anchor's hardest triplet
# whatever its zone.
#
# ## From scratch: triplets as three lists
#
# A strategy is a rule that picks triplets from a batch. What it gives back are three index vectors of
# one length: anchors, positives, negatives. The loss then needs one line. First everything there is:


# %%
def hinge_mean(d, a, p, n, margin):
    """Mean loss of the triplets with anchors a, positives p and negatives n."""
    return (d[a, p] - d[a, n] + margin).relu().mean()


generator = torch.Generator().manual_seed(0)
z, y = torch.randn(12, 2, generator=generator), torch.arange(12) % 3
d, margin = torch.cdist(z, z), 0.6

same = y[:, None] == y
positive = same & ~torch.eye(12, dtype=torch.bool)
negative = ~same
a, p, n = (positive[:, :, None] & negative[:, None, :]).nonzero(as_tuple=True)
print(f"{len(a)} triplets, loss {hinge_mean(d, a, p, n, margin):.6f}")

# %% [markdown]
# Semi-hard triplets {cite:p}`schroff2015` are a part of these; the hardest of each anchor
# {cite:p}`hermans2017` are a maximum and a minimum; random ones are drawn.

# %%
semi = (d[a, p] < d[a, n]) & (d[a, n] < d[a, p] + margin)
print(f"{semi.sum()} semi-hard, loss {hinge_mean(d, a[semi], p[semi], n[semi], margin):.6f}")

every = torch.arange(12)
farthest = d.masked_fill(~positive, -torch.inf).argmax(1)
nearest = d.masked_fill(~negative, torch.inf).argmin(1)
print(f"{len(every)} hardest, loss {hinge_mean(d, every, farthest, nearest, margin):.6f}")

dice = torch.Generator().manual_seed(1)
drawn = [
    torch.rand(12, 12, generator=dice).masked_fill(~allowed, -1).argmax(1)
    for allowed in (positive, negative)
]
print(f"{len(every)} random, loss {hinge_mean(d, every, *drawn, margin):.6f}")

# %% [markdown]
# One batch, four losses. They are means over different sets, and none of them is *the* loss of this
# batch.
#
# ## The library's line
#
# `mining.triplets` gives the three vectors, `losses.triplet_loss` takes the strategy's name.

# %%
rows = {}
for name in ("all", "hard", "semi-hard", "random"):
    draw = {"generator": torch.Generator().manual_seed(1)} if name == "random" else {}
    found = triplets(pairwise_distances(z), y, margin, name, **draw)
    loss = triplet_loss(z, y, margin, name, **draw)
    rows[name] = {"triplets": len(found.anchor), "loss": loss.item()}
pd.DataFrame(rows).T.style.format({"triplets": "{:.0f}", "loss": "{:.6f}"})

# %% [markdown]
# The first three losses are those from above. The fourth is of another draw: from the same seed the library
# makes other triplets. Only `"random"` needs a generator, and refuses to work without: a draw that cannot
# be repeated is no experiment. A name that the library does not know is refused as well. That is not a
# matter of course: there is a widely used library in which "semi-hard", with a hyphen, silently means all
# active ones.
#
# ## Batches that have triplets
#
# An utterance without a second one of its class is never an anchor. In a batch of 32 drawn at random
# from eight emotions some may have one utterance and some seven. So batches are made on purpose:
# $P$ emotions with $K$ utterances each. `sampling.BalancedBatches` deals the utterances of each class
# like a pack of cards, shuffled anew when it is used up. A class with fewer than $K$ gives what it
# has: nobody stands twice in a batch, because an utterance at distance zero from itself would be a
# positive that teaches nothing. Here are three classes of 9, 5 and 2:

# %%
labels = torch.tensor([0] * 9 + [1] * 5 + [2] * 2)
batches = BalancedBatches(labels, utterances=3, generator=torch.Generator().manual_seed(0))
for batch in batches:
    print(batch.tolist(), "of classes", labels[batch].tolist())

# %% [markdown]
# The class of two comes whole each time. As there are so few emotions, $P$ is best set to all of them;
# `state_dict()` goes into the checkpoint, so that a training that was interrupted goes on with the
# same batches.
#
# ## Four strategies, one network
#
# The overlapping clouds and the small network of {doc}`triplet-loss`, trained four times from the
# same start.

# %%
old, new = clouds(50, seed=0), clouds(100, seed=1)
trained = {name: train(old, name) for name in ("all", "hard", "semi-hard", "random")}

# %% tags=["remove-cell"]
rows = {}
for name, (network, history) in trained.items():
    last = history[-1]
    rows[name] = {
        "loss of all": last.loss,
        "active (%)": 100 * last.active,
        "spread": last.spread,
        "right, new (%)": right(network, old, new),
        "collapsed": last.collapsed,
    }
    short = name.replace("-", "_")
    glue(f"spread_{short}", last.spread)
    glue(f"right_{short}", rows[name]["right, new (%)"])
table = pd.DataFrame(rows).T

# %% [markdown]
# In the figure, look at the share of *all* triplets that are active, whichever were trained on: one
# curve stays at one, and one falls below the others.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Share of active triplets against training step, four curves. With hard triplets it stays at one. With all and with random triplets it falls to about a half, side by side. With semi-hard triplets it falls fastest, to about a fifth."}, "figure": {"caption": "Share of all triplets that are active, in training with four kinds of triplets.", "name": "fig-active"}}
series = {name: [row.active for row in history] for name, (_, history) in trained.items()}
figure = plots.results.curves(series, xlabel="step", ylabel="share of active triplets")
figure.axes[0].legend(frameon=False, loc="center right", bbox_to_anchor=(1, 0.72))
figure

# %% [markdown]
# A small share of active triplets is what one hopes for. But look at *spread*, the mean distance of
# two points, in the table, before you give semi-hard triplets the prize.

# %% tags=["hide-input"]
table.style.format("{:.4f}", subset=["loss of all", "spread"]).format(
    "{:.0f}", subset=["active (%)", "right, new (%)"]
)

# %% [markdown]
# - **Hard**: the collapse of the last chapter. Spread is {glue:text}`spread_hard:.4f`.
# - **Semi-hard**: the opposite. Spread is {glue:text}`spread_semi_hard:.0f`, with a margin of 0.5, and
#   it goes on growing. Most triplets are easy because everything is far apart, and the few hard ones
#   are hopeless. With {glue:text}`right_semi_hard:.0f` % of the new points right the nearest class mean
#   recognises them as well as with the others; but there is no minimum to stop at.
# - **All** and **random** serve new points alike, with {glue:text}`right_all:.0f` % and
#   {glue:text}`right_random:.0f` % of the new points right. In balanced batches one random triplet for
#   each anchor is an honest, if noisy, estimate of the mean over all of them.
#
# ### Why semi-hard triplets explode
#
# {doc}`triplet-loss` tells which way is downhill by one number: the mean of $d_{ap} - d_{an}$ over the
# active triplets. By their definition *every* semi-hard triplet has $d_{ap} < d_{an}$. So growing lowers
# their loss, always, whatever the network knows. Hard triplets would pull back, but they are left out.
# {cite:t}`schroff2015`, who proposed semi-hard triplets, bring every embedding to length 1, and there it
# cannot grow. The cosine distance does the same:

# %%
network, history = train(old, "semi-hard", "cosine")
last = history[-1]
print(f"spread {last.spread:.2f}, active {last.active:.0%}, right {right(network, old, new):.0f} %")

# %% [markdown]
# **A strategy and a distance are chosen together.** Here semi-hard triplets need a bounded distance,
# hard ones classes that do not overlap, and all and random ones neither.
#
# The study of paper 2's network brings every embedding to length 1 before the loss. There nothing can
# explode, nor collapse by shrinking, whichever triplets are taken; what is left is the collapse to one
# direction (an exercise of {doc}`triplet-loss`). What the strategies did there stands in
# {doc}`what-made-91`.
#
# ### Most triplets sleep
#
# Why not always take all, then? Because of what happens when training goes well. The next figure
# sorts the triplets of those 80 embeddings at four moments of the training with all triplets.

# %% tags=["remove-cell"]
shares = {}
for step in (0, 10, 50, 200):
    network = train(old, "all", steps=step)[0]
    distances = pairwise_distances(network(old[0][:80]).detach())
    counts = count_active(distances, old[1][:80], 0.5)
    semi = count_active(distances, old[1][:80], 0.5, "semi-hard").active / counts.valid
    hard = counts.active / counts.valid - semi
    shares[f"step {step}"] = {"hard": hard, "semi-hard": semi, "easy": 1 - hard - semi}
glue("easy_last", 100 * shares["step 200"]["easy"])

# %% tags=["hide-input"] mystnb={"image": {"alt": "Four bars of shares of hard, semi-hard and easy triplets. At the start a good quarter are hard, all others semi-hard and none easy; at step 200 more than half are easy, and less than a fifth still hard."}, "figure": {"caption": "Hard, semi-hard and easy triplets in the course of a training with all triplets.", "name": "fig-shares"}}
plots.triplets.shares(shares)

# %% [markdown]
# At the end {glue:text}`easy_last:.0f` % are easy. They pay nothing and pull at nothing, but each
# counts in the mean, so the gradient becomes smaller as training goes on. With classes that separate
# well nearly all triplets sleep, and that is when mining pays. With classes that overlap, and a network too
# small to learn them by heart, there is always work left; the study's network is not too small
# ({doc}`what-made-91`). The other reason was the price. It is lower than you think.
#
# ## All triplets for the price of few
#
# The three vectors of a batch of 512 from eight emotions have 14,450,688 entries each. But a batch of
# 512 has only 262,144 distances, so the hinges cannot all be news. Nor do we need them: we want their
# sum, and how often each distance stands in an active triplet.
#
# Take one anchor again, with all its positives now. Each positive has a limit, $t_p = d_{ap} + m$, and
# a negative at distance $x$ pays $t_p - x$ for each limit beyond it. The figure has four positives and
# four negatives, and a margin of 0.5. Follow the black line: it counts the limits beyond each place.

# %%
positives, negatives, m = [0.7, 1.3, 1.5, 2.2], [1.6, 0.6, 2.05, 3.2], 0.5

# %% tags=["hide-input"] mystnb={"image": {"alt": "A staircase that goes down from four to zero, one step at each of the limits 1.2, 1.8, 2.0 and 2.7. Four negatives lie on it, at heights four, three, one and zero. The area under the stairs to the right of the negative at 1.6 is shaded."}, "figure": {"caption": "One anchor: how many limits lie beyond each distance. A negative pays the area under the stairs to its right.", "name": "fig-steps"}}
plots.triplets.steps(positives, negatives, m)

# %% [markdown]
# The negative at 1.6 has three limits beyond it, at 1.8, 2.0 and 2.7, and pays $0.2 + 0.4 + 1.1 = 1.7$.
# That is the shaded area. And it is easily computed from two numbers: *how many* limits lie beyond,
# and *their sum*:
#
# $$
# \sum_p \max(0, t_p - x) \;=\; \sum_{p:\, t_p > x} t_p \;-\; x \cdot \#\{p : t_p > x\} .
# $$ (eq-stairs)
#
# Here $(1.8 + 2.0 + 2.7) - 3 \cdot 1.6 = 1.7$. If the limits are *sorted*, the ones beyond $x$ are the
# last few of them. Which few, a **binary search** finds in about $\log_2$ of their number of steps, by
# halving; their sum stands ready in a list of **running sums**, made once. No negative looks at any
# positive by itself.

# %%
limits = (torch.tensor(positives) + m).sort().values
sums = torch.cat((limits.flip(0).cumsum(0).flip(0), torch.zeros(1)))  # of the last 4, 3, 2, 1, 0
x = torch.tensor(negatives)
passed = torch.searchsorted(limits, x, right=True)  # limits at or before each negative
beyond = len(limits) - passed
pays = sums[passed] - x * beyond
by_pairs = (limits - x[:, None]).relu().sum(1)
pd.DataFrame({"at": x, "limits beyond": beyond, "pays": pays, "pair by pair": by_pairs}).round(3)

# %% [markdown]
# ### The gradient comes along
#
# Write the sum of all hinges once more, as what each distance contributes:
#
# $$
# \sum_{a,p,n} \max(0, d_{ap} - d_{an} + m)
# = \sum_{a,p} k_{ap} \, d_{ap} \;-\; \sum_{a,n} k_{an} \, d_{an} \;+\; m A .
# $$ (eq-counts)
#
# $k_{an}$ is the number of active triplets that the distance $d_{an}$ stands in, which is the height
# of the stairs at this negative. $k_{ap}$ is the same for a positive: the number of negatives to the
# left of its limit. $A$ is the number of all active triplets. As long as no negative crosses a limit
# the counts do not change, so they are also the *derivatives* with respect to the distances: $k_{ap}$
# and $-k_{an}$. At the crossing itself the hinge is zero, and the library counts it as inactive.
#
# So the whole method is: count, with sorting and searching; multiply the counts with the distances;
# leave the rest to PyTorch. In `mining.count_active` the $k_{ap}$ come from the same search, by
# counting how many negatives passed how many limits, and adding up.

# %%
distances = pairwise_distances(z)
counts = count_active(distances, y, m)
by_counts = ((counts.weights * distances).sum() + m * counts.active) / counts.valid
print(f"by counts {by_counts:.6f}, by the list {hinge_mean(d, a, p, n, m):.6f}")
print("row of the first anchor:", counts.weights[0].tolist())

# %% [markdown]
# In the row of counts, positive numbers belong to positives and negative ones to negatives, and they
# add up to zero: each active triplet has one of each.
#
# ### What it costs
#
# For each anchor: sorting its limits and looking up its negatives, at most $B \log B$ steps. For $B$
# anchors that is $O(B^2 \log B)$ time and $O(B^2)$ memory, where a list takes $O(B^3)$ of both. Nothing
# is sampled and nothing is approximate. Below, `bench.mining.compare` takes one step, forward and
# backward, by the three loops of {doc}`triplet-loss` and by counting, in turn and in one process. Read
# the column *difference* first, which is that of values and gradients in 64 bits.

# %% tags=["remove-stderr"]
with warnings.catch_warnings():
    warnings.simplefilter("ignore", UserWarning)  # from the profiler, which measures the memory
    measured = bench.mining.compare(
        against="loop", batches=(8, 16, 32), classes=4, dim=32, repeats=3
    )
timed = pd.DataFrame(measured["rows"])

# %% tags=["hide-input"]
columns = {
    "batch": "batch",
    "triplets": "triplets",
    "plain_ms": "loops (ms)",
    "our_ms": "counting (ms)",
    "times_faster": "times faster",
    "difference": "difference",
}
timed[list(columns)].rename(columns=columns).style.hide().format(
    {
        "triplets": "{:,}",
        "loops (ms)": "{:.1f}",
        "counting (ms)": "{:.2f}",
        "times faster": "{:.0f}",
        "difference": "{:.0e}",
    }
)

# %% tags=["remove-cell"]
glue("slowest", float(timed["times_faster"].iloc[0]))
glue("fastest", float(timed["times_faster"].iloc[-1]))

# %% [markdown]
# From {glue:text}`slowest:.0f` to {glue:text}`fastest:.0f` times as fast, and the ratio grows with the
# batch. **These are measurements of the machine that ran this page**, on one thread, with other
# programs beside it; and loops in Python are an easy rival. `ser bench mining` compares with
# pytorch-metric-learning, which lists all triplets and computes them at once, in time and in memory,
# for batches of 64 to 512. That library is also what the tests of this one are held against, for all,
# hard and semi-hard triplets, to twelve digits of values and gradients.
#
# ## What can go wrong
#
# **Two distances.** Mining by one distance and training with another picks triplets that are hard
# for nobody. In the library one argument serves both.
#
# **The mean of what.** All triplets are averaged over triplets, hard and random ones over anchors. An
# anchor in a large class has many triplets and weighs more in the former.
#
# **No semi-hard triplet left.** Then the loss is zero with a gradient of zeros, and training stands
# still, at best because it is done. Watch the share of active triplets, not the loss.
#
# **Duplicates.** The same recording twice in a corpus, or in a batch, gives a positive at distance
# zero. It makes the loss look better than it is and teaches nothing. RAVDESS has one such pair
# ({doc}`what-made-91`).
#
# **Rounding.** The loss lives on differences of distances, and those are lost first when embeddings
# lie close together and far from the origin. The library computes distances in 64 bits, whatever comes
# in.
#
# ## Exercises
#
# ```{exercise-start} ★ Sort and pay
# :label: exercise-sort
# ```
# An anchor has positives at 1 and 2 and negatives at 0.5, 1.5, 2.5 and 4; the margin is 1. Name the
# zone of each of the eight triplets. What is the sum of the hinges, by pairs and by {eq}`eq-stairs`?
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-sort
# :label: solution-sort
# :class: dropdown
# ```
# For the positive at 1, limit 2: hard, semi-hard, easy, easy. For the one at 2, limit 3: hard, hard,
# semi-hard, easy. The limits are 2 and 3. The negative at 0.5 has both beyond it and pays $5 - 1 = 4$,
# the one at 1.5 pays $5 - 3 = 2$, the one at 2.5 pays $3 - 2.5 = 0.5$, the last nothing: 6.5.

# %%
near, far = torch.tensor([1.0, 2.0]), torch.tensor([0.5, 1.5, 2.5, 4.0])
print((near[:, None] - far + 1).relu().sum().item())

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} ★ An empty batch
# :label: exercise-empty
# ```
# Name the two kinds of batches of four utterances without any triplet. What does the library's loss
# give, and what would a plain `mean()` over the list give?
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-empty
# :label: solution-empty
# :class: dropdown
# ```
# All of one class (no negatives), or all of different classes (no positives). The mean of an empty
# list is not a number, and one step with it ruins every weight of the network.

# %%
four = torch.randn(4, 2, generator=torch.Generator().manual_seed(0))
for labels in ([0, 0, 0, 0], [0, 1, 2, 3]):
    print(labels, triplet_loss(four, torch.tensor(labels), 0.5).item())
print("plain mean:", torch.tensor([]).mean().item())

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} ★★ Less hard by smaller batches
# :label: exercise-smaller
# ```
# The hardest of one positive is not very hard. Train with hard triplets and two utterances of each
# class in a batch, instead of eight. Does that prevent the collapse? Explain with the numbers of
# positives and negatives.
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-smaller
# :label: solution-smaller
# :class: dropdown
# ```

# %%
for utterances in (2, 8):
    last = train(old, "hard", utterances=utterances)[1][-1]
    print(f"{utterances} of each: spread {last.spread:.4f}, collapsed {last.collapsed}")

# %% [markdown]
# It does not, it is only slower. There is one positive now, so its choice is random; but the negative
# is still the nearest of six. A minimum over a few is enough to make $d_{ap} - d_{an}$ positive on
# average, where classes overlap.
#
# ```{solution-end}
# ```
#
# ```{exercise-start} ★★★ Semi-hard without a list
# :label: exercise-semi-hard
# ```
# Semi-hard triplets can be counted, too. Express their sum of hinges by {eq}`eq-stairs` for one
# anchor, with two searches for each negative instead of one. (Which limits lie beyond the negative,
# but whose positives do not?) Check it with the list.
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-semi-hard
# :label: solution-semi-hard
# :class: dropdown
# ```
# A positive counts if $d_{ap} < x < d_{ap} + m$. In the sorted list of positives these are neighbours:
# from the first with $d_{ap} > x - m$ to the last with $d_{ap} < x$. Two searches find both ends, and
# the sum between them is the difference of two running sums.

# %%
near = torch.tensor(positives).sort().values
running = torch.cat((torch.zeros(1), near.cumsum(0)))
first = torch.searchsorted(near + 0.5, x, right=True)  # limits at or before x are out
last = torch.searchsorted(near, x)  # positives at or beyond x are out
number = last - first
pays = running[last] - running[first] + number * (0.5 - x)
listed = torch.where((near < x[:, None]) & (x[:, None] < near + 0.5), near - x[:, None] + 0.5, 0)
print([round(v, 3) for v in pays.tolist()], [round(v, 3) for v in listed.sum(1).tolist()])

# %% [markdown]
# `mining.count_active` does it by counting twice: below the limits, and below the positives
# themselves; what is in the first and not in the second is semi-hard.
#
# ```{solution-end}
# ```
#
# ## Summary
#
# - A triplet is hard, semi-hard or easy; easy ones pay nothing. A strategy gives three index vectors.
# - Hard triplets let a free embedding of overlapping classes collapse, semi-hard ones let it explode;
#   on a bounded distance the latter behave. All and random ones agree.
# - Batches of $P$ emotions times $K$ utterances always have triplets.
# - A sum of hinges is the area under a staircase. With the limits sorted, counting replaces listing:
#   $O(B^2 \log B)$ time, $O(B^2)$ memory, and the counts are the gradient.
#
# Next: {doc}`angles`. With an embedding trained like that, the last question of paper 2 is how to read it.
#
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
