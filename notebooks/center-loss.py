# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Center loss, from scratch
#
# ```{admonition} After this chapter you can …
# :class: tip
# - compute center loss, its gradient and the move of the centers for a handful of points by hand;
# - say why the centers are no parameters of the network, and what would happen if they were;
# - see in a picture, and in one number, what center loss asks of an embedding;
# - translate a weight λ₁ from one convention (sum, mean, mean over dimensions) into another;
# - recognise by two numbers a network that has collapsed to a point.
# ```
#
# **You need** {doc}`network`, where center loss is introduced, and gradients. Everything on this
# page happens among invented points in the plane: no speech is needed, and no number here is a
# result about speech.

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
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn

from ser_lib import plots
from ser_lib.book import glue
from ser_lib.book.labs import center_loss_lab
from ser_lib.losses import CenterLoss
from ser_lib.metrics import compactness

torch.set_num_threads(1)
emotions = ["anger", "happiness", "neutral", "sadness"]

# %% [markdown]
# ## Look: five points and two centers
#
# The softmax loss wants the right score ahead, and always gains a little by a larger lead. How close
# together the embeddings of a class lie it does not ask. Center loss {cite:p}`wen2016` asks just
# that: each class has a point of its own, its center, and every embedding is to lie near the center
# of its class. In the figure, guess which of the five points pays most.

# %%
z = torch.tensor([[3.0, 1.0], [1.0, 3.0], [-2.0, 0.0], [-1.0, -1.0], [-3.0, 1.0]])
y = torch.tensor([0, 0, 1, 1, 1])
centers = torch.tensor([[1.0, 1.0], [-1.0, 0.0]])
B = len(z)


def rounded(values):
    """Numbers for the eye."""
    return values.detach().double().numpy().round(3).tolist()


# %% tags=["hide-input"] mystnb={"image": {"alt": "Five points in the plane. Two triangles, anger, are joined by lines to a ring at one, one; three diamonds, sadness, to a ring at minus one, zero. The longest line belongs to the diamond at minus three, one."}, "figure": {"caption": "Two angry and three sad embeddings, each joined to the center of its class.", "name": "fig-five-points"}}
plots.embeddings.around_centers(
    z.numpy(), [("anger", "sadness")[k] for k in y], {"anger": (1, 1), "sadness": (-1, 0)}
)

# %% [markdown]
# The leftmost point is farthest from its center and pays most. The centers in this picture are not
# the means of their classes: they follow the embeddings with a delay, and have not arrived.
#
# ## From scratch: the loss
#
# ```{prf:definition} Center loss
# :label: def-center-loss
#
# For a batch of $B$ embeddings $z_i$ with labels $y_i$, and centers $c_k$,
#
# $$
# L_C = \frac{1}{2B} \sum_{i=1}^{B} \lVert z_i - c_{y_i} \rVert^2 .
# $$
# ```
#
# By hand: the five squared distances are 4, 4, 1, 1 and 5, so $L_C = 15 / (2 \cdot 5) = 1.5$. For a
# single $z_i$ all other terms are constants, and the square's derivative cancels the ½:
#
# $$
# \frac{\partial L_C}{\partial z_i} = \frac{1}{B} \, (z_i - c_{y_i}) .
# $$
#
# Descent moves against the gradient, so each embedding is drawn straight towards its center, the
# harder the farther away it is. The first point's gradient is $(2, 0) / 5 = (0.4, 0)$. Below it is
# computed by the formula, and again by PyTorch, which knows nothing of it:

# %%
by_hand = ((z - centers[y]) ** 2).sum() / (2 * B)
gradient = (z - centers[y]) / B

leaf = z.clone().requires_grad_()
value = (leaf - centers[y]).square().sum(1).mean() / 2
value.backward()
print(f"loss {by_hand:.2f} and {value:.2f}")
print("gradient", rounded(gradient[0]), "and", rounded(leaf.grad[0]))

# %% [markdown]
# ## The centers follow: the delta rule
#
# Where should the centers lie? Best at the means of their classes, but these would take a pass
# through the whole training set after each step. {cite:t}`wen2016` let them follow from batch to
# batch instead.
#
# ```{prf:definition} Delta rule of the centers
# :label: def-delta-rule
#
# With $n_j$ embeddings of class $j$ in the batch,
#
# $$
# \Delta c_j = \frac{\sum_{i : y_i = j} (c_j - z_i)}{1 + n_j}, \qquad
# c_j \leftarrow c_j - \alpha \, \Delta c_j ,
# $$
#
# where the rate $\alpha$ lies between 0 and 1.
# ```
#
# For anger: the two differences $c - z_i$ are $(-2, 0)$ and $(0, -2)$, their sum over $1 + 2$ is
# $(-\tfrac23, -\tfrac23)$, and with $\alpha = 0.5$ the center moves from $(1, 1)$ to
# $(\tfrac43, \tfrac43)$. For sadness the sum is $(3, 0)$, over $1 + 3$ it is $(0.75, 0)$, and the
# center moves from $(-1, 0)$ to $(-1.375, 0)$.
#
# The same in other words: since $\sum (c_j - z_i) = n_j (c_j - m_j)$, where $m_j$ is the mean of
# class $j$ in the batch, the center goes the share $\alpha \, n_j / (1 + n_j)$ of the way to that
# mean. A class with many embeddings goes nearly the share $\alpha$; one with a single embedding
# half of that; an absent one stays, and nothing is divided by zero. That is what the 1 is for.

# %%
alpha = 0.5
delta = torch.zeros_like(centers)
for j in range(2):
    own = z[y == j]
    delta[j] = (centers[j] - own).sum(0) / (1 + len(own))
moved = centers - alpha * delta
print("delta", rounded(delta))
print("moved", rounded(moved))

# %% [markdown]
# ### Nearly a gradient
#
# The loss has a gradient with respect to the centers, too: $\partial L_C / \partial c_j =
# \frac{1}{B} \sum_{i: y_i = j} (c_j - z_i)$. It is the same sum, divided by something else. So
#
# $$
# \Delta c_j = \frac{\partial L_C}{\partial c_j} \cdot \frac{B}{1 + n_j} .
# $$ (eq-delta)

# %%
leaf = centers.clone().requires_grad_()
((z - leaf[y]).square().sum(1).mean() / 2).backward()
counts = torch.bincount(y)
print("gradient       ", rounded(leaf.grad))
print("times B/(1 + n)", rounded(leaf.grad * (B / (1 + counts))[:, None]))

# %% [markdown]
# Under the plain gradient a rare class's center would move slowly, because its embeddings are a
# small part of the batch. The delta rule counts each class by itself: a class that makes up an
# eighth of the recordings, as anger does in paper 1's corpus, is followed nearly as fast as one that
# makes up half.
#
# ### How fast: α
#
# The next figure feeds the same four points (`cloud`) again and again, with the center starting at the
# origin, where the library starts it. Look how far towards their mean each curve has come after one
# batch, and after eight.

# %%
cloud = torch.tensor([[2.0, 1.4], [3.0, 0.9], [3.4, 1.9], [2.6, 2.2]])
same = torch.zeros(4, dtype=torch.long)
whole = float(cloud.mean(0).norm())
gone = {}
for rate in (0.1, 0.5, 1.0):
    follower = CenterLoss(1, 2, alpha=rate)
    shares = []
    for _ in range(8):
        follower.update_centers(cloud, same)
        shares.append(100 * float(follower.centers[0].norm()) / whole)
    gone[f"α = {rate:g}"] = shares

# %% tags=["hide-input"] mystnb={"image": {"alt": "Share of the way to the mean against the number of batches, one to eight. With alpha 1 the curve starts near the top and is there after three batches; with 0.5 it starts below the middle and is nearly there at the end; with 0.1 it rises slowly to about the middle."}, "figure": {"caption": "Eight batches of the same four embeddings: the share of the way from the origin to their mean that the center has gone, for three rates α.", "name": "fig-alpha"}}
plots.results.curves(gone, xlabel="batch", ylabel="share of the way (%)")

# %% tags=["remove-cell"]
for name, shares in zip(("slow", "middle", "fast"), gone.values(), strict=True):
    glue(f"gone_{name}", shares[-1])

# %% [markdown]
# After eight batches the center has gone {glue:text}`gone_slow:.0f` % of the way with $\alpha =
# 0.1$, {glue:text}`gone_middle:.0f` % with 0.5 and {glue:text}`gone_fast:.1f` % with 1. A real batch
# is a small random sample, and a center that jumps to the mean of each is a nervous one. A small
# $\alpha$ averages over many batches; while the network changes quickly, it averages over embeddings
# that are no longer true. Paper 1 {cite:p}`tripathi2019` does not print its $\alpha$; we take 0.5.
#
# ## The library's line
#
# `losses.CenterLoss` is what we have just written, with its checks. The loss is differentiable in
# the embeddings; the centers move only when they are told to.

# %%
center_loss = CenterLoss(num_classes=2, dim=2, alpha=0.5)
center_loss.centers.copy_(centers)
print("loss    ", center_loss(z, y).item())
center_loss.update_centers(z, y)
print("centers ", rounded(center_loss.centers), "moved as above:", end=" ")
print(torch.equal(center_loss.centers, moved))
print("parameters for an optimiser:", list(center_loss.parameters()))

# %% [markdown]
# ### Why the centers are no parameters
#
# The list in the last line is empty on purpose. The centers are a *buffer*: stored with the network and moved
# with it to another device, but invisible to the optimiser. It would be less code to make them
# parameters and let `loss.backward()` find their gradient, and widely used implementations do. But
# then four things happen to the centers that nobody asked for:
#
# 1. the weight $\lambda_1$ multiplies their gradient, so under plain gradient descent turning center
#    loss down also slows the centers (Adadelta, which divides by the size of the gradients, mostly
#    undoes this);
# 2. the learning rate and its schedule, momentum, or Adadelta's own step sizes move them too;
# 3. weight decay draws them to the origin, for good;
# 4. rare classes lag, because the factor of {eq}`eq-delta` is missing.
#
# Let us measure the first and the third, under plain gradient descent. The four
# embeddings of `cloud` stay where they are; the center is moved 100 times, and then we see how far it is
# from their mean.


# %%
def as_parameter(lambda1, decay, batches=100):
    """Distance between center and mean if the optimiser moves the center."""
    center = nn.Parameter(torch.zeros(1, 2))
    optimizer = torch.optim.SGD([center], lr=0.1, weight_decay=decay)
    for _ in range(batches):
        optimizer.zero_grad()
        (lambda1 * (cloud - center).square().sum(1).mean() / 2).backward()
        optimizer.step()
    return float((center[0] - cloud.mean(0)).norm().detach())


as_buffer = CenterLoss(1, 2)
for _ in range(100):
    as_buffer.update_centers(cloud, same)
rows = {"buffer, delta rule, any λ₁": float((as_buffer.centers[0] - cloud.mean(0)).norm())}
for lambda1, decay in ((4, 0), (0.0625, 0), (0.001, 0), (4, 0.1), (0.0625, 0.1)):
    rows[f"parameter, λ₁ = {lambda1:g}, weight decay {decay:g}"] = as_parameter(lambda1, decay)
pd.Series(rows, name="distance from the mean").to_frame().round(3)

# %% tags=["remove-cell"]
glue("start_distance", whole)
glue("small_lambda", rows["parameter, λ₁ = 0.0625, weight decay 0"])
glue("decayed", rows["parameter, λ₁ = 4, weight decay 0.1"])

# %% [markdown]
# At the start the distance is {glue:text}`start_distance:.2f`. As a parameter with $\lambda_1 =
# 0.0625$ the center is still {glue:text}`small_lambda:.2f` away, and weight decay keeps it
# {glue:text}`decayed:.2f` away even with $\lambda_1 = 4$, however long we train. With this optimiser a
# sweep over $\lambda_1$ would be a sweep over two things at once. With the buffer it is one, whatever
# the optimiser.
#
# ## A network, seen from inside
#
# Now a real, if small, network: two numbers in, two hidden layers, an embedding of *two* numbers so
# that it can be drawn, and softmax over four classes. The inputs are four invented spiral arms.


# %%
def spirals(per_class, seed):
    """Four spiral arms in the plane, one per class."""
    generator = np.random.default_rng(seed)
    y = np.repeat(np.arange(4), per_class)
    radius = generator.uniform(0.5, 2, len(y))
    angle = y * np.pi / 2 + 0.9 * radius + generator.normal(0, 0.35, len(y))
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y)


def train(lambda1, steps=400):
    """Train on all 160 points in every step; return body, head, center loss and history."""
    torch.manual_seed(1)
    body = nn.Sequential(
        nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2)
    )
    head, center_loss = nn.Linear(2, 4), CenterLoss(4, 2, alpha=0.5)
    parameters = [*body.parameters(), *head.parameters()]
    optimizer = torch.optim.Adadelta(parameters, lr=1.0, rho=0.95)
    history = []
    for _ in range(steps):
        z = body(old_x)
        softmax, center = F.cross_entropy(head(z), old_y), center_loss(z, old_y)
        optimizer.zero_grad()
        (softmax + lambda1 * center).backward()  # paper 1, equation 2
        optimizer.step()
        center_loss.update_centers(z.detach(), old_y)
        history.append((softmax.item(), center.item()))
    return body, head, center_loss, history


old_x, old_y = spirals(40, seed=0)
new_x, new_y = spirals(60, seed=1)
weights = (0, 0.0625, 4, 256)
trained = {lambda1: train(lambda1) for lambda1 in weights}

# %% tags=["remove-cell"]
rows, panels = {}, {}
for lambda1, (body, head, center_loss, _) in trained.items():
    with torch.no_grad():
        old, new = body(old_x), body(new_x)
        means = torch.stack([old[old_y == k].mean(0) for k in range(4)])
        rows[f"λ₁ = {lambda1:g}"] = {
            "softmax loss": F.cross_entropy(head(old), old_y).item(),
            "center loss": center_loss(old, old_y).item(),
            "class means apart": torch.pdist(means).mean().item(),
            "compactness, training": compactness(old, old_y),
            "compactness, new": compactness(new, new_y),
            "right, new (%)": 100 * (head(new).argmax(1) == new_y).float().mean().item(),
        }
        panels[f"λ₁ = {lambda1:g}"] = (new.numpy(), center_loss.centers.numpy())
table = pd.DataFrame(rows).T
for name, label in (("0", "none"), ("0.0625", "small"), ("4", "paper"), ("256", "huge")):
    row = table.loc[f"λ₁ = {name}"]
    glue(f"softmax_{label}", float(row["softmax loss"]))
    glue(f"center_{label}", float(row["center loss"]))
    glue(f"apart_{label}", float(row["class means apart"]))
    glue(f"compact_{label}", float(row["compactness, training"]))
    glue(f"compact_new_{label}", float(row["compactness, new"]))
    glue(f"right_{label}", float(row["right, new (%)"]))
glue("knows_nothing", float(np.log(4)))

# %% [markdown]
# We train it four times with the same start and the same data, and only $\lambda_1$ differs. The
# figure shows 240 *new* points, which were not in the training. First compare the shapes from panel
# to panel; then read the numbers at the axes, for each panel has its own scale.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Four panels of new points by their embeddings in the plane, one colour and marker per emotion. With lambda 0 the classes are wide clouds over twenty units. With 0.0625 and 4 they are tighter clouds beside their rings, on ever smaller scales, with a few strays between them. With 256 four clouds lie within less than a sixth of a unit."}, "figure": {"caption": "Embeddings of new points after 400 steps with four weights of the center loss. Rings are the centers. Each panel has its own scale.", "name": "fig-contract"}}
plots.embeddings.embeddings(panels, new_y.tolist(), emotions)

# %% [markdown]
# With softmax alone the classes are loose and reach far out: a point that is farther out is merely
# classified with more confidence. With center loss they draw together; a few
# strays remain between them, points that the network cannot place. The rings follow the training
# points one step behind, and go half of the way each time, so they stand beside a cloud that still
# moves. The whole picture shrinks as well: the means of two classes are, on average,
# {glue:text}`apart_none:.2f` units apart, then {glue:text}`apart_small:.2f` and
# {glue:text}`apart_paper:.2f`. That is the cheapest way to shorten distances, and it says nothing
# about separation. A number that is to measure compactness must not be taken in by it.
#
# ```{prf:definition} Compactness
# :label: def-compactness
#
# With $m_k$ the mean embedding of class $k$, $N$ embeddings and $K$ classes,
#
# $$
# \text{compactness} =
# \frac{\sqrt{\frac{1}{N} \sum_i \lVert z_i - m_{y_i} \rVert^2}}
# {\frac{2}{K(K-1)} \sum_{j<k} \lVert m_j - m_k \rVert} ,
# $$
#
# the spread within the classes over the distance between them. Small is compact. Scaling, moving
# or turning all embeddings together does not change it.
# ```
#
# In the library it is `metrics.compactness(embeddings, labels)`. In the table, read down the two
# columns of compactness: do both fall, and equally far?

# %% tags=["hide-input"]
table.style.format("{:.3f}").format("{:.0f}", subset=["right, new (%)"])

# %% [markdown]
# On the training points, compactness falls from {glue:text}`compact_none:.2f` without center loss to
# {glue:text}`compact_small:.2f` and {glue:text}`compact_paper:.2f`. On new points it falls from
# {glue:text}`compact_new_none:.2f` to {glue:text}`compact_new_small:.2f` and
# {glue:text}`compact_new_paper:.2f`, and the share of new points that are classified rightly hardly moves.
# So, up to $\lambda_1 = 4$, the loss does what it says: it makes compact classes. (With 256 compactness
# is worse than with 4, though still better than without center loss, and more of the new points are wrong;
# why is told below.) Whether compact classes are
# recognised better is another question, to be asked of new voices ({doc}`first-result`). And a picture of
# *training* embeddings is no answer: the loss was minimised on those.
#
# ## What is λ₁ = 4 of?
#
# Paper 1 reports $\lambda_1 = 4$ as the best of 0.001 to 5, but its equation 1 is lost in our copy.
# {cite:t}`wen2016` print a sum over the batch, our definition has a mean, and a framework's
# squared-error function would take the mean over the dimensions as well. (We keep the ½ in all
# three; such a function has none, which doubles the last weight.) The table supposes that the
# softmax loss is a mean over the batch, as in today's frameworks; where it is a sum as well, as in
# {cite:t}`wen2016`, the 32 cancels and their 4 is our 4. For one batch of 32 embeddings, as
# in our study, of 64 numbers:

# %%
generator = torch.Generator().manual_seed(0)
squares = torch.randn(32, 64, generator=generator).square()
conventions = {
    "sum over the batch": (squares.sum() / 2, 32),
    "mean over the batch (ours)": (squares.sum(1).mean() / 2, 1),
    "mean over batch and dimensions": (squares.mean() / 2, 1 / 64),
}
pd.DataFrame(
    {
        name: {"loss": f"{value:.3f}", "their λ₁ = 4 is our": f"{4 * factor:g}"}
        for name, (value, factor) in conventions.items()
    }
).T

# %% [markdown]
# One printed number, three experiments, and the first and the last differ by a factor of 2,048. The
# plan of our study has the last two in its main table, 4 and $4/64 = 0.0625$, and a sweep. The first,
# 128, is left out: at 4 the center loss already outweighs the softmax loss ({doc}`ablations` weighs
# their gradients). That the toy above bears a 4 so easily is no contradiction, since weights do not carry
# over from one network to another: its embedding has two numbers and no batch norm, that of the study 64,
# whose squares add up. The paper's optimiser does not help: Adadelta divides each gradient by the size it
# lately had, so that a factor on the *whole* loss hardly matters, as long as the gradients are large
# ({doc}`reconstruction` shows when they are not). A factor on one of two terms does matter: it changes
# the direction of their sum.
#
# ### Too much of it: the collapse
#
# If the center loss weighs too much, there is a way to make it almost zero at once: put everything
# at one point. In our toy that is nearly what $\lambda_1 = 256$ does, twice the 128 above. In the
# figure, look at the softmax loss with that weight beside the
# dash-dotted line, which is $\ln 4$: the loss of a network that gives all four classes the same
# probability.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Softmax loss against training step on a logarithmic axis. With lambda 0 and 4 it falls far below one; with lambda 256 it stays just below a horizontal line at the logarithm of four."}, "figure": {"caption": "Softmax loss in training with three weights of the center loss, and the loss of a network that knows nothing.", "name": "fig-collapse"}}
series = {f"λ₁ = {k:g}": [softmax for softmax, _ in trained[k][3]] for k in (0, 4, 256)}
series["ln 4"] = [float(np.log(4))] * len(series["λ₁ = 0"])
plots.results.curves(series, xlabel="step", ylabel="softmax loss", log=True)

# %% [markdown]
# With $\lambda_1 = 256$ the softmax loss ends at {glue:text}`softmax_huge:.2f`, near $\ln 4 =$
# {glue:text}`knows_nothing:.2f`, while the center loss is {glue:text}`center_huge:.4f`. **That pair
# is the sign of a collapse: center loss near zero, softmax loss near $\ln K$.** The other numbers
# give it away less clearly. Compactness, which does not see the scale, is
# {glue:text}`compact_new_huge:.2f` on new points, *better* than with softmax alone. And
# {glue:text}`right_huge:.0f` % of the new points are still right, against a quarter by chance, since
# the highest score wins by however small a lead; with dropout and noise so small a lead is easily lost.
# Whether the network finds its way out again is a matter of time ({ref}`exercise-collapse`).
#
# ## Lab: push it yourself
#
# Here the network is left out altogether: forty points may go wherever the two losses draw them,
# and a softmax layer, starting from zeros, learns along. That is a network with unlimited freedom,
# so only the forces remain to be seen. In the library's terms:


# %%
def free_points(start, labels, lambda1, alpha, steps, rate=0.1):
    """Move points by gradient descent on softmax and center loss; the lab does the same."""
    z, center_loss = torch.tensor(start, requires_grad=True), CenterLoss(4, 2, alpha).double()
    weight = torch.zeros(4, 2, dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    own = {"params": [z], "lr": rate * len(z)}  # takes back the 1/B of the mean
    optimizer = torch.optim.SGD([own, {"params": [weight, bias]}], lr=rate)
    for _ in range(steps):
        softmax = F.cross_entropy(F.linear(z, weight, bias), labels)
        optimizer.zero_grad()
        (softmax + lambda1 * center_loss(z, labels)).backward()
        before = z.detach().clone()
        optimizer.step()
        center_loss.update_centers(before, labels)
    softmax = F.cross_entropy(F.linear(z, weight, bias), labels).item()
    return z.detach(), center_loss.centers, softmax


middles = np.array([[1, 1], [1.2, -0.8], [-0.9, -0.9], [-1.1, 1]])
labels = np.repeat(np.arange(4), 10)
start = (middles[labels] + np.random.default_rng(4).normal(0, 0.75, (40, 2))).round(2)
y_lab = torch.tensor(labels)
settings = {
    "start": (0, 0.5, 0),
    "50 steps, λ₁ = 0": (0, 0.5, 50),
    "50 steps, λ₁ = 0.5": (0.5, 0.5, 50),
    "50 steps, λ₁ = 4, α = 0": (4, 0, 50),
}
states = {
    name: free_points(start, y_lab, lambda1, alpha, steps)
    for name, (lambda1, alpha, steps) in settings.items()
}

# %% [markdown]
# The figure shows four states of the lab; compare how tight the clouds of the second and the third
# are for their distance, and in the fourth read the numbers at the axes.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Four panels of forty points in four classes. At the start the classes overlap around the origin. After fifty steps with lambda 0 four loose clouds lie apart; with lambda 0.5 four tight ones, at the rings; with lambda 4 and alpha 0 each class is a single mark, and all lie within hundredths of the origin, where the rings are."}, "figure": {"caption": "Four states of the lab, with each class's center as a ring. At the start and in the fourth state all four centers lie on each other, and in the fourth the ten points of a class do. Each panel has its own scale.", "name": "fig-lab"}}
drawn = {name: (z.numpy(), c.numpy()) for name, (z, c, _) in states.items()}
plots.embeddings.embeddings(drawn, labels.tolist(), emotions)

# %% tags=["remove-cell"]
for name, label in (("50 steps, λ₁ = 0", "free"), ("50 steps, λ₁ = 0.5", "drawn")):
    glue(f"lab_compact_{label}", compactness(states[name][0], y_lab))
glue("lab_stuck", states["50 steps, λ₁ = 4, α = 0"][2])

# %% [markdown]
# After fifty steps compactness is {glue:text}`lab_compact_free:.3f` with softmax alone and
# {glue:text}`lab_compact_drawn:.3f` with center loss. In the fourth state the centers may not move
# ($\alpha = 0$) and stand at the origin, and they have drawn everything to them; the softmax loss is
# {glue:text}`lab_stuck:.2f`. Now you: press *Run*, and move the sliders while it runs.

# %% tags=["hide-input"]
center_loss_lab(start, labels.tolist(), emotions)

# %% [markdown]
# Things to try: run with $\lambda_1 = 0$, and watch the classes part but stay loose. Then raise
# $\lambda_1$. Then reset, set $\alpha$ to 0 and $\lambda_1$ to 4, and run: center loss goes to
# zero and the softmax loss stays near $\ln 4$, which is the sign from above. Raise $\alpha$ now, and
# see who frees whom: centers follow their points and points their centers, and the softmax loss, however
# small its pull, leads them apart.
#
# ## The other norm
#
# Paper 1 says that it tried "L1 variation of equation (1)" with similar accuracies (section 4), and
# no more. We read it as $L_C = \frac1B \sum_i \lVert z_i - c_{y_i} \rVert_1$, the sum of absolute
# differences; it is `CenterLoss(..., norm="l1")`. The gradient has the same size at every distance,
# $\pm \frac1B$ in each direction, so an outlier pulls no harder than any other, and points very near
# the center are pulled no less.

# %%
point = torch.tensor([[3.0, 0.1]], requires_grad=True)
for norm in ("l2", "l1"):
    (slope,) = torch.autograd.grad(CenterLoss(1, 2, norm=norm)(point, same[:1]), point)
    print(norm, rounded(slope[0]))

# %% [markdown]
# The squared form cares for the large difference only; the absolute form cares for both equally.
# The centers move by the same rule, with the sign of each difference in place of the difference.
#
# ## What can go wrong
#
# **The order of moves.** The centers move after the step, by the embeddings of that step, *detached*
# from the graph. Forget the `detach()` and the graph of every batch so far hangs on the centers.
# The library's `update_centers` runs without gradients for that reason.
#
# **Centers at the origin.** They start there, and until they have spread the center loss draws all
# classes to one place. With a small $\alpha$ and a large $\lambda_1$ that can last, as the lab shows.
#
# **Dropout before the loss.** Paper 1 does not say whether its embedding is taken before or after dropout.
# After it, a part of its numbers (half, in our study) is zero at random in training, and even a perfectly
# compact class pays. The library takes the embedding after the ReLU and before dropout.
#
# **Compact on training data.** The centers are fitted to the training embeddings. Compactness there
# is what was asked for, not evidence; show new data, or both.
#
# **One number for three conventions.** Write down the formula with the weight. Nobody can repeat an
# experiment from a weight alone.
#
# ## Exercises
#
# ```{exercise-start} ★ Six numbers by hand
# :label: exercise-six-numbers
# ```
# Three embeddings of one class, $(0, 0)$, $(3, 0)$ and $(0, 3)$; the center is $(2, 2)$. Compute the
# center loss, its gradient with respect to the first embedding, and the center after one batch with
# $\alpha = 1$. Is the center then at the mean?
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-six-numbers
# :label: solution-six-numbers
# :class: dropdown
# ```
# The squared distances are 8, 5 and 5, so $L_C = 18/6 = 3$. The gradient is $(-2, -2)/3$. The sum of
# the $c - z_i$ is $(3, 3)$; over $1 + 3$ it is $(0.75, 0.75)$, and the center moves to $(1.25,
# 1.25)$. The mean is $(1, 1)$: even with $\alpha = 1$ the center goes only $n/(1 + n) = \tfrac34$ of
# the way.

# %%
three = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 3.0]], requires_grad=True)
loss = CenterLoss(1, 2, alpha=1.0)
loss.centers.fill_(2.0)
value = loss(three, same[:3])
value.backward()
loss.update_centers(three, same[:3])
print(value.item(), rounded(three.grad[0]), rounded(loss.centers))

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} ★ Somebody else's weight
# :label: exercise-weight
# ```
# A repository computes `((z - c[y]) ** 2).sum(1).mean()`, without the ½, with weight 0.5, batches of
# 32 and 128 dimensions. Which $\lambda_1$ is that in this book's convention? Which would it be if it
# called `F.mse_loss(z, c[y])` instead?
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-weight
# :label: solution-weight
# :class: dropdown
# ```
# Without the ½ the loss is twice ours, so the weight is $2 \cdot 0.5 = 1$. The mean-squared error is
# also a mean over the 128 dimensions: $2 \cdot 0.5 / 128 = 0.0078$. The size of the batch does not
# enter, because both are means over it.

# %%
some, marks = torch.randn(32, 128, generator=generator), torch.arange(32) % 4
ours = CenterLoss(4, 128)
value = ours(some, marks)
print(f"{0.5 * some.square().sum(1).mean() / value:.4f}")
print(f"{0.5 * F.mse_loss(some, ours.centers[marks]) / value:.4f}")

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} ★★ The center of an outlier
# :label: exercise-outlier
# ```
# Four embeddings lie at 0, 1, 2 and 3 on a line, a fifth at 100. Where does the center settle in the
# squared form, and where in the L1 form? Update 2,000 times with $\alpha = 0.01$ and explain.
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-outlier
# :label: solution-outlier
# :class: dropdown
# ```
# The squared form settles where the sum of the differences is zero: at the mean, 21.2. The L1 form
# settles where as many embeddings lie to the left as to the right: at the median, 2.

# %%
line = torch.tensor([[0.0], [1.0], [2.0], [3.0], [100.0]])
for norm in ("l2", "l1"):
    loss = CenterLoss(1, 1, alpha=0.01, norm=norm)
    for _ in range(2_000):
        loss.update_centers(line, torch.zeros(5, dtype=torch.long))
    print(norm, f"{loss.centers.item():.2f}")

# %% [markdown]
# Around the median the L1 center trembles by about $\alpha / (1 + n)$, here 0.0017, because its steps
# do not grow smaller.
#
# ```{solution-end}
# ```
#
# ```{exercise-start} ★★ Decay
# :label: exercise-decay
# ```
# A center is a parameter under plain gradient descent with weight decay $\omega$, and a class makes up
# the share $p = n/B$ of each batch. Where does the center settle if the embeddings stay where they
# are, with mean $m$? Check the table's last row.
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-decay
# :label: solution-decay
# :class: dropdown
# ```
# It rests where the two pulls cancel: $\lambda_1 p \, (c - m) + \omega c = 0$, so $c = m \,
# \lambda_1 p / (\lambda_1 p + \omega)$. With $\lambda_1 = 0.0625$, $p = 1$ and $\omega = 0.1$ that
# is $0.385\, m$: the center stays nearer to the origin than to its class. For a class with $p =
# 0.12$ it would be $0.07\, m$.

# %%
share = 0.0625 / (0.0625 + 0.1)
long_after = as_parameter(0.0625, 0.1, batches=3_000)
print(f"formula {(1 - share) * whole:.3f}, after 3,000 batches {long_after:.3f}")

# %% [markdown]
# The row of the table is a little larger, because 100 batches are not yet forever.
#
# ```{solution-end}
# ```
#
# ```{exercise-start} ★★★ The way out
# :label: exercise-collapse
# ```
# Train the toy network with $\lambda_1 = 256$ for 2,000 steps instead of 400. Is the collapse final?
# What follows for a comparison of weights after a fixed number of epochs?
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-collapse
# :label: solution-collapse
# :class: dropdown
# ```

# %%
body, head, center_loss, history = train(256, steps=2_000)
for step in (1, 100, 400, 1_000, 2_000):
    softmax, center = history[step - 1]
    print(f"step {step:5,}: softmax loss {softmax:.3f}, center loss {center:.4f}")

# %% [markdown]
# Here it is not final. (The history notes each loss before its step and {numref}`Figure %s <fig-collapse>`
# draws it; the value in the text above is after the last.) Once each class is drawn to a point, that point
# and its center can move together at no cost, so a force from the softmax loss, however small, parts the
# classes little by little: the centers have to be led, step by step. So a weight that is too large shows
# first as *slowness*. After a fixed number of epochs one compares how far each weight has come, not only
# how good it is; the history of both losses tells which of the two it was.
#
# ```{solution-end}
# ```
#
# ## Summary
#
# - Center loss is half the mean squared distance of the embeddings to the centers of their classes;
#   its gradient draws each straight to its center.
# - The centers follow by the delta rule, the share $\alpha n / (1 + n)$ of the way to the batch's
#   mean: the gradient times $B/(1 + n)$. They are a buffer, so that neither $\lambda_1$ nor the
#   optimiser nor weight decay moves them.
# - In the toy it makes classes compact; {doc}`clusters` measures it on speech. `metrics.compactness`
#   is not taken in by scale.
# - A weight means nothing without its convention: 4 of a mean over dimensions is 0.0625 here.
# - Center loss near zero with a softmax loss near $\ln K$ means collapse, for a while or for good.
#
# Next: {doc}`reconstruction`, the other addition of paper 1 to softmax.
#
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
