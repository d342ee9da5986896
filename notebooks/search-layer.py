# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Four winners: a layer quick enough for the study
#
# ```{admonition} After this chapter you can …
# :class: tip
# - say which positions of a feature map matter to training when a max-pooling follows;
# - separate a computation into a search without gradients and a small differentiable rest, and write
#   the paper's first layer in that way in ten lines;
# - check such a shortcut: values, gradients, ties;
# - estimate the memory of a convolution's activations before you run out of it;
# - say what a measured speed-up is worth, and what it is not.
# ```
#
# **You need** {doc}`network`, above all its section on max-pooling to 2 × 2.

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
from functools import partial
from math import prod

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn

from ser_lib import audio, bench, claims, corpora, features, plots, records
from ser_lib.bench.timing import fastest
from ser_lib.book import glue
from ser_lib.claims.paper_tables import INPUTS
from ser_lib.corpora.base import PAPER_EMOTIONS
from ser_lib.layers import ConvReLUMaxPool2d
from ser_lib.models.parallel_cnn import KERNEL_SIZES

warnings.filterwarnings("ignore", message="IProgress not found")
torch.set_num_threads(1)
speech = corpora.load(corpus)
emotions = sorted(set(PAPER_EMOTIONS) & set(speech.emotions)) or list(speech.emotions)
speech = speech.select(emotions=emotions)

# %% [markdown]
# ## Look: where do the winners stand?
#
# Paper 1's first layer {cite:p}`tripathi2019` is a convolution with 200 kernels on each of four
# paths, ReLU, and a max-pooling that leaves 2 × 2 numbers of each response. Take one recording, the
# smallest kernel size and one of 200 kernels, as they are before any training.


# %%
def six_seconds(utterance, kind):
    """Features of one recording, scaled to [0, 1]."""
    signal = audio.load_audio(speech.file(utterance), 16_000)
    compute = {"mfcc": features.mfcc, "log_mel": features.log_mel}[kind]
    array = compute(audio.fix_length(signal, 16_000, 6.0), 16_000)
    return torch.from_numpy(features.MinMaxScaler().fit(array[None]).transform(array[None])[0])


longest = max(speech.utterances, key=lambda utterance: utterance.duration)
spectrogram = six_seconds(longest, "log_mel")
torch.manual_seed(0)
plain = nn.Conv2d(1, 200, KERNEL_SIZES[0])
with torch.no_grad():
    response = plain(spectrogram[None, None])[0].relu()
half = (response.shape[1] // 2, response.shape[2] // 2)
values, index = F.max_pool2d(response, half, return_indices=True)
places = [divmod(int(i), response.shape[2]) for i in index[:, :2, :2].flatten()]
print("response of one kernel:", tuple(response.shape[1:]))

# %% tags=["remove-cell"]
positions = prod(response.shape[1:])
glue("positions", f"{positions:,}")
glue("share", 100 * 4 / positions)
different = len(set(places))
glue("different", f"{different:,}")
glue("all_winners", f"{len(places):,}")
glue("zero_winners", int((values[:, :2, :2] == 0).sum()))

# %% [markdown]
# Above in the figure is the response of the first kernel, with its four winners in rings. Below is
# the spectrogram with the winners of all 200 kernels as dots. Here dark is large. In the silence the input
# is zero and the response is the kernel's bias, so the right of the upper picture is one shade. Two
# questions: how much of either picture is marked at all? And where are the dots in the part where
# nobody speaks any more?

# %% tags=["hide-input"] mystnb={"image": {"alt": "Above: the response of one kernel as a grey image over time, cut into four quarters, with one orange ring in each. Below: the log-mel spectrogram cut in the same way, with the winners of 200 kernels as orange dots. They crowd in some places of the speech; in the silence to the right there are none but in its first column."}, "figure": {"caption": "The winners of one kernel, and of all 200 kernels of this size, on the spectrogram of one recording. The blue lines cut the response into its four quarters.", "name": "fig-winners"}}
plots.diagrams.winners_on(
    {"response of one kernel": response[0].numpy(), "winners of 200 kernels": spectrogram.numpy()},
    {"response of one kernel": places[:4], "winners of 200 kernels": places},
    cut=half,
)

# %% [markdown]
# The response has {glue:text}`positions` positions, and four of them, {glue:text}`share:.3f` %, go
# on to the next layer. All 200 kernels together have {glue:text}`all_winners` winners, which stand
# at only {glue:text}`different` different places. Where a whole quarter is zero after ReLU, its first
# position stands for it: {glue:text}`zero_winners:d` of the winners are such, and have no gradient
# either. In the silence there are none but at its beginning: where all positions are equal, the first
# wins. Ties apart, a small change of any other number in the response changes nothing further on, so its
# gradient is exactly zero; of equal ones PyTorch gives the first all of it.
#
# A framework does not know this when it convolves. It computes all positions, *keeps* them all for
# the backward pass, and then sends back gradients that are nearly all zeros. This chapter turns it
# round: **first search, without keeping anything; then compute only the winners, with gradients.**
#
# ## By hand
#
# An input of 5 × 7 and a kernel of 2 × 2 with bias −1 give a response of 4 × 6, so quarters of
# 2 × 3.

# %%
x = torch.tensor(
    [
        [1, 0, 2, 1, 0, 3, 1],
        [0, 3, 1, 0, 2, 0, 0],
        [1, 1, 0, 4, 1, 1, 2],
        [0, 0, 3, 1, 0, 2, 0],
        [1, 2, 0, 0, 3, 1, 1],
    ],
    dtype=torch.float32,
)
kernel, bias = torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.tensor(-1.0)

small_response = F.conv2d(x[None, None], kernel[None, None], bias[None])[0, 0].relu()
winners = []
for top in (0, 2):
    for left in (0, 3):
        quarter = small_response[top : top + 2, left : left + 3]
        row, column = divmod(int(quarter.argmax()), 3)
        winners.append((top + row, left + column))
pooled = torch.stack([small_response[place] for place in winners]).view(2, 2)
print("winners at", winners)

# %% [markdown]
# Check one quarter with the figure before you go on: which four numbers of the input make its
# winner?

# %% tags=["hide-input"] mystnb={"image": {"alt": "Left: a grid of four rows and six columns with the response to a rising diagonal, cut into quarters, with the largest number of each outlined. Right: these four numbers in a grid of two by two."}, "figure": {"caption": "The response of the small example and its four winners.", "name": "fig-small-search"}}
plots.diagrams.pooling(small_response.int().numpy(), pooled.int().numpy(), winners)

# %% [markdown]
# Now the gradient of the sum of the four winners with respect to the kernel. A winner at row $a$ and
# column $b$ is $\sum_{k,l} w_{kl} \, x_{a+k,\, b+l} + \text{bias}$, so its derivative by $w_{kl}$ is
# $x_{a+k,\, b+l}$: the patch of the input that it stands on. The whole gradient is the sum of four
# patches of 2 × 2. Nothing else of the input enters.

# %%
patches = [x[a : a + 2, b : b + 2] for a, b in winners]
by_hand = sum(patches)

leaf = kernel.clone().requires_grad_()
maps = F.conv2d(x[None, None], leaf[None, None], bias[None]).relu()
F.max_pool2d(maps, (2, 3)).sum().backward()
print("sum of patches", by_hand.tolist())
print("by PyTorch    ", leaf.grad.tolist())

# %% [markdown]
# ## In ten lines
#
# For many kernels at once the search is one matrix product: all patches as columns of a matrix, all
# kernels as rows. The bias can wait, since it is the same at all positions of a kernel; and ReLU can
# wait, because it never changes which of two numbers is the larger, except where both become zero,
# and there no gradient flows.


# %%
def search_and_compute(x, weight, bias):
    """Convolution, ReLU, maximum to 2 x 2 of one image (height, width); also the winners."""
    filters, *size = weight.shape
    rows, columns = (n - k + 1 for n, k in zip(x.shape, size, strict=True))
    patches = F.unfold(x[None, None], size)[0]  # (numbers in a patch, positions)
    with torch.no_grad():  # the search: nothing is kept
        scores = (weight.flatten(1) @ patches).view(filters, rows, columns)
        index = F.max_pool2d(scores, (rows // 2, columns // 2), return_indices=True)[1]
        index = index[:, :2, :2].flatten(1)  # (filters, 4)
    chosen = patches[:, index]  # (numbers in a patch, filters, 4)
    return torch.einsum("fk,kfc->fc", weight.flatten(1), chosen).add(bias[:, None]).relu(), index


small, index = search_and_compute(x, kernel[None], bias[None])
print(small.tolist(), [divmod(int(i), 6) for i in index[0]])

# %% [markdown]
# Only the last line has a gradient, and it multiplies four patches per kernel. This form still
# builds the whole matrix of scores, so it saves the backward pass and the stored activations, but little
# else.
#
# ## The library's line
#
# `layers.ConvReLUMaxPool2d(200, (4, 6))` is the same idea, made quick. Here is its search, shown
# from the library itself, not copied:
#
# ```{literalinclude} ../ser_lib/layers.py
# :language: python
# :pyobject: ConvReLUMaxPool2d._search
# :dedent: 4
# ```
#
# Three things differ from our ten lines. It goes quarter by quarter, so that only one quarter's
# scores exist at a time and the memory is used again. It finds the maximum in two steps, first the
# best row by the rows' maxima, then the best column within that row, because a maximum without
# indices runs faster than one that has to remember where it was. And it stops early in silence; see
# below. The line about `quick_search` comes later, too. The second half computes the winners, with
# gradients:
#
# ```{literalinclude} ../ser_lib/layers.py
# :language: python
# :pyobject: ConvReLUMaxPool2d._winning_responses
# :dedent: 4
# ```
#
# ## Is it the same?
#
# A shortcut has to prove that it is one. We compare with PyTorch's own three layers on four
# recordings: values, gradients of the weights, and the winners themselves. Compare the last two
# columns: is every winner the same position? Does it stand on the same numbers?

# %%
some = [next(u for u in speech.utterances if u.emotion == emotion) for emotion in emotions]
batch = torch.stack([six_seconds(utterance, "mfcc") for utterance in some])
rows = {}
for size in KERNEL_SIZES:
    torch.manual_seed(1)
    quick, plain = ConvReLUMaxPool2d(200, size), nn.Conv2d(1, 200, size)
    plain.load_state_dict(quick.state_dict())
    maps = plain(batch[:, None]).relu()
    quarter_size = (maps.shape[2] // 2, maps.shape[3] // 2)
    slow, index = F.max_pool2d(maps, quarter_size, return_indices=True)
    slow, index = slow[..., :2, :2], index[..., :2, :2].flatten(2)
    fast = quick(batch)
    slow.square().sum().backward()
    fast.square().sum().backward()
    with torch.no_grad():
        found = quick._search(batch)  # indices into the input; max_pool2d counts in the response
        found = found // batch.shape[2] * maps.shape[3] + found % batch.shape[2]
        patches = F.unfold(batch[:, None], size)[:, None].expand(-1, 200, -1, -1)
        both = [
            patches.gather(3, i[:, :, None].expand(-1, -1, prod(size), -1)) for i in (found, index)
        ]
        alike = (both[0] == both[1]).all(2) | (slow.flatten(2) == 0)
    scale = plain.weight.grad.abs().max()
    rows[f"{size[0]} × {size[1]}"] = {
        "largest difference of values": float((slow - fast).detach().abs().max()),
        "of gradients, relative": float(
            (plain.weight.grad - quick.weight.grad).abs().max() / scale
        ),
        "same position (%)": 100 * float((found == index).float().mean()),
        "same patch, or zero (%)": 100 * float(alike.float().mean()),
    }
equality = pd.DataFrame(rows).T.rename_axis("kernel")
equality.style.format("{:.1f}").format("{:.0e}", subset=list(equality.columns[:2]))

# %% tags=["remove-cell"]
glue("worst_value", f"{equality.iloc[:, 0].max():.0e}")
glue("worst_gradient", f"{equality.iloc[:, 1].max():.0e}")
glue("fewest_same", float(equality.iloc[:, 2].min()))
glue("fewest_alike", float(equality.iloc[:, 3].min()))

# %% [markdown]
# Values differ by {glue:text}`worst_value` at most and gradients by {glue:text}`worst_gradient` of
# the largest: rounding in the seventh digit, because the products are added up in another order. But
# not every winner is the same position; the kernel with the most disagreement has
# {glue:text}`fewest_same:.0f` % of the positions in common. How can values and gradients agree while
# winners do not? The last column says it: it counts the winners for which both positions see exactly
# the same patch, or the value is zero and has no gradient. Its lowest entry is
# {glue:text}`fewest_alike:.1f` %. Nearly all disagreements are of the second kind: where no response of
# a quarter is positive, ReLU makes zeros of them all, and of those PyTorch takes the first, while the
# search knows the largest. {ref}`exercise-bias` has a small example.
#
# ## Ties
#
# Zeros after ReLU are ties without a gradient. In silence all patches of a row are equal, so any of them
# may win: same patch, same value, same gradient. Where *different* patches have exactly equal responses, the
# convention decides:

# %%
flat = torch.tensor([[1.0, 3.0, 1.0, 1.0, 3.0, 1.0, 0.0]])  # 1 + 3 and 3 + 1
stripe = ConvReLUMaxPool2d(1, (1, 2), output_size=(1, 1))
with torch.no_grad():
    stripe.weight.fill_(1)
    stripe.bias.zero_()
stripe(flat[None]).sum().backward()
ours = stripe.weight.grad.flatten().tolist()

weight = stripe.weight.detach().clone().requires_grad_()
F.max_pool2d(F.conv2d(flat[None, None], weight).relu(), (1, 6)).sum().backward()
print("library", ours, "PyTorch", weight.grad.flatten().tolist())

# %% [markdown]
# Four positions have the response 4, with patches (1, 3) and (3, 1), and so two possible gradients.
# Neither is wrong: the maximum has a corner here, and both are slopes of one of its sides. PyTorch
# and the library both take the first in reading order.
#
# What remains are near ties: two positions whose exact responses are equal or almost so, and where
# rounding decides. Then two correct programs may choose differently. The value differs by a rounding
# error, but the *gradient* by a whole patch. This is no fault of the search: it happens between two
# versions of PyTorch, or a CPU and a GPU, as well. It means that trainings on different machines
# drift apart, at first in the last digits and then by leaps ({doc}`open-choices` watches one), which is one
# reason for several seeds. The tests of the library compare in double precision, where near ties hardly
# occur.
#
# ## What silence saves
#
# In the silence at the end all columns of the input are equal, so from there on all positions in a row of
# the response are equal, too. It is enough to look at the first: the search stops there, without any
# approximation. How much is that on this page's corpus?


# %%
def looked_at(image, kernel):
    """Share of the positions that the search computes."""
    moving = (image[:, :-1] != image[:, 1:]).any(0).nonzero()
    last = int(moving[-1]) + 1 if len(moving) else 0
    wide = (image.shape[1] - kernel[1] + 1) // 2
    columns = [min((j + 1) * wide, max(last, j * wide) + 1) - j * wide for j in range(2)]
    return sum(columns) / (2 * wide)


chosen = speech.utterances[:: max(1, len(speech.utterances) // 24)]
shares = [looked_at(six_seconds(u, "mfcc"), KERNEL_SIZES[0]) for u in chosen]
glue("looked_at", 100 * float(np.mean(shares)))
glue("looked_files", len(shares))
print(f"{len(shares)} recordings: {np.mean(shares):.0%} of the positions are looked at")

# %% [markdown]
# Over {glue:text}`looked_files:d` recordings, {glue:text}`looked_at:.0f` % of the positions of the smallest
# kernel on MFCC are computed. The plain convolution computes all of them: it cannot know that they are
# equal. The shorter the recordings in their six seconds, the larger the saving; where all are cut at
# six seconds there is none.
#
# ## Guess in small integers, decide exactly
#
# What is left of the time goes into the products of the search. Processors with the right
# instructions (AVX-512 VNNI) multiply integers of eight bits about four times as fast as float32. So
# round image and kernels to integers from −127 to 127 and search there? (First the middle of the image's
# range is taken off. That adds the same to every position of a kernel, so no winner changes, and the
# steps become finer.) Some winners would then be
# wrong, and silently so. But rounding has a size that can be *bounded*. Write the image as
# $x = \hat x + \varepsilon$ and a kernel as $w = \hat w + \delta$, with the rounded parts under the hats.
# The two scores of a position differ by
#
# $$w \cdot x - \hat w \cdot \hat x = \delta \cdot \hat x + w \cdot \varepsilon, \qquad
# |\delta \cdot \hat x + w \cdot \varepsilon| \le \lVert \delta \rVert \lVert \hat x \rVert
# + \lVert w \rVert \lVert \varepsilon \rVert,$$
#
# where $x$ and $\varepsilon$ are of the patch, and the bound is that of Cauchy and Schwarz. A
# position whose rounded score, plus its bound, stays below the exact response of the best guess
# cannot win. For all others the exact response is computed. How many are they? One recording, one
# quarter, 200 kernels:

# %%
torch.manual_seed(0)
size = KERNEL_SIZES[0]
kernels = nn.Conv2d(1, 200, size).weight.detach()[:, 0].flatten(1).double()
image = batch[0].double() - (batch[0].max() + batch[0].min()).double() / 2
step = image.abs().max() / 127
steps = kernels.abs().amax(1, keepdim=True) / 127
rounded, rounded_kernels = (image / step).round() * step, (kernels / steps).round() * steps


def quarter_of(image):
    """Patches of the first quarter as columns."""
    rows, columns = ((n - k + 1) // 2 for n, k in zip(image.shape, size, strict=True))
    return F.unfold(image[None, None, : rows + size[0] - 1, : columns + size[1] - 1], size)[0]


guess = rounded_kernels @ quarter_of(rounded)
bound = (kernels - rounded_kernels).norm(dim=1, keepdim=True) * quarter_of(rounded).norm(dim=0)
bound = bound + kernels.norm(dim=1, keepdim=True) * quarter_of(image - rounded).norm(dim=0)
exact = kernels @ quarter_of(image)

favourite = guess.argmax(1)
value = exact[torch.arange(200), favourite]
asked = guess + bound >= value[:, None]
wrong = value < exact.amax(1)
assert asked.gather(1, exact.argmax(1, keepdim=True)).all()  # the true winner is always asked
print(f"{guess.shape[1]:,} positions, {asked.sum(1).double().mean():.1f} asked on average")
print(f"the favourite is not the winner for {int(wrong.sum())} of 200 kernels")

# %% tags=["remove-cell"]
glue("quarter_positions", f"{guess.shape[1]:,}")
glue("asked", float(asked.sum(1).double().mean()))
glue("wrong_favourites", int(wrong.sum()))

# %% [markdown]
# Of {glue:text}`quarter_positions` positions {glue:text}`asked:.1f` have to be asked, on average over
# the kernels. Without asking, {glue:text}`wrong_favourites:d` of 200 winners would be wrong here. With
# it, none can be: the rounded products only choose whom to ask. The library does so where the
# processor gains by it, with a sharper bound (it takes the mean out of each patch), and takes the
# plain search elsewhere. The decision is `_decide` in `ser_lib/quick_search.py`, a loop in
# [Numba](https://numba.pydata.org).
#
# Is it worth the trouble, and why not bfloat16, which many processors multiply quickly too? The product of
# 200 random kernels of the largest size with about a quarter's number of random patches, on one thread of the
# machine that ran this page:

# %%
wide, tall = prod(KERNEL_SIZES[-1]), guess.shape[1]
weights, pixels = torch.rand(200, wide), torch.rand(wide, tall)
forms = {
    "float32": (torch.mm, weights, pixels),
    "bfloat16": (torch.mm, weights.bfloat16(), pixels.bfloat16()),
    "eight-bit integers": (
        torch._int_mm,
        (99 * weights).to(torch.int8),
        (99 * pixels).to(torch.int8),
    ),
}
product_ms = {name: 1000 * fastest(partial(*form), 5, "cpu") for name, form in forms.items()}
for name, taken in product_ms.items():
    print(f"{name}: {taken:.2f} ms")

# %% tags=["remove-cell"]
glue("half_precision", product_ms["float32"] / product_ms["bfloat16"])
glue("small_integers", product_ms["float32"] / product_ms["eight-bit integers"])

# %% [markdown]
# bfloat16 is {glue:text}`half_precision:.1f` times as fast as float32 here, and integers are
# {glue:text}`small_integers:.1f` times as fast; both would need the bound.
#
# ## Memory
#
# The backward pass needs what the forward pass computed. The plain layers keep, for each recording, the
# rectified response of every kernel at every position: ReLU needs its output and the pooling its
# input, which is the same array. The search keeps the four patches per kernel:

# %%
rows = {}
for shape in ((40, 188), (128, 188)):
    kept = searched = 0
    for size in KERNEL_SIZES:
        here = prod(n - k + 1 for n, k in zip(shape, size, strict=True))
        kept += 200 * here * 4  # rectified response, four bytes a number
        searched += 200 * 4 * (prod(size) + 1) * 4
    rows[f"{shape[0]} × {shape[1]}"] = {
        "plain (MiB)": kept / 2**20,
        "search (MiB)": searched / 2**20,
        "times": kept / searched,
    }
memory = pd.DataFrame(rows).T.rename_axis("input")
memory.style.format("{:.1f}")

# %% tags=["remove-cell"]
glue("plain_batch", 16 * float(memory.loc["128 × 188", "plain (MiB)"]) / 1024)
glue("search_batch", 16 * float(memory.loc["128 × 188", "search (MiB)"]))

# %% [markdown]
# That is per recording, and by counting alone. A batch of 16 spectrograms keeps about
# {glue:text}`plain_batch:.1f` GiB in the plain form, and {glue:text}`search_batch:.0f` MiB by search,
# *whatever the size of the input*: the four patches do not grow with it. At the worst moment more is
# needed: the plain layers hold one response before ReLU and a gradient as well, the search the
# patches and scores of one quarter of one recording, which it then forgets.
#
# ## Measured
#
# `bench.layer.compare` runs one training step, forward and backward, of all four paths in both forms,
# in turn, in the same process, and measures time and peak memory. The inputs are random numbers; in half of
# the rows their second half is zero, as in silence. On recordings the search can be quicker or slower, since
# how many positions the bound leaves depends on the input.

# %% tags=["remove-stderr"]
measured = bench.layer.compare(batch=2 if profile == "smoke" else 16, repeats=3, threads=1)
comparisons = pd.DataFrame(measured["comparisons"])

# %% tags=["hide-input"]
shown = comparisons.drop(columns="rivals").assign(
    shape=comparisons["shape"].map(lambda shape: f"{shape[0]} × {shape[1]}"),
    speech=comparisons["speech"].map("{:.0%}".format),
    plain_system=comparisons["plain_system"].map("{:.0%}".format),
)
shown = shown.rename(
    columns={
        "shape": "input",
        "speech": "not silent",
        "plain_ms": "plain (ms)",
        "plain_system": "of it system",
        "search_ms": "search (ms)",
        "times_faster": "times faster",
        "plain_mib": "plain (MiB)",
        "search_mib": "search (MiB)",
        "times_smaller": "times smaller",
    }
)
shown.style.hide().format(precision=1)

# %% tags=["remove-cell"]
glue("slowest", float(comparisons["times_faster"].min()))
glue("quickest", float(comparisons["times_faster"].max()))
glue("least", float(comparisons["times_smaller"].min()))
glue("most", float(comparisons["times_smaller"].max()))
glue("bench_batch", measured["batch"])
glue("system", float(100 * comparisons["plain_system"].max()))

# %% [markdown]
# Milliseconds are per recording, MiB those of the whole batch. By search a step is {glue:text}`slowest:.0f`
# to {glue:text}`quickest:.0f` times as fast, and its peak of memory {glue:text}`least:.0f` to
# {glue:text}`most:.0f` times smaller. **These are measurements of the machine that ran this page**, on one
# thread, with batches of size {glue:text}`bench_batch:d`, and other programs may have been running beside it.
# The ratios are worth more than the milliseconds, since both forms ran in the same minute; but they, too,
# depend on the processor, the number of threads and the batch. In the quick profile, `smoke`
# ({doc}`../book/status` has the one of this page), these are few steps: where a row with silence comes out
# slower, that is noise of the machine. Nothing here says anything about a GPU, whose convolutions are of
# another kind. Measure your own: `.venv/bin/ser bench layer`; with `--device cuda` it also times the plain
# layers in TF32, in bfloat16 and by `torch.compile`, and the bare product of kernels and patches, which no
# search that computes all products in that precision can beat. There nothing was measured for this book, and
# no kernel was written for a GPU alone.
#
# So that there is one set of numbers to come back to, the command's answers are also kept in the records, from
# a moment when nothing else ran, with batches of {glue:text}`kept_batch:d`:

# %% tags=["hide-input"]
study = records.results_folder() / "paper1"
recorded = json.loads((study / "layer.json").read_text())
pd.DataFrame(
    {
        (f"{row['shape'][0]} × {row['shape'][1]}", f"{row['speech']:.0%}", run["threads"]): {
            "plain (ms)": f"{row['plain_ms']:.1f}",
            "of it system": f"{row['plain_system']:.0%}",
            "search (ms)": f"{row['search_ms']:.1f}",
            "times faster": f"{row['times_faster']:.1f}",
            "times smaller": f"{row['times_smaller']:.0f}",
        }
        for run in recorded
        for row in run["comparisons"]
    }
).T.sort_index().rename_axis(["input", "not silent", "threads"])

# %% tags=["remove-cell"]
two, one = (run["comparisons"][0] for run in recorded)
glue("kept_batch", recorded[0]["batch"])
glue("two_threads", two["search_ms"])
glue("one_thread", one["search_ms"])
glue("side_by_side", one["search_ms"] / 2)

# %% [markdown]
# Ratios in a larger batch can be others than the page's own, since the system's share grows with what is kept.
# With two threads an input of a spectrogram's size without silence takes {glue:text}`two_threads:.1f` ms, with
# one {glue:text}`one_thread:.1f` ms. Two trainings of one thread each, side by side, would need
# {glue:text}`side_by_side:.1f` ms for each input if neither slowed the other. How much they do was not
# measured; the study bets on it (`ser study run --jobs 2`).
#
# Not all that is saved is arithmetic. "Of it system" is the share of the plain form's processor time that the
# operating system takes, above all to hand out memory for the responses, cleared, and to take it back: here
# up to {glue:text}`system:.0f` %. The search keeps next to nothing, so it does not pay that. How dear memory
# is differs between systems and their settings, and the ratio with it.
#
# ## What it means for the study
#
# The plan of the study lists its trainings before they are run ({doc}`first-result` shows a small
# one); some were added later and are marked as exploratory. Let us count what
# the layers alone cost in both forms. We take 40 epochs over 400 recordings for a training, about the
# plan's average, the milliseconds that this page measured for inputs without silence, and the folds that the
# protocol gives, ways to divide the speakers into training and test (next chapter): five on EMO-DB, six on
# RAVDESS.

# %%
plan = tomllib.loads((study / "plan.toml").read_text())
folds = {"emodb": 5, "ravdess": 6}
counts = {"mfcc": 0, "log_mel": 0}
for grid in plan["grid"]:
    if grid.get("model", "parallel_cnn") == "parallel_cnn":
        lists = {key: value if isinstance(value, list) else [value] for key, value in grid.items()}
        once = prod(len(values) for key, values in lists.items() if key not in ("corpus", "input"))
        for name in lists["corpus"]:
            for kind in lists["input"]:
                counts[kind] += once * folds[name]

full = comparisons[comparisons["speech"] == 1.0]
rows = {}
for kind, height in (("mfcc", 40), ("log_mel", 128)):
    row = full[full["shape"].map(lambda shape, height=height: shape[0] == height)].iloc[0]
    steps = counts[kind] * 40 * 400
    rows[kind] = {
        "trainings": counts[kind],
        "plain (days)": steps * row.plain_ms / 1000 / 86_400,
        "search (days)": steps * row.search_ms / 1000 / 86_400,
    }
cost = pd.DataFrame(rows).T
cost.loc["sum"] = cost.sum()
cost.style.format("{:.1f}").format("{:,.0f}", subset=["trainings"])

# %% tags=["remove-cell"]
glue("trainings", f"{int(cost.loc['sum', 'trainings']):,}")
for form in ("plain", "search"):
    days = float(cost.loc["sum", f"{form} (days)"])
    glue(f"days_{form}", f"{days:.0f}" if days >= 10 else f"{days:.1g}")

# %% [markdown]
# {glue:text}`trainings` trainings: about {glue:text}`days_plain` days of one core in the plain form, and
# about {glue:text}`days_search` by search, less where there is silence. It is an estimate with round numbers.
# But it decides what kind of study is possible on the computer one has: three seeds of every condition and a
# series of weights, or one run of each model. The statistics of the later chapters are paid for here.
#
# ## And the printed 30 microseconds?
#
# Paper 1's models answered in "around 30 micro-seconds" when "tested in live scenarios", and so, it concludes,
# can be used in real time {cite:p}`tripathi2019` (section 5). It does not say on what, whether for one
# utterance or for each of many, and whether features are included. `.venv/bin/ser bench inference` times one
# and many, with features and without, for our build of the network, with the search and without gradients, the
# fastest of five calls on random input. What it said on a CPU with {glue:text}`answer_threads:d` threads is
# in the records, in microseconds for an utterance of six seconds; in brackets how many times the printed 30
# that is.

# %% tags=["hide-input"]
inference = json.loads((study / "inference.json").read_text())
answered = {}
for timing in inference["rows"]:
    batches = "alone" if timing["batch"] == 1 else f"in batches of {timing['batch']}"
    included = "with features" if timing["features"] else "network only"
    took = timing["microseconds"]
    place = answered.setdefault((INPUTS[timing["input"]], batches), {})
    place[f"{included}, {timing['device']}"] = f"{took:,} ({took / 30:.0f})"
pd.DataFrame(answered).T

# %% tags=["remove-cell"]
alone = [row["microseconds"] for row in inference["rows"] if not row["features"]]
singles = [row["microseconds"] / 1000 for row in inference["rows"] if row["batch"] == 1]
glue("answer_threads", inference["threads"])
glue("quickest_answer", min(singles))
glue("slowest_answer", max(singles))
glue("times_printed", min(alone) / 30)
glue("verdict-inference-time", claims.verdict("inference-time"))

# %% [markdown]
# The quickest of these is {glue:text}`times_printed:.0f` times the printed time. On a GPU nothing was measured,
# and a GPU that answers many utterances at once may be what the paper means; so the
# {ref}`claim <claim-inference-time>` is *{glue:text}`verdict-inference-time`*. One utterance alone took
# {glue:text}`quickest_answer:.0f` to {glue:text}`slowest_answer:.0f` milliseconds, far less than the six seconds
# that it lasts. Whether that is real time depends on the delay that one allows, of which the paper says
# nothing.
#
# ## What can go wrong
#
# **Searching in another precision without asking again.** Half precision makes the search faster on
# some hardware, and finds the wrong one of two close positions more often. The value is then
# *exact*, for a position that is not quite the maximum. Bound the error and ask the rest, as above;
# or at least compute the winners in full precision and count how often they change.
#
# **Reading the input's gradient as a map.** The layer gives it, the same as the plain layers: a sum of
# kernels at the winners' patches. Inside the speech these overlap nearly everywhere; in the
# padding it is zero but for a few columns, at its beginning and where a quarter begins: there stand the
# winners that silence has. Where it is large says where winners stand, not what was heard.
#
# **Mean-pooling.** The trick rests on the maximum. An average over a quarter gives every position a
# gradient, and there is nothing to search.
#
# **A benchmark of one side.** Time both forms in one process, in turn, after a warm-up, and take the
# same batch. Two runs an hour apart compare two states of the machine.
#
# **A test on random numbers only.** Random inputs have no ties. Real ones are full of them: padding,
# silence, features cut off at a floor. The tests include inputs with equal columns for that reason.
#
# ## Exercises
#
# ```{exercise-start} ★ Positions
# :label: exercise-positions
# ```
# How many positions has a response of the kernel 10 × 12 on an input of 128 × 188? How many of them
# does a quarter look at, and how many does the pooling drop altogether?
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-positions
# :label: solution-positions
# :class: dropdown
# ```
# The response has $119 \times 177 = 21{,}063$ positions. A quarter is $59 \times 88 = 5{,}192$; four
# of them are 20,768, so one row and one column, 295 positions, are never looked at.

# %%
rows_, columns_ = 128 - 10 + 1, 188 - 12 + 1
quarter = (rows_ // 2) * (columns_ // 2)
print(rows_ * columns_, quarter, rows_ * columns_ - 4 * quarter)

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} ★★ Why the bias can wait
# :label: exercise-bias
# ```
# The search leaves out bias and ReLU. Show by an example that the winner may differ from that of the
# rectified response, and why the layer is right all the same.
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-bias
# :label: solution-bias
# :class: dropdown
# ```
# The bias adds the same to every position and changes no order. ReLU changes it only if the largest
# response of the quarter is not positive: then all are zero after it and tie, and PyTorch takes the
# first, the search the largest. Both have value zero, and ReLU lets no gradient pass. So outputs and
# gradients are equal although the winners are not. Below, three positions have negative responses: first as
# they are, for output and gradient; then repeated to four such quarters, for the winners:

# %%
negative = ConvReLUMaxPool2d(1, (1, 1), output_size=(1, 1))
with torch.no_grad():
    negative.weight.fill_(1)
    negative.bias.fill_(-5)
image = torch.tensor([[1.0, 2.0, 3.0]])
found = search_and_compute(image.repeat(2, 2), negative.weight[:, 0], negative.bias)[1]
output = negative(image[None])
output.sum().backward()
print("output", output.item(), "gradient", negative.weight.grad.item())
print("winners of the search", found.tolist())
rectified = F.conv2d(image.repeat(2, 2)[None, None], torch.ones(1, 1, 1, 1), torch.tensor([-5.0]))
index = F.max_pool2d(rectified.relu(), (1, 3), return_indices=True)[1]
print("winners after ReLU   ", index.flatten().tolist())

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} ★★ Other poolings
# :label: exercise-cells
# ```
# The layer takes any `output_size`. By how much does the memory that the search keeps grow from
# 2 × 2 to 8 × 8 cells, for the kernel 10 × 12 and the larger input? From how many cells on would it
# keep more than the plain layers?
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-cells
# :label: solution-cells
# :class: dropdown
# ```
# Each cell keeps one patch of 120 numbers and a result, so 8 × 8 keeps sixteen times as much as
# 2 × 2. The plain layers keep one number per position, 21,063 for a kernel, which is as much as 174
# cells keep. So 13 × 13 = 169 cells still keep less, 14 × 14 = 196 more.

# %%
per_cell, per_filter = prod((10, 12)) + 1, rows_ * columns_
print(f"8 x 8: {64 / 4:.0f} times as much; equal at {per_filter / per_cell:.0f} cells")

# %% [markdown]
# The usual pooling of 2 × 2 *windows* leaves a quarter of all positions, thousands of cells, and for
# it the plain layers are right. It is the paper's unusual pooling that makes the search worth while.
#
# ```{solution-end}
# ```
#
# ```{exercise-start} ★★★ Search in half precision
# :label: exercise-half-precision
# ```
# Round patches and kernels to bfloat16 for the search only, and compute the winners in full precision.
# On one recording: how many winners change, and how large is the largest loss of a response? Count
# changes of place only where the value changes, too.
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-half-precision
# :label: solution-half-precision
# :class: dropdown
# ```

# %%
torch.manual_seed(0)
layer = ConvReLUMaxPool2d(200, KERNEL_SIZES[0])
image = batch[0]
with torch.no_grad():
    weight = layer.weight[:, 0]
    exact, _ = search_and_compute(image, weight, layer.bias)
    coarse = (values.bfloat16().float() for values in (image, weight))
    _, index = search_and_compute(*coarse, layer.bias)
    patches = F.unfold(image[None, None], KERNEL_SIZES[0])[0]
    again = torch.einsum("fk,kfc->fc", weight.flatten(1), patches[:, index])
    again = (again + layer.bias[:, None]).relu()
lost = exact - again
print(f"changed {(lost > 1e-6).float().mean():.1%}, largest loss {lost.max():.4f}")
print(f"largest response {exact.max():.2f}")

# %% [markdown]
# Few of the responses change, and those lose little: a winner that is overtaken was hardly ahead. The
# gradient then belongs to another patch, but to one on which the kernel responds nearly as strongly.
# Whether training minds is a question for an experiment, not for an argument.
#
# ```{solution-end}
# ```
#
# ## Summary
#
# - After a max-pooling to 2 × 2 only four positions per kernel carry a gradient. So search without
#   a graph, then compute the winners with one.
# - Values and gradients are those of the plain layers, up to rounding; among equal positions the
#   first wins, and near ties are decided by rounding, here as everywhere.
# - What is kept for the backward pass no longer grows with positions × kernels. The peak adds the
#   scores of one quarter of one recording. Silence is skipped exactly.
# - A rough search with a bound on its error, and an exact decision among the few that the bound
#   leaves, is quick and not wrong.
# - On the machine that ran this page a step was {glue:text}`slowest:.0f` to
#   {glue:text}`quickest:.0f` times as fast. That pays for seeds and sweeps.
#
# Next: {doc}`first-result`.
#
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
