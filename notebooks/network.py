# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The network, taken apart
#
# ```{admonition} After this chapter you can …
# :class: tip
# - draw the network of paper 1 and give the shape of the data after every layer;
# - compute a 2 × 2 max-pooling by hand, and say which inputs receive a gradient;
# - count the network's parameters, and derive from the printed count a width the paper never
#   states;
# - write down the three losses and say what each asks of the embedding;
# - run the cheapest test of a training loop there is: learn one batch by heart.
# ```
#
# **You need** {doc}`hear-and-see`, and to have met convolution, the ReLU function $\max(0, x)$ and
# gradient descent before.

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

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn

from ser_lib import audio, corpora, features, plots
from ser_lib.book import glue
from ser_lib.corpora.base import PAPER_EMOTIONS
from ser_lib.layers import ConvReLUMaxPool2d
from ser_lib.losses import CenterLoss, reconstruction_loss
from ser_lib.models import ParallelCNN
from ser_lib.models.parallel_cnn import KERNEL_SIZES

warnings.filterwarnings("ignore", message="IProgress not found")
torch.set_num_threads(1)  # two small threads would wait for each other more than they compute
speech = corpora.load(corpus)
emotions = sorted(set(PAPER_EMOTIONS) & set(speech.emotions)) or list(speech.emotions)
speech = speech.select(emotions=emotions)

# %% [markdown]
# ## Look at the whole
#
# Paper 1 {cite:p}`tripathi2019` describes its network in a figure and a page of text (section
# 2.1). Follow the picture from left to right: one input goes into four paths, their results are
# joined into one long list, and two branches start from there. Look for the place where the
# recording has become 64 numbers.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Block diagram. The input of 40 by 188 numbers goes into four parallel boxes, each with 200 kernels of one size, ReLU and maximum to 2 by 2. They join into 3,200 numbers, from which two branches start. The upper one has a fully connected layer of 64, further fully connected layers with a sigmoid, and the rebuilt input, with loss A. The lower one has a fully connected layer of 64, the embedding, with loss C, and softmax, with loss S."}, "figure": {"caption": "The network of paper 1. FC is a fully connected layer; all parts are explained below. Each branch can be switched off.", "name": "fig-network"}}
plots.diagrams.network_diagram(40, 188, KERNEL_SIZES, 4)

# %% [markdown]
# The lower branch recognises the emotion. The list of 64 numbers just before its softmax is the
# {term}`embedding`. The upper branch tries to rebuild the input from the same 3,200 numbers, and
# serves only during training. The letters S, A and C name the losses, as in the paper's tables; a
# model called S+C has a softmax loss and a center loss and no upper branch.
#
# ## Four paths, four kernels
#
# A kernel is a small picture that slides over the input. At each place it is multiplied with what
# lies under it, number by number, and the products are added up: the result is large where the
# input looks like the kernel.

# %%
drawn = ["..#..", ".#..#", "#..#.", "..#.."]
x = torch.tensor([[float(mark == "#") for mark in line] for line in drawn])
kernel = torch.tensor([[0.0, 1.0], [1.0, 0.0]])  # a stripe that rises to the right

by_hand = torch.zeros(3, 4)
for row in range(3):
    for column in range(4):
        under = x[row : row + 2, column : column + 2]
        by_hand[row, column] = (under * kernel).sum()
by_torch = F.conv2d(x[None, None], kernel[None, None])[0, 0]
print(by_hand.int().tolist(), "the same:", torch.equal(by_hand, by_torch))

# %% [markdown]
# The response is 2 where the input has a rising diagonal, and less elsewhere. On a spectrogram drawn
# with low frequencies at the bottom, such a stripe is a rising pitch. (The arrays here have the
# lowest band in row 0, so there the mirrored kernel finds it.) No kernel is designed by hand:
# training finds them.
#
# Paper 1 lets four sizes work side by side, 200 kernels each, because the best size is hard to know (its
# section 2.1). It does not say which number runs over time; we take the second. The next figure draws the
# four at their true size on MFCC of one recording, where a frame is a step of 32 ms. Look for how many steps,
# and how many of the 40 coefficients, each can see at once.

# %% tags=["hide-input"] mystnb={"image": {"alt": "MFCC of one recording as a coloured image of 40 coefficients over time, with four black rectangles of growing size drawn on it, labelled 4 by 6, 6 by 8, 8 by 10 and 10 by 12."}, "figure": {"caption": "The four kernel sizes, coefficients × frames, at their true size on the MFCC of one recording. Red is positive and blue negative, as before.", "name": "fig-kernels"}}
example = audio.load_audio(speech.file(speech.utterances[0]), 16_000)
plots.diagrams.kernels_on(features.mfcc(example, 16_000), KERNEL_SIZES, hop_seconds=512 / 16_000)

# %% [markdown]
# A new frame starts every 512 samples, or 32 ms, and lasts 2,048. The widest kernel spans 12 frames: in
# the figure that is 12 × 32 ms = 0.38 s, but the outer frames reach 48 ms further on either side, so it
# hears 0.48 s, a syllable or two. Melodies over a whole sentence are out of reach of any single kernel.
#
# The paper does not say what happens at the inputs' edges. We take `valid` convolution, without
# padding; `same` is one switch away, and {doc}`open-choices` says which of the two the next section's
# "exactly half" fits better.
#
# ## Four survivors: max-pooling to 2 × 2
#
# After the convolution and ReLU, the paper pools with a size that is "exactly half along the width
# and height of the convolution output". So each response, whatever its size, is cut into four
# quarters, and only the largest number of each survives.
#
# ```{prf:definition} Max-pooling to 2 × 2
# :label: def-pool
#
# Let a response $r$ have $H$ rows and $W$ columns, and let $h = \lfloor H/2 \rfloor$ and
# $w = \lfloor W/2 \rfloor$. The output has the four values
#
# $$
# \begin{aligned}
# y_{ij} = \max \{\, r_{ab} : \; & ih \le a < (i+1)h , \\
# & jw \le b < (j+1)w \,\}
# \end{aligned}
# $$
#
# for $i, j \in \{0, 1\}$.
#
# With an odd $H$ or $W$ the last row or column is not looked at.
# ```
#
# Take a feature map of 4 × 6. Before you look at the figure, find the largest number in each
# quarter.

# %%
response = np.array(
    [[1, 5, 2, 0, 3, 1], [0, 2, 4, 7, 1, 2], [3, 1, 0, 2, 2, 8], [6, 2, 1, 4, 0, 5]]
)
pooled, winners = np.zeros((2, 2), dtype=int), []
for i in range(2):
    for j in range(2):
        quarter = response[2 * i : 2 * i + 2, 3 * j : 3 * j + 3]
        row, column = np.unravel_index(quarter.argmax(), quarter.shape)
        pooled[i, j] = quarter[row, column]
        winners.append((2 * i + int(row), 3 * j + int(column)))
print(pooled.tolist(), "at", winners)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Left: a grid of four rows and six columns of small whole numbers, cut into four quarters by two lines, with the largest number of each quarter outlined. Right: a grid of two by two with these four numbers."}, "figure": {"caption": "Max-pooling to 2 × 2: the largest number of each quarter survives.", "name": "fig-pooling"}}
plots.diagrams.pooling(response, pooled, winners)

# %% [markdown]
# Four of 24 numbers survive, and they alone receive a gradient: a small change of any other number
# changes nothing. For the network's real responses it is four of several thousand. The library uses
# this. Its layer first *searches* the four winners without storing anything for the gradient, and then
# computes only those four in the differentiable way. Values and gradients are those of the plain
# three layers:

# %%
torch.manual_seed(0)
plain = nn.Conv2d(1, 200, (4, 6))
quick = ConvReLUMaxPool2d(200, (4, 6))
quick.load_state_dict(plain.state_dict())
batch = torch.randn(2, 40, 188)

maps = torch.relu(plain(batch[:, None]))
slow_output = F.max_pool2d(maps, (maps.shape[2] // 2, maps.shape[3] // 2))
quick_output = quick(batch)
slow_output.square().sum().backward()
quick_output.square().sum().backward()
print("responses", tuple(maps.shape), "-> pooled", tuple(quick_output.shape))
print(f"values differ by at most {(slow_output - quick_output).abs().max():.0e}")
slow, fast = plain.weight.grad, quick.weight.grad
share = (slow - fast).abs().max() / slow.abs().max()
print(f"gradients by at most {share:.0e} of the largest")

# %% [markdown]
# ## Layer by layer
#
# Here is the whole lower branch with the shapes that one input of 40 × 188 takes on its way. The
# table is made from the network itself: a hook on each layer notes the shape of its output.

# %%
network = ParallelCNN(4, (40, 188))
rows = []


def note(name, layer):
    def hook(_, __, output):
        count = sum(parameter.numel() for parameter in layer.parameters())
        rows.append((name, type(layer).__name__, tuple(output.shape[1:]), count))

    return hook


hooks = [
    layer.register_forward_hook(note(name, layer))
    for name, layer in network.named_modules()
    if not list(layer.children())
]
network.eval()(torch.zeros(1, 40, 188))
for hook in hooks:
    hook.remove()
total = sum(parameter.numel() for parameter in network.parameters())
columns = ["name", "layer", "shape of the output", "parameters"]
layers = pd.DataFrame(rows, columns=columns)
layers.loc[len(layers)] = ["", "sum", "", total]
layers.style.hide().format({"parameters": "{:,}"})

# %% tags=["remove-cell"]
glue("parameters", f"{total:,}")

# %% [markdown]
# {term}`Batch norm` shifts and scales each of the 64 numbers to mean 0 and variance 1 within the batch,
# then by two numbers that are learnt; where the network is judged and not trained, stored averages take the
# batch's place. {term}`Dropout` sets each number to zero with a fixed probability, in training only.
#
# Each path ends with 200 × 2 × 2 = 800 numbers, whatever the size of the input, so four paths give
# 3,200. Nearly four fifths of all {glue:text}`parameters` parameters sit in the one fully connected
# (FC) layer behind them.
#
# ## A width the paper does not print
#
# How wide is that layer? Paper 1 never says. But it prints the size of its S+C model: 0.26 million
# parameters (section 4). With $N$ units there are
#
# $$
# \begin{aligned}
# & \underbrace{55{,}200}_{\text{kernels}} + \underbrace{3{,}200\,N + N}_{\text{FC}} \\
# & + \underbrace{2N}_{\text{batch norm}} + \underbrace{4N + 4}_{\text{softmax}} \\
# & = 55{,}204 + 3{,}207\,N
# \end{aligned}
# $$
#
# parameters, where the kernels and their biases are $200 \cdot (24 + 48 + 80 + 120) + 800$. Which
# $N$ rounds to 0.26 million?


# %%
def size(model):
    return sum(parameter.numel() for parameter in model.parameters())


for units in (32, 62, 63, 64, 65, 66, 128):
    count = size(ParallelCNN(4, (40, 188), units=units))
    print(f"{units:4d} units: {count:,} = {count / 1e6:.2f} million")

# %% [markdown]
# Only 63, 64 and 65 do, and 64 is the one a person would choose. So an unprinted number can be
# recovered from a printed one. It rests on one reading: that a single FC layer stands between the
# 3,200 features and the softmax. (S+C has no decoder that could be counted.) We call it *derived*,
# not *given*.
#
# ## What the paper leaves open
#
# | item | paper 1 | here |
# |---|---|---|
# | shape of the inputs | lost in our copy | 40 × 188 and 128 × 188, derived |
# | width of the FC layers | not given | 64, derived from 0.26 million |
# | which side of a kernel is time | not given | the second, chosen |
# | padding of the convolutions | not given | `valid`, chosen |
# | {term}`dropout` | "between 25% and 75%" | 50 %, chosen |
# | decoder's further layers | "even more FC layers" | one of 256, chosen |
# | settings of {term}`Adadelta` {cite:p}`zeiler2012` | not given | learning rate 1.0, ρ 0.95, usual then |
# | epochs, batch size | not given | chosen, in every record |
# | center loss: sum or mean | formula lost in our copy | mean over the batch, chosen |
# | rate α of the centers | not given | 0.5, chosen ({doc}`center-loss`) |
# | $\lambda_2$, weight of loss A | "fine-tuned" | 100, chosen ({doc}`reconstruction`) |
#
# Most of these are arguments of the library's configuration, stored in the record of every run; which side
# of a kernel is time, that the center loss is a mean, and Adadelta's ε are fixed in the code.
#
# One printed number also raises a question. In Table 1 the row "S, Spectrogram" equals the row of the group's
# earlier network {cite:p}`yenigalla2018` to the last digit: 71.2 and 61.9. {doc}`table-1` asks what that can
# mean.
#
# ## Three losses
#
# **S, the softmax loss.** With scores $s_k$ of the four emotions (PyTorch says *logits*), softmax gives the
# probabilities $p_k = e^{s_k} / \sum_j e^{s_j}$, and the loss is their cross-entropy with the label, the mean
# over the batch of $-\ln p_{y_i}$:
#
# $$
# L_S = -\frac{1}{B} \sum_{i=1}^{B} \ln p_{y_i} .
# $$
#
# It wants the right score ahead and always gains a little by a larger lead. It does not ask how close together
# the embeddings of a class lie.
#
# **C, the center loss** {cite:p}`wen2016`, which paper 1 believes new to the recognition of emotions;
# {cite:t}`dai2019`, parallel work of the month before, tried it on IEMOCAP too, and report a gain. Each class
# $k$ has a center $c_k$, a point among the embeddings. The loss is half the mean squared distance of the
# embeddings $z_i$ to the centers of their classes,
#
# $$
# L_C = \frac{1}{2B} \sum_{i=1}^{B} \lVert z_i - c_{y_i} \rVert^2 ,
# $$
#
# and it joins the first with a weight: $L = L_S + \lambda_1 L_C$ (paper 1, equation 2). The centers
# follow the embeddings: after each batch they move part of the way to the mean of their class. The
# softmax loss keeps the classes apart, the center loss makes each compact. In the next figure look
# at the lines: center loss is their mean squared length, halved.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Invented points in the plane in four groups, one colour and marker per emotion; a line joins each point to the white ring that marks the center of its group."}, "figure": {"caption": "Invented embeddings of two numbers each. Rings are the centers; the center loss shortens the lines.", "name": "fig-centers"}}
generator = np.random.default_rng(3)
middles = {"anger": (2, 2), "happiness": (3.4, 0.4), "neutral": (-1, 0.3), "sadness": (-1.8, 2.2)}
names = [name for name in middles for _ in range(7)]
points = np.array([middles[name] for name in names]) + generator.normal(0, 0.6, (len(names), 2))
plots.embeddings.around_centers(points, names, middles)

# %% [markdown]
# The points here are invented, to show the idea. {doc}`center-loss` derives the rule by which the
# centers move, and {doc}`clusters` looks at real embeddings. One detail matters from the start: with
# $\lambda_1 = 4$, the paper's best value, it makes a difference whether the loss is a mean or a sum
# over the batch. With a batch of 32 a sum pulls 32 times as hard, beside a softmax
# loss that is a mean.
#
# **A, the auxiliary loss.** The upper branch rebuilds the input as $\hat x_i$, and the loss is the mean
# squared error over all $N$ numbers of an input,
# $L_A = \frac{1}{BN} \sum_i \lVert \hat x_i - x_i \rVert^2$. The second task, the paper argues, makes the
# network encode important patterns of the input and so generalise better (section 2.4). It joins with a
# weight of its own, so that all three together are $L = L_S + \lambda_1 L_C + \lambda_2 L_A$.

# %%
with_decoder = ParallelCNN(4, (40, 188), decoder=(256,)).eval()
inputs = torch.rand(3, 40, 188)
outputs = with_decoder(inputs)
print("logits        ", tuple(outputs.logits.shape))
print("embedding     ", tuple(outputs.embedding.shape))
print("reconstruction", tuple(outputs.reconstruction.shape))
loss = reconstruction_loss(outputs.reconstruction, inputs)
print(f"loss A before training: {loss:.4f}")
print(f"parameters of the decoder: {size(with_decoder) - total:,}")

# %% [markdown]
# The decoder has several times the parameters of the network it helps, nine tenths of them in its
# last layer, which must produce 40 × 188 numbers. It is thrown away after training.
#
# ## Does it learn at all?
#
# Before any long training, make the network learn *one batch* by heart. It has a quarter of a
# million parameters and three recordings of each emotion, so it must succeed; if it does not,
# something is broken. The test takes seconds. Dropout is off, because we want memory here and
# nothing else, and the center loss has the weight 0.1, so that the softmax loss leads.


# %%
def some_of_each(speech, count):
    """The first few recordings of each emotion."""
    table = speech.table()
    chosen = table.groupby("emotion").head(count).index
    return [speech.utterances[index] for index in chosen]


def six_seconds(utterance):
    """MFCC of one recording, cut or padded."""
    signal = audio.load_audio(speech.file(utterance), 16_000)
    return features.mfcc(audio.fix_length(signal, 16_000, 6.0), 16_000)


batch = some_of_each(speech, 3)
arrays = np.stack([six_seconds(utterance) for utterance in batch])
x = torch.from_numpy(features.MinMaxScaler().fit(arrays).transform(arrays))
y = torch.tensor([emotions.index(u.emotion) for u in batch])

torch.manual_seed(0)
learner = ParallelCNN(len(emotions), (40, 188), dropout=0.0).train()
center_loss = CenterLoss(len(emotions), 64)
optimizer = torch.optim.Adadelta(learner.parameters(), lr=1.0, rho=0.95)
history = {"softmax loss": [], "center loss": []}
for _ in range(25):
    out = learner(x)
    softmax, center = F.cross_entropy(out.logits, y), center_loss(out.embedding, y)
    optimizer.zero_grad()
    (softmax + 0.1 * center).backward()
    optimizer.step()
    center_loss.update_centers(out.embedding.detach(), y)
    history["softmax loss"].append(softmax.item())
    history["center loss"].append(center.item())

# %% tags=["remove-cell"]
right = float((learner(x).logits.argmax(1) == y).float().mean())
glue("remembered", 100 * right)
glue("batch_size", len(y))

# %% [markdown]
# Look for two things in the figure: does the softmax loss fall towards zero, and does the center
# loss fall with it? The vertical axis is logarithmic.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two curves over twenty-five steps of training on one batch, softmax loss and center loss, on a logarithmic axis."}, "figure": {"caption": "Learning one batch by heart, with softmax and center loss.", "name": "fig-overfit"}}
plots.results.curves(history, xlabel="step", ylabel="loss", log=True)

# %% [markdown]
# After twenty-five steps the network, still in training mode, gets {glue:text}`remembered:.0f` % of the
# {glue:text}`batch_size:d` recordings right. That says that gradients flow, labels match inputs
# and the losses work together. It says *nothing* about voices that are not in the batch. That is
# the question of {doc}`first-result`.
#
# ## What can go wrong
#
# **Half of the quarters see nothing.** Inputs are six seconds long, and each response is cut in the
# middle, at three seconds. For a recording shorter than about that, the two right-hand quarters see
# only padding. Let us count how many of the 3,200 features change at all between the recordings of
# one batch.

# %%
with torch.no_grad():
    cells = torch.cat([path(x) for path in learner.paths], 1)  # (batch, 800, 2, 2)
moving = (cells.std(0) > 1e-6).float().mean((0, 1))
seconds = max(utterance.duration for utterance in batch)
print(f"longest recording in the batch: {seconds:.1f} s")
print(f"features that vary: left half {moving[0]:.0%}, right half {moving[1]:.0%}")

# %% [markdown]
# Where every recording is shorter than three seconds, as in the two-second copy of EMO-DB, half
# of the 3,200 features are constants, and half of the FC layer's weights do no more than a bias. The
# paper's own corpus has longer recordings: six seconds was the length that three quarters of its recordings
# did not exceed (section 2.2). A design that fits one corpus need not fit another.
#
# **A batch of one.** {term}`Batch norm` cannot standardise one number. In training mode PyTorch raises an
# error for a batch of one; the library's loop makes batches of nearly equal size so that none is
# left over.
#
# **Softmax twice.** `cross_entropy` wants scores, not probabilities. Apply softmax before it and nothing
# fails: the answers may be right, but the loss stops far above zero ({ref}`exercise-broken`). Only a
# test that looks at the loss shows it.
#
# **Centers in the optimiser.** If the centers are parameters, the optimiser moves them with its own
# step sizes, and plain gradient descent multiplies these by $\lambda_1$. In this library they are a
# buffer, out of its reach.
#
# **A default that changed.** Adadelta's learning rate is 1.0 in PyTorch and was 1.0 in the Keras of
# the paper's time; later versions of Keras have 0.001, with which it hardly moves.
#
# ## Exercises
#
# ```{exercise-start} ★ Seven emotions
# :label: exercise-seven
# ```
# How many parameters has the network for the seven emotions of EMO-DB? Work it out from the formula
# above, and check.
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-seven
# :label: solution-seven
# :class: dropdown
# ```
# Only the softmax layer changes: each further emotion adds 64 weights and a bias. Three more
# emotions add 3 × 65 = 195.

# %%
count = size(ParallelCNN(7, (40, 188)))
print(f"{count:,} = 260,452 + {count - 260_452}")

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} ★ A larger input
# :label: exercise-larger
# ```
# Paper 1's spectrogram input has 128 rows. How do the parameters change with 128 × 188 instead of
# 40 × 188, without and with the decoder? Why can the printed 0.26 million not tell us the shape of
# the input?
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-larger
# :label: solution-larger
# :class: dropdown
# ```

# %%
for shape in ((40, 188), (128, 188)):
    counts = [size(ParallelCNN(4, shape, decoder=wide)) for wide in (None, (256,))]
    print(f"{shape}: {counts[0]:,} without decoder, {counts[1]:,} with")

# %% [markdown]
# The pooling always leaves 2 × 2 numbers per kernel, so the classifier's size does not depend on
# the input. The decoder's does: its last layer has an output for every input number.
#
# ```{solution-end}
# ```
#
# ```{exercise-start} ★★ Center loss by hand
# :label: exercise-center
# ```
# Two embeddings of class 0, $z_1 = (2, 0)$ and $z_2 = (0, 4)$; the center is $c_0 = (0, 0)$.
# Compute $L_C$ and its gradient with respect to $z_2$. The centers then move by
#
# $$
# c_k \leftarrow c_k + \alpha \, \frac{\sum_{i : y_i = k} (z_i - c_k)}{1 + n_k} ,
# $$
#
# where $n_k$ counts the class in the batch. Where is $c_0$ after one batch with $\alpha = 0.5$?
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-center
# :label: solution-center
# :class: dropdown
# ```
# The squared distances are 4 and 16, so $L_C = (4 + 16) / (2 \cdot 2) = 5$. The gradient with
# respect to $z_i$ is $(z_i - c) / B$, here $(0, 4)/2 = (0, 2)$. The sum of the differences is
# $(2, 4)$; divided by $1 + 2$ and halved it is $(1/3, 2/3)$.

# %%
z = torch.tensor([[2.0, 0.0], [0.0, 4.0]], requires_grad=True)
y_hand = torch.tensor([0, 0])
loss = CenterLoss(1, 2, alpha=0.5)
value = loss(z, y_hand)
value.backward()
loss.update_centers(z.detach(), y_hand)
print(value.item(), z.grad[1].tolist(), loss.centers.tolist())

# %% [markdown]
# With the one in $1 + n_k$ a class with a single recording in the batch moves its center by the share
# $\alpha / 2$ of the way, not $\alpha$; and a class without any leaves its center alone instead of dividing by
# zero.
#
# ```{solution-end}
# ```
#
# ```{exercise-start} ★★★ A broken loop
# :label: exercise-broken
# ```
# Apply softmax to the logits before `cross_entropy` and repeat the overfitting test with the
# softmax loss alone. Below which value can the loss not fall, even if every probability is
# exactly 0 or 1?
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-broken
# :label: solution-broken
# :class: dropdown
# ```
# The best the network can do is a probability of 1 for the right class and 0 for the three
# others. Taken for scores, these give the right class the probability $e / (e + 3)$, so the loss
# stays above $-\ln(e / (e + 3)) = 0.744$.

# %%
torch.manual_seed(0)
broken = ParallelCNN(len(emotions), (40, 188), dropout=0.0).train()
optimizer = torch.optim.Adadelta(broken.parameters(), lr=1.0, rho=0.95)
for _ in range(25):
    loss = F.cross_entropy(broken(x).logits.softmax(1), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
floor = float(np.log(np.e + len(emotions) - 1) - 1)
print(f"loss after 25 steps {loss.item():.3f}, floor {floor:.3f}")

# %% [markdown]
# Nothing fails and the accuracy may even look right. The loss that will not go down is the only
# sign, which is why the overfitting test looks at the loss.
#
# ```{solution-end}
# ```
#
# ## Summary
#
# - Four paths of 200 kernels each are max-pooled to 2 × 2, giving 3,200 numbers for any input; a
#   fully connected layer makes an embedding of 64.
# - That width follows from the printed 0.26 million parameters; padding, dropout, decoder and more
#   are our choices, and named.
# - S asks for the right score, C for embeddings near the centers of their classes, A for a network
#   that can rebuild its input.
# - A network that cannot learn one batch by heart is broken. One that can has proved nothing else.
#
# Next: {doc}`search-layer`, on how this network is trained quickly; or straight to
# {doc}`first-result`.
#
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
