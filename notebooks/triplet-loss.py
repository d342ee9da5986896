# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The triplet loss from scratch, and how it collapses
#
# ```{admonition} After this chapter you can …
# :class: tip
# - compute the loss of three points and all its gradients by hand, and draw where the points move;
# - write the loss of a batch as three loops, and say how many triplets that is;
# - tell from one number, *before* training, whether shrinking everything would lower the loss;
# - recognise a collapse in a log, and say why the hardest triplets invite it;
# - say what margin and distance do, and which margins cannot be met.
# ```
#
# **You need** {doc}`center-loss`, for gradients by hand and for its collapse. Everything on this page
# happens among invented points in the plane; no number here is a result about speech.

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
from itertools import chain, islice, repeat

import pandas as pd
import torch
import torch.nn.functional as F

from ser_lib import plots
from ser_lib.book import glue
from ser_lib.losses import triplet_loss
from ser_lib.mining import describe
from ser_lib.sampling import BalancedBatches
from ser_lib.toys import clouds, right, small_network, train

torch.set_num_threads(1)
emotions = ["anger", "happiness", "neutral", "sadness"]


def rounded(values):
    """Numbers for the eye."""
    return values.detach().double().numpy().round(3).tolist()


# %% [markdown]
# ## Look: three points
#
# Center loss gives each class a point to gather around. The triplet loss {cite:p}`schroff2015` gives
# nobody a place. It only compares distances: an *anchor* is to be nearer to another utterance of its
# own class, the *positive*, than to one of another class, the *negative*. And not just nearer, but
# nearer by a *margin*. Paper 2 {cite:p}`kumar2020` trains its emotion embedding with it.
#
# In the figure the negative is farther away than the positive. Is that enough?

# %%
three = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]])  # anchor, positive, negative
margin = 2.0

# %% tags=["remove-cell"]
step = torch.tensor([[1.0, -1.0], [-1.0, 0.0], [0.0, 1.0]])

# %% tags=["hide-input"] mystnb={"image": {"alt": "An anchor at the origin, a positive at three, zero, a negative at zero, four. A circle around the anchor runs through the positive; a dashed one, two units farther out, encloses the negative. Arrows: the positive moves towards the anchor, the negative away from it, the anchor down and to the right."}, "figure": {"caption": "One triplet. The negative lies outside the inner circle, but within the margin. Arrows show where a step of gradient descent moves each point.", "name": "fig-one-triplet"}}
plots.triplets.one_triplet(three.numpy(), 0.8 * step.numpy(), margin, ("anger", "sadness"))

# %% [markdown]
# It is not: the negative should lie outside the dashed circle.
#
# ```{prf:definition} Triplet loss
# :label: def-triplet-loss
#
# For a set $T$ of triplets of anchor $a$, positive $p$ and negative $n$, with distances
# $d_{ap} = d(z_a, z_p)$ and $d_{an} = d(z_a, z_n)$ and a margin $m$,
#
# $$
# L_T = \frac{1}{|T|} \sum_{(a, p, n) \in T} \max(0, \; d_{ap} - d_{an} + m) .
# $$
# ```
#
# The $\max$ is called the *hinge*. A triplet whose negative lies beyond $d_{ap} + m$ pays nothing
# and pulls at nothing; the others are *active*.
#
# ## From scratch: one triplet by hand
#
# Here $d_{ap} = 3$ and $d_{an} = 4$, so the triplet pays $3 - 4 + 2 = 1$. As long as it is active,
# the loss is a distance minus a distance, and the gradient of a distance $\lVert z_a - z_p \rVert$
# with respect to $z_a$ is the unit vector $u_{ap} = (z_a - z_p) / \lVert z_a - z_p \rVert$, which
# points from the positive to the anchor. So
#
# $$
# \begin{aligned}
# \frac{\partial L}{\partial z_p} &= -u_{ap}, \\
# \frac{\partial L}{\partial z_n} &= u_{an}, \\
# \frac{\partial L}{\partial z_a} &= u_{ap} - u_{an} .
# \end{aligned}
# $$ (eq-triplet-gradient)
#
# With $u_{ap} = (-1, 0)$ and $u_{an} = (0, -1)$ these are $(1, 0)$, $(0, -1)$ and $(-1, 1)$.
# Gradient descent goes the opposite way, which is what the arrows show. By PyTorch, which knows
# nothing of the formula:

# %%
leaf = three.clone().requires_grad_()
near, far = (leaf[0] - leaf[1]).norm(), (leaf[0] - leaf[2]).norm()
loss = (near - far + margin).relu()
loss.backward()
print("loss", loss.item())
for role, gradient in zip(("anchor", "positive", "negative"), leaf.grad, strict=True):
    print(role, rounded(gradient))

# %% [markdown]
# Two things to notice. The three gradients add up to zero: the loss moves the points against each
# other, never all together. And each pull has length 1, *however far away the point is*. A triplet
# that is nearly right pulls as hard as one that is hopeless, until the moment it is right.
#
# ## A batch: three loops
#
# Each utterance of a batch can be the anchor, with each other one of its class as the positive, and
# each one of another class as the negative. That is a loop in a loop in a loop. (With two sad points
# now, one of them astray among the angry ones.)


# %%
def three_loops(z, y, margin):
    """Mean over all triplets of a batch."""
    hinges = []
    for a in range(len(z)):
        for p in range(len(z)):
            for n in range(len(z)):
                if p != a and y[p] == y[a] and y[n] != y[a]:
                    near, far = (z[a] - z[p]).norm(), (z[a] - z[n]).norm()
                    hinges.append((near - far + margin).relu())
    return torch.stack(hinges).mean()


z = torch.tensor([[0.0, 0.0], [3.0, 0.0], [1.0, 2.0], [0.0, 4.0], [2.0, 1.0]])
y = torch.tensor([0, 0, 0, 1, 1])
leaf = z.clone().requires_grad_()
by_loops = three_loops(leaf, y, margin)
by_loops.backward()
print(f"loss {by_loops:.6f}")

# %% [markdown]
# How many triplets are there? With $n_k$ utterances of class $k$ in a batch of $B$, each of them has
# $n_k - 1$ positives and $B - n_k$ negatives:
#
# $$
# |T| = \sum_k n_k \, (n_k - 1) \, (B - n_k) .
# $$ (eq-count)
#
# Here that is $3 \cdot 2 \cdot 2 + 2 \cdot 1 \cdot 3 = 18$. It grows with the *cube* of the batch: 8
# emotions with 8 utterances each make 25,088 triplets, with 64 each more than 14 million.
# {doc}`mining` is about what to do with so many.
#
# ## The library's line
#
# `losses.triplet_loss` gives the same value and the same gradient, here to the last digits of a
# 32-bit number.

# %%
again = z.clone().requires_grad_()
by_library = triplet_loss(again, y, margin)
by_library.backward()
print(f"loss {by_library:.6f}, largest difference of a gradient", end=" ")
print(f"{(again.grad - leaf.grad).abs().max():.0e}")

# %% [markdown]
# Further arguments choose `mining`, that is *which* triplets $T$ holds, and `distance`. Only the
# cosine distance normalises, by its nature. The mean is over all triplets in $T$, the ones that pay nothing
# included. If a batch has no triplet at all, the loss is zero, with a gradient of zeros, so that a
# training runs on.
#
# ## Train with it
#
# Four invented emotions, each a cloud of points around a corner of a square. The clouds overlap, as
# emotions do: many a point lies nearer to the corner of another class. A small network maps each
# point to two numbers. We train it twice, from the same start and with the same batches of eight
# utterances of each class. Once $T$ holds *all* triplets of a batch. Once it holds only the
# *hardest*: for each anchor its farthest positive and its nearest negative, a choice that
# {cite:t}`hermans2017` defend, for recognising persons in pictures.
#
# ```{literalinclude} ../ser_lib/toys.py
# :language: python
# :pyobject: train
# ```

# %%
old, new = clouds(50, seed=0), clouds(100, seed=1)
trained = {mining: train(old, mining) for mining in ("all", "hard")}

# %% tags=["remove-cell"]
rows, panels = {}, {}
for mining, (network, history) in trained.items():
    last = history[-1]
    rows[mining] = {
        "loss": last.loss,
        "active (%)": 100 * last.active,
        "mean distance to positives": last.positive,
        "to negatives": last.negative,
        "right, new (%)": right(network, old, new),
        "collapsed": last.collapsed,
    }
    with torch.no_grad():
        embedded = network(new[0])
    means = torch.stack([embedded[new[1] == k].mean(0) for k in range(4)])
    panels[f"{mining} triplets"] = (embedded.numpy(), means.numpy())
    glue(f"positive_{mining}", last.positive)
    glue(f"negative_{mining}", last.negative)
    glue(f"right_{mining}", rows[mining]["right, new (%)"])
    glue(f"active_{mining}", rows[mining]["active (%)"])
table = pd.DataFrame(rows).T

# %% [markdown]
# The figure shows 400 new points as both networks embed them. Look at the shapes, and then at the
# numbers at the axes.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two panels of four hundred points, one colour and marker per emotion. With all triplets four overlapping clouds spread over about two units. With hard triplets everything lies within about a thousandth of a unit, with some order of classes left."}, "figure": {"caption": "Embeddings of new points after training with all triplets and with the hardest. Rings are the means of the classes. Each panel has its own scale.", "name": "fig-two-minings"}}
plots.embeddings.embeddings(panels, new[1].tolist(), emotions)

# %% [markdown]
# The network on the right has put everything at one point. It has **collapsed**.
#
# ## The collapse
#
# In the next figure both networks are scored by the same loss, the mean over all triplets of 80
# training points, whatever they were trained with. Watch where the lower curve goes, and where the upper
# one *stays*.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Mean loss of all triplets against training step. With all triplets it falls to about a fifth; with hard triplets it rises to one half within some fifty steps and stays exactly there, on the line of the margin."}, "figure": {"caption": "Mean loss of all triplets in training, by the triplets trained on.", "name": "fig-loss-at-margin"}}
series = {f"{mining} triplets": [row.loss for row in h] for mining, (_, h) in trained.items()}
series["the margin"] = [0.5] * len(series["all triplets"])
plots.results.curves(series, xlabel="step", ylabel="loss of all triplets")

# %% [markdown]
# It stays at the margin. If all embeddings are equal, all distances are zero, and every hinge is
# $0 - 0 + m$. **A triplet loss that sits at the margin, with distances near zero, is a collapse.**
# In the table below, compare the two columns of distances with the margin of 0.5.

# %% tags=["hide-input"]
table.style.format("{:.4f}", subset=["loss", "mean distance to positives", "to negatives"]).format(
    "{:.0f}", subset=["active (%)", "right, new (%)"]
)

# %% [markdown]
# With the hardest triplets the mean distances are {glue:text}`positive_hard:.4f` and
# {glue:text}`negative_hard:.4f`, and {glue:text}`active_hard:.0f` % of the triplets are active. Of the
# new points {glue:text}`right_hard:.0f` % are right, where guessing gives a quarter, against
# {glue:text}`right_all:.0f` % with all triplets: what order is left lies in differences far below the
# margin.
#
# The last column is what `mining.describe` gives for a log. It says *collapsed* if two utterances
# are on average less than a tenth of the margin apart and the mean loss lies within a tenth of the
# margin around the margin.
#
# ### Why: which way is downhill?
#
# Multiply all embeddings by a number $s$. All Euclidean distances are multiplied by $s$, so as long
# as the same triplets are active,
#
# $$
# \begin{aligned}
# L(s) &= m \, q + s \, g , \\
# g &= \frac{1}{|T|} \sum_{\text{active}} (d_{ap} - d_{an}),
# \end{aligned}
# $$ (eq-scale)
#
# with $q$ the share of active triplets. The sign of $g$ tells which way is downhill. If $g < 0$,
# negatives of active triplets are farther away than positives on average, and *growing* lowers the
# loss. If $g > 0$, *shrinking* lowers it, to begin with.
#
# How far? As a function of $s$ each hinge is a straight line cut off at zero, so the curve of $L$ bends
# upwards only (it is *convex*). At $s = 0$ it starts from $L = m$, with all triplets active, and its slope
# there is the mean of $d_{ap} - d_{an}$ over all of $T$. If that slope is not below zero, such a curve never
# falls as $s$ grows: then shrinking pays *all the way down*. Now take the hardest triplets: the farthest of
# seven positives against the nearest of 24 negatives. Where clouds overlap, the positive is nearly always the
# farther one. So the mean is above zero, and the loss stays *above* the margin as long as there is any
# distance left.
#
# The number $g$ needs no new code. It is the derivative of $L(s)$ at $s = 1$, by the chain rule $\sum_i z_i
# \cdot \partial L / \partial z_i$. Here it is before the first step and, for all triplets, after the last:


# %%
def pull(network, mining, data):
    """What the loss gains if all embeddings shrink: above zero, shrinking lowers it."""
    z = network(data[0]).detach().requires_grad_()
    loss = triplet_loss(z, data[1], 0.5, mining)
    (gradient,) = torch.autograd.grad(loss, z)
    return loss.item(), (z * gradient).sum().item()


some = (old[0][:32], old[1][:32])
for mining in ("all", "hard"):
    loss, g = pull(small_network(), mining, some)
    print(f"{mining:5} before: loss {loss:.3f}, g {g:+.3f}")
loss, g = pull(trained["all"][0], "all", some)
print(f"all   after:  loss {loss:.3f}, g {g:+.3f}")

# %% tags=["remove-cell"]
for mining in ("all", "hard"):
    glue(f"g_{mining}", pull(small_network(), mining, some)[1])

# %% [markdown]
# With all triplets $g$ is {glue:text}`g_all:+.3f`, with the hardest it is {glue:text}`g_hard:+.3f`:
# from the very first step the hardest triplets want everything to shrink. With all triplets training
# ends where $g$ is about zero, because at a minimum neither growing nor shrinking helps. The number costs one
# backward pass, and it can spare you a training.
#
# Whoever recognises persons has labels that are nearly all right: the hardest positive is the same
# person in another coat, and there is something to learn from it. The hardest positive of an emotion
# may be an utterance that nobody would recognise as one, or a label that is disputed, and the loss
# insists on it in every batch.
#
# ### What helps
#
# - **Less hard triplets**: all, or others that {doc}`mining` compares. That is the cure here.
# - **A look at the log**: mean distances beside the loss. The loss alone cannot tell a collapse from
#   a task that is hard.
# - **A head start**, perhaps: paper 2 trains with softmax first. Whether that is enough depends on the
#   overlap ({ref}`exercise-turning-point`).
#
# ## What the margin does
#
# Train with three margins, and compare how far apart things end up.

# %%
results = {}
for size in (0.05, 0.5, 5.0):
    network, history = train(old, "all", margin=size)
    last = history[-1]
    results[f"margin {size:g}"] = {
        "loss over margin": last.loss / size,
        "active (%)": 100 * last.active,
        "mean distance over margin": last.spread / size,
        "right, new (%)": right(network, old, new),
    }
margins = pd.DataFrame(results).T
margins.style.format(precision=2).format("{:.0f}", subset=["active (%)", "right, new (%)"])

# %% tags=["remove-cell"]
glue("margins_least", float(margins["right, new (%)"].min()))
glue("margins_most", float(margins["right, new (%)"].max()))

# %% [markdown]
# Nearly the same rows: between {glue:text}`margins_least:.0f` % and {glue:text}`margins_most:.0f` %
# of the new points are right, with margins a hundredfold apart. The reason is one line: for the
# Euclidean distance $L(s z, s m) = s \, L(z, m)$. **A free embedding has no unit of length but the
# margin.** The network simply grows to ten times the size. What does change is how long that takes,
# and how hard the triplet loss pulls beside another loss. So for a free embedding another margin is much
# like another learning rate; on the unit sphere, below, it is not.
#
# With the **cosine distance** $1 - \cos$ it is different. It knows directions only, and lies between
# 0 and 2 whatever the network does. The margin then says something about angles, and it can ask for
# too much. The best that $K$ classes can do in $K - 1$ dimensions or more is to point away from each other
# equally, like the corners of a tetrahedron for four: then each cosine is $-1/(K - 1)$, and the distance
# between classes is $1 + 1/(K - 1)$. (In a plane four classes get no farther than a right angle apart, a
# distance of 1; the study has 200 dimensions.)

# %%
for K in (2, 4, 7, 8):
    corners = torch.eye(K, dtype=torch.float64) - 1 / K  # K directions, as far apart as can be
    twice = corners.repeat_interleave(2, 0)  # two utterances of each class at its corner
    labels = torch.arange(K).repeat_interleave(2)
    limit = 1 + 1 / (K - 1)
    below, above = (
        triplet_loss(twice, labels, size, "all", "cosine").item()
        for size in (limit - 0.01, limit + 0.01)
    )
    print(
        f"{K} classes: largest margin {limit:.3f}; loss just below {below:.3f}, above {above:.3f}"
    )

# %% [markdown]
# With eight emotions no network can meet a margin above 1.143 for all triplets. A larger one is not
# forbidden, but then *some* triplets stay active for ever, and the loss never reaches zero.
#
# ## What the distance does
#
# The library has three distances. They differ in how hard they pull, and nothing shows that better
# than a network that is about to collapse. Take the embeddings of the trained network, shrink them
# around their mean, and look at the mean length of the gradient at an embedding.

# %%
with torch.no_grad():
    healthy = trained["all"][0](some[0])
    healthy = healthy - healthy.mean(0)
lengths = {}
for scale in (1, 0.1, 0.01):
    row = {}
    for distance in ("euclidean", "squared_euclidean", "cosine"):
        shrunk = (scale * healthy).requires_grad_()
        (gradient,) = torch.autograd.grad(
            triplet_loss(shrunk, some[1], 0.5, "all", distance), shrunk
        )
        row[distance] = gradient.norm(dim=1).mean().item()
    lengths[f"shrunk to {scale:g}"] = row
pulls = pd.DataFrame(lengths).T
pulls.style.format(precision=4)

# %% tags=["remove-cell"]
for distance in pulls:
    glue(f"kept_{distance}", float(pulls[distance].iloc[-1] / pulls[distance].iloc[0]))

# %% [markdown]
# - **Euclidean**: each active triplet pulls with length 1. At a hundredth of the size the gradient is
#   {glue:text}`kept_euclidean:.1f` times as long as before, since more triplets are active: a
#   collapsed network is still told what to do.
# - **Squared Euclidean**: a pull is as long as twice the distance. At a hundredth of the size it is
#   {glue:text}`kept_squared_euclidean:.3f` times as long; where all embeddings coincide it is zero.
#   A squared loss does not find its way out of a collapse by itself, and far outliers pull the hardest.
# - **Cosine**: the value does not see size at all, so its gradient stands at a right angle to the
#   embedding. The shorter the embedding, the longer the gradient: {glue:text}`kept_cosine:.0f` times here.
#   It cannot shrink, but it can still collapse, to one *direction* ({ref}`exercise-direction`).
#
# On embeddings of length 1 the last two are the same thing: $\lVert u - v \rVert^2 = 2 - 2 \, u \cdot
# v = 2 (1 - \cos)$, so the squared loss with margin $2m$ is twice the cosine loss with margin $m$.
#
# **The study trains on the unit sphere**: its networks' embeddings are brought to length 1 before the
# loss, as the angles by which they answer look at directions only. There nothing can collapse by
# shrinking, only to one direction; distances have an end (the Euclidean one at 2), and a margin is a
# share of that. And of its three distances two are one loss: squared Euclidean with margin 0.2 is, up
# to a factor, cosine with 0.1. So its comparison of distances, all with margin 0.2, is one of
# *distance and margin together*. What came of it stands in {doc}`what-made-91`.
#
# ## What can go wrong
#
# **The root of zero.** The Euclidean distance has a kink at zero. Write it as the root of a sum of
# squares, and two equal embeddings give gradients that are not numbers. One silent recording twice
# in a batch is enough to ruin a network. The library's gradient there is zero, by agreement.

# %%
twins = torch.ones(2, 3, requires_grad=True)
(twins[0] - twins[1]).square().sum().sqrt().backward()
print("by hand", rounded(twins.grad[0]))
twins = torch.tensor([[1.0, 1.0], [1.0, 1.0], [1.0, 2.0]], requires_grad=True)
triplet_loss(twins, torch.tensor([0, 0, 1]), 2.0).backward()
print("library", rounded(twins.grad[0]), "from the negative alone")

# %% [markdown]
# **Another mean.** Some libraries take the mean over active triplets only. Their loss falls more
# slowly, or not at all, while the share of active ones falls. Two losses can be compared only if the
# mean is the same; read which it is.
#
# **A hidden normalisation.** Some libraries normalise embeddings inside the distance, so that what
# you trained with is not what you measure with later. `triplet_loss` does it for cosine only; the
# study's training does it in sight, in a line of its own.
#
# **The loss as a score.** With hard or semi-hard triplets ({doc}`mining`) the set $T$ changes as the
# network does. A loss that stays level can hide progress, and one that falls can hide a collapse. Score
# with something that does not depend on mining.
#
# ## Exercises
#
# ```{exercise-start} ★ Change places
# :label: exercise-change-places
# ```
# Take the first figure's three points, but let the point at $(3, 0)$ be the anchor and the origin
# its positive. What does the triplet pay with margin 2? Is it active, and what is the gradient?
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-change-places
# :label: solution-change-places
# :class: dropdown
# ```
# $d_{ap} = 3$ as before, and $d_{an} = \sqrt{9 + 16} = 5$: the hinge is exactly $3 - 5 + 2 = 0$. The
# negative lies *on* the dashed circle. By agreement a hinge of exactly zero is not active, so the
# gradient is zero. The pair is the same; only who asks has changed.

# %%
places = torch.tensor([[3.0, 0.0], [0.0, 0.0], [0.0, 4.0]], requires_grad=True)
near, far = (places[0] - places[1]).norm(), (places[0] - places[2]).norm()
(near - far + 2).relu().backward()
print(f"{near - far + 2:.1f}", rounded(places.grad))

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} ★ Count
# :label: exercise-count
# ```
# RAVDESS, one of paper 2's two corpora, has eight emotions. How many triplets has a batch of 32 with four
# utterances of each? With the same 32 utterances of only two emotions? Which batch would you take?
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-count
# :label: solution-count
# :class: dropdown
# ```
# By {eq}`eq-count` $8 \cdot 4 \cdot 3 \cdot 28 = 2{,}688$ and $2 \cdot 16 \cdot 15 \cdot 16 =
# 7{,}680$. The second has more triplets, but they only ever compare two emotions. With so few
# classes as emotions, take all of them in each batch.

# %%
for labels in (torch.arange(32) % 8, torch.arange(32) % 2):
    n = torch.bincount(labels)
    print(int((n * (n - 1) * (32 - n)).sum()))

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} ★★ Twice the cosine
# :label: exercise-twice
# ```
# The section on distances says how two losses are related on embeddings of length 1. Check it with ten
# random unit vectors: the squared Euclidean loss with margin 0.6 is twice the cosine loss with margin 0.3.
# Are the gradients of the two the same as well, if both are taken with respect to vectors *before* they are
# brought to length 1?
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-twice
# :label: solution-twice
# :class: dropdown
# ```
# Yes: if two functions are equal everywhere, so are their gradients.

# %%
raw = torch.randn(10, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
labels, raw = torch.arange(10) % 3, raw.requires_grad_()
squared = triplet_loss(F.normalize(raw, dim=1), labels, 0.6, "all", "squared_euclidean")
cosine = triplet_loss(raw, labels, 0.3, "all", "cosine")
slopes = [torch.autograd.grad(value, raw)[0] for value in (squared, 2 * cosine)]
print(
    f"{squared:.12f} {2 * cosine:.12f}, gradients differ by {(slopes[0] - slopes[1]).abs().max():.0e}"
)

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} ★★ Collapse to a direction
# :label: exercise-direction
# ```
# Train with hard triplets and the cosine distance. Embeddings cannot come nearer by shrinking now. Is there
# a collapse all the same? Look at `spread`, the mean distance of two utterances (here in cosine distance),
# and at `norm`, the mean length of an embedding.
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-direction
# :label: solution-direction
# :class: dropdown
# ```

# %%
for mining in ("all", "hard"):
    last = train(old, mining, distance="cosine")[1][-1]
    print(
        f"{mining:5} loss {last.loss:.3f}, spread {last.spread:.4f}, norm {last.norm:.2f}, "
        f"collapsed {last.collapsed}"
    )

# %% [markdown]
# There is. The embeddings have not shrunk, but all point the same way. "It cannot collapse, it is
# normalised" is a mistake: a direction is a place, too.
#
# ```{solution-end}
# ```
#
# ```{exercise-start} ★★★ The turning point
# :label: exercise-turning-point
# ```
# How much overlap does it take? Make clouds with noise 0.2, 0.4 and 0.6. Train with all triplets, and
# print the $g$ of the *hard* triplets for that trained network; then train with hard triplets from
# the start, and print `spread` (the mean distance of two utterances) and `collapsed`. Then give
# the network of this page, with noise 0.8, a head start: train with all triplets first, and go on with hard
# ones. Does it help?
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-turning-point
# :label: solution-turning-point
# :class: dropdown
# ```

# %%
for noise in (0.2, 0.4, 0.6):
    data = clouds(50, seed=0, noise=noise)
    started = pull(train(data, "all")[0], "hard", (data[0][:32], data[1][:32]))[1]
    last = train(data, "hard", steps=300)[1][-1]
    print(
        f"noise {noise}: g of hard triplets after training with all {started:+.2f}; trained with "
        f"hard ones: spread {last.spread:.4f}, collapsed {last.collapsed}"
    )

network = train(old, "all")[0]
optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
batches = BalancedBatches(old[1], utterances=8, generator=torch.Generator().manual_seed(2))
for batch in islice(chain.from_iterable(repeat(batches)), 200):
    optimizer.zero_grad()
    triplet_loss(network(old[0][batch]), old[1][batch], 0.5, "hard").backward()
    optimizer.step()
print("with a head start:", describe(network(old[0]), old[1], 0.5).collapsed)

# %% [markdown]
# Where the clouds hardly touch, hard triplets do well. Somewhere between, even the best arrangement
# of the classes has a farthest positive that is farther than the nearest negative, $g$ stays above
# zero for the trained network too, and from there on a head start only delays the end. Against
# overlap as large as that the head start did not help; whether it helps against a bad start alone, this
# exercise does not show.
#
# ```{solution-end}
# ```
#
# ## Summary
#
# - A triplet pays $\max(0, d_{ap} - d_{an} + m)$. While it is active it pulls the positive in and
#   pushes the negative away with unit length, and the anchor by the difference.
# - A batch of $B$ has on the order of $B^3$ triplets; the loss is their mean, zeros included.
# - **Loss at the margin and distances near zero: collapse.** If $g = \sum z \cdot \partial L /
#   \partial z$ is above zero, shrinking is downhill. Hard triplets among overlapping classes nearly
#   always make it so.
# - The study's embeddings lie on the unit sphere, where only a collapse to one direction is left.
# - A free embedding measures everything in margins; with cosine, margins above $1 + 1/(K-1)$ cannot
#   be met.
# - Euclidean distances pull with constant length, squared ones in proportion to the distance, cosine
#   only turns.
#
# Next: {doc}`mining`, on which triplets to take, and how to take all of them for the price of few.
#
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
