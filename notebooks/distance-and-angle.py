# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Distance and angle by hand
#
# ```{admonition} After this chapter you can …
# :class: tip
# - compute the distance and the angle of two vectors, and say what each of them ignores;
# - turn one into the other for unit vectors, by $d^2 = 2 (1 - \cos \theta)$;
# - say what a mean direction is, when it does not exist, and why there are two kinds of it;
# - say why 90° means "nothing in common" among many dimensions, and why noise pulls every angle
#   towards it;
# - name the one thing that changes all angles and no distance.
# ```
#
# **You need** vectors from school and {doc}`hear-and-see`. Paper 2 {cite:p}`kumar2020` compares
# emotions by the angles between vectors; this page is what it takes for granted.

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
from IPython.display import display

from ser_lib import audio, corpora, features, plots
from ser_lib.angles import angle_matrix, class_directions
from ser_lib.book import glue, player

RATE = 16_000
speech = corpora.load(corpus).select(emotions=["anger", "sadness"])

# %% [markdown]
# ## Listen: which two are alike?
#
# Three recordings of one voice and one sentence: angry, sad, and the angry one again at a quarter of
# its amplitude. Which two would you call alike? Write your answer down.

# %% tags=["hide-input"]
both = speech.table().groupby(["speaker", "sentence"]).emotion.nunique()
choice = both.idxmax()
recordings = {
    u.emotion: audio.load_audio(speech.file(u), RATE)
    for u in speech.utterances
    if (u.speaker, u.sentence) == choice
}
signals = {
    "anger": recordings["anger"],
    "sadness": recordings["sadness"],
    "quiet anger": recordings["anger"] / 4,
}
for label, signal in signals.items():
    display(player(signal, RATE, label.capitalize(), choice[1]))

# %% [markdown]
# The two angry ones are the same recording, as if from farther away. A machine answers what its
# measure tells it. Let us describe each recording by a vector: its mean amplitude in each of the 128
# mel bands of {doc}`hear-and-see`.


# %%
def spectrum(signal):
    """Mean amplitude in each mel band: 128 numbers, none below zero."""
    return (10 ** (features.log_mel(signal, RATE).astype(float) / 20)).mean(axis=1)


vectors = {label: spectrum(signal) for label, signal in signals.items()}


# %%
def length(v):
    return np.sqrt((v * v).sum())


def distance(v, w):
    return length(v - w)


def angle(v, w):
    """In degrees."""
    cosine = (v * w).sum() / (length(v) * length(w))
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))  # rounding may lead beyond 1


# %% tags=["hide-input"]
pairs = [("anger", "quiet anger"), ("sadness", "quiet anger"), ("anger", "sadness")]
table = pd.DataFrame(
    {
        f"{a}, {b}": {
            "distance": f"{distance(vectors[a], vectors[b]):.2f}",
            "angle": f"{angle(vectors[a], vectors[b]):.1f}°",
        }
        for a, b in pairs
    }
).T
table

# %% tags=["remove-cell"]
nearer = min(
    ("anger", "sadness"), key=lambda other: distance(vectors["quiet anger"], vectors[other])
)
glue("nearer_by_distance", nearer)
glue("angle_of_two", angle(vectors["anger"], vectors["sadness"]))
glue("ratio_of_lengths", length(vectors["anger"]) / length(vectors["quiet anger"]))

# %% [markdown]
# Measured by distance, the quiet anger is nearer to {glue:text}`nearer_by_distance`. Measured by
# angle, it is exactly where the loud one is. **The distance sees loudness and timbre in one number;
# the angle sees the proportions only.** Neither is right by itself: loudness tells much about an
# emotion, and much about the place of the microphone.
#
# ## Look: any two vectors lie in a plane
#
# 128 dimensions cannot be drawn. But two vectors, however many numbers they have, always lie in one
# plane, and so does everything along them. Take the direction of the first as one axis, and what is
# left of the second after taking away its part along the first as the other. The figure shows our
# three recordings without any loss; look at the lengths, then at the angle.

# %%
along = vectors["anger"] / length(vectors["anger"])
rest = vectors["sadness"] - (vectors["sadness"] * along).sum() * along
across = rest / length(rest)
drawn = {label: ((v * along).sum(), (v * across).sum()) for label, v in vectors.items()}

# %% tags=["hide-input"] mystnb={"image": {"alt": "Three arrows from one origin. Anger and quiet anger point in the same direction along the horizontal axis, quiet anger being a quarter as long. Sadness points in another direction."}, "figure": {"caption": "Three recordings as vectors of 128 numbers, drawn exactly, in the plane that they lie in.", "name": "fig-three-recordings"}}
plots.angles.arrows(
    drawn,
    ["anger", "sadness", "anger"],
    labels=("along anger", "across"),
)

# %% [markdown]
# The angry vector is {glue:text}`ratio_of_lengths:.1f` times as long as the quiet one, and points
# the same way. Between anger and sadness there are {glue:text}`angle_of_two:.0f` degrees. A network
# does the same with numbers that it has learnt: an {term}`embedding` is a vector, too.
#
# ## From scratch: dot product, cosine, angle
#
# ```{prf:definition} Dot product, length, cosine, angle
# :label: def-angle
#
# For two vectors $v, w$ of $D$ numbers
#
# $$
# \begin{aligned}
# v \cdot w &= \sum_{d=1}^{D} v_d w_d, \\
# \lVert v \rVert &= \sqrt{v \cdot v}, \\
# \cos \theta &= \frac{v \cdot w}{\lVert v \rVert \, \lVert w \rVert},
# \quad 0° \le \theta \le 180° .
# \end{aligned}
# $$
#
# The **cosine** is between −1 and 1, and is not defined if one of the vectors is zero.
# ```
#
# By hand, with $v = (4, 3)$ and $w = (0, 2)$: the dot product is $4 \cdot 0 + 3 \cdot 2 = 6$, the
# lengths are 5 and 2, so $\cos \theta = 6/10$ and $\theta = 53.13°$. The distance is
# $\lVert (4, 1) \rVert = \sqrt{17} = 4.12$. With $3 w = (0, 6)$ the angle is the same and the distance
# a different one, $\lVert (4, -3) \rVert = 5$.

# %%
v, w = np.array([4.0, 3.0]), np.array([0.0, 2.0])
for factor in (1, 3):
    print(f"{factor} w: angle {angle(v, factor * w):.2f}°, distance {distance(v, factor * w):.2f}")

# %% [markdown]
# Three angles to remember: 0° is the same direction, 180° the opposite one, and 90° (dot product
# zero) means that neither says anything about the other.
#
# ## Unit vectors: where distance and angle agree
#
# A **unit vector** has length 1; each vector but zero becomes one when divided by its length. All
# unit vectors of the plane lie on a circle, those of space on a sphere, and those of more dimensions
# on a hypersphere. (Paper 2 maps its embeddings "onto a hyperplane"; as it takes the cosine, we read
# that as this sphere.) In the figure three vectors have been brought to length 1. The dashed chords
# are their distances.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Circle of radius one with three arrows from its middle to its rim: anger at thirty degrees, happiness at fifty-five, sadness at a hundred and fifty. Dashed chords join anger with happiness, a short one, and anger with sadness, a long one."}, "figure": {"caption": "Three unit vectors: the larger the angle, the longer the chord.", "name": "fig-unit-vectors"}}
turns = {"anger": 30, "happiness": 55, "sadness": 150}
on_circle = {
    name: (np.cos(np.radians(turn)), np.sin(np.radians(turn))) for name, turn in turns.items()
}
plots.angles.arrows(
    on_circle,
    list(turns),
    chords=[("anger", "happiness"), ("anger", "sadness")],
    circle=True,
)

# %% [markdown]
# One tells the other: for unit vectors $u$ and $v$
#
# $$
# \begin{aligned}
# d^2 = \lVert u - v \rVert^2 &= u \cdot u - 2\, u \cdot v + v \cdot v \\
# &= 2 (1 - \cos \theta) .
# \end{aligned}
# $$ (eq-chord)

# %%
corners = np.array(list(on_circle.values()))
for j, k in ((0, 1), (0, 2)):
    d, theta = distance(corners[j], corners[k]), angle(corners[j], corners[k])
    print(
        f"angle {theta:.0f}°: d² = {d**2:.6f}, 2 (1 - cos) = {2 - 2 * np.cos(np.radians(theta)):.6f}"
    )

# %% [markdown]
# Three things follow. *Nearest* by distance among unit vectors is the same as *smallest angle* or
# *largest cosine*: one may compute whichever is cheapest, and that is the cosine, since it is a plain
# product. A loss on squared distances of unit vectors is, up to a factor of two, a loss on cosines
# ({doc}`the triplet loss </notebooks/triplet-loss>` comes in both forms). And the chord is a way to
# the angle, as half of it is the sine of half the angle.
#
# ### Why not simply arccos?
#
# Near $\theta = 0$ the cosine is flat: it differs from 1 by $\theta^2 / 2$ only. A computer's number
# has sixteen digits, so of an angle of a hundred-millionth of a radian the cosine retains
# nothing. The chord has all its digits there, and its counterpart $\lVert u + v \rVert$ near
# 180°. The library takes both {cite:p}`kahan2006`:
#
# $$
# \theta = 2 \, \mathrm{arctan2} \left( \lVert u - v \rVert, \lVert u + v \rVert \right) .
# $$ (eq-half-chord)

# %%
start = np.array([1.0, 0.0])
for tiny in (1e-3, 1e-6, 1e-9):
    other = np.array([np.cos(tiny), np.sin(tiny)])
    chord = 2 * np.arctan2(length(start - other), length(start + other))
    by_cosine = np.arccos(min(1.0, (start * other).sum()))
    print(f"angle {tiny:.0e} rad: arccos {by_cosine:.9e}, half-chord form {chord:.9e}")

# %% [markdown]
# ## The mean of directions
#
# What direction does a *class* have? Take the mean of its vectors, and see where it points. Two kinds
# of mean are in use:
#
# ```{prf:definition} Mean direction
# :label: def-mean-direction
#
# Of vectors $z_1, \dots, z_n$, the direction of the mean is $m / \lVert m \rVert$ with
#
# $$
# m = \frac1n \sum_{i=1}^{n} z_i
# $$
#
# or, of the unit vectors,
#
# $$
# m = \frac1n \sum_{i=1}^{n} \frac{z_i}{\lVert z_i \rVert} .
# $$
#
# Of unit vectors, the length $R = \lVert m \rVert$ is the **mean resultant length**: 1 if all point
# the same way, near 0 if they point everywhere {cite:p}`mardia2000`.
# ```
#
# The first lets a long vector count for more; the second counts directions alike. In the figure one
# vector is much longer than the other two; see which mean follows it.

# %%
three = np.array([[4.0, -1.5], [0.3, 1.6], [-0.8, 1.5]])
three_units = three / np.linalg.norm(three, axis=1, keepdims=True)
mean = three.mean(axis=0)
mean_of_units = three_units.mean(axis=0)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Five arrows from one origin. Three dark ones are the vectors: one long to the right and down, two shorter ones upwards. The mean of the vectors points to the right and a little up, turned towards the long one; the mean of the unit vectors points up and to the right, between them."}, "figure": {"caption": "Three vectors, the mean of the vectors, and the mean of their unit vectors.", "name": "fig-two-means"}}
plots.angles.arrows(
    {
        "first": three[0],
        "second": three[1],
        "third": three[2],
        "mean": mean,
        "unit mean": mean_of_units,
    },
    ["neutral", "neutral", "neutral", "disgust", "fear"],
)

# %%
print(f"mean of vectors:      {np.degrees(np.arctan2(mean[1], mean[0])):5.1f}°")
print(f"mean of unit vectors: {np.degrees(np.arctan2(mean_of_units[1], mean_of_units[0])):5.1f}°")
print(f"mean resultant length {length(mean_of_units):.2f}")

# %% [markdown]
# The mean follows the long vector; the mean of unit vectors takes the side of the majority. Which is
# better depends on what length means. If a network gives longer vectors where it is surer, the first
# listens to the sure ones. Sometimes there is no mean direction at all: $(1, 0)$ and $(-1, 0)$ cancel
# out. The library refuses then, instead of returning the direction of a rounding error.
#
# Why is it the *mean* that is right? The sum of the cosines of a direction $u$ with all $n$ unit
# vectors is $u \cdot \sum_i z_i / \lVert z_i \rVert = n\, u \cdot m$, which is largest if $u$ points
# along $m$. So the mean direction *of the unit vectors* is the one that is most alike to all of them; the plain
# mean weighs each cosine by the vector's length.
#
# ## Many dimensions: everything is at right angles
#
# In the plane two random directions make any angle with equal chance. What about 200 dimensions, the
# length of paper 2's embedding? Guess before you look at the figure.

# %%
rng = np.random.default_rng(0)
at_random = {}
for dim in (2, 3, 20, 200):
    first, second = (rng.normal(size=(20_000, dim)) for _ in range(2))
    cosine = (first * second).sum(1)
    cosine /= np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    at_random[f"{dim} dimensions"] = np.degrees(np.arccos(cosine.clip(-1, 1)))

# %% tags=["hide-input"] mystnb={"image": {"alt": "Four histograms of the angle between random directions. With 2 dimensions it is flat from 0 to 180 degrees, with 3 a broad hill, with 20 a narrow hill around 90, with 200 a sharp peak at 90."}, "figure": {"caption": "Angles between 20,000 pairs of random directions.", "name": "fig-random-angles"}}
plots.angles.angle_histogram(at_random, xlabel="angle between two random directions (degrees)")

# %% tags=["remove-cell"]
for dim in (3, 200):
    glue(f"spread_{dim}", float(at_random[f"{dim} dimensions"].std()))
glue("predicted_200", float(np.degrees(1 / np.sqrt(200))))

# %% [markdown]
# With 200 dimensions the angles are all near 90°: their standard deviation is
# {glue:text}`spread_200:.2f`°, where with 3 it was {glue:text}`spread_3:.1f`°. The reason is the law of
# large numbers: the dot product is a sum of $D$ terms with random signs, which mostly cancel. The
# cosine has the standard deviation $1/\sqrt{D}$, and near 90° that is an angle of $1/\sqrt{D}$
# radians: $1/\sqrt{200}$ is {glue:text}`predicted_200:.2f`°.
#
# So among many dimensions 90° is not "quite different"; it is what unrelated things have. There is room for
# eight emotions at right angles to each other, and for 192 more; for several times as many if *nearly* at
# right angles is enough ({ref}`exercise-room`). An angle of 60° is then a strong likeness, and one of 120°
# a strong opposition. But that holds for directions that are spread evenly over all dimensions. What a
# network that was trained on $K$ classes gives fills hardly more than $K - 1$ of them; there 60° may be
# chance.
#
# ### Noise pulls angles towards 90°
#
# The same fact has a trap in it. An embedding is signal and noise, and the noise of two utterances is
# nearly at right angles to the signal and to each other. Take two classes whose true directions, of
# length 1, make an angle of $\theta$, and add noise with a standard deviation of $\sigma$ in each of
# 200 dimensions. Then average $n$ such vectors of each class. In the dot product of the two means the
# noise mostly cancels; but it makes both means longer, each by the factor $\sqrt{1 + \sigma^2 D / n}$.
# So the measured cosine is too near zero:
#
# $$
# \cos \hat\theta \approx \frac{\cos \theta}{1 + \sigma^2 D / n} .
# $$ (eq-noise)
#
# Which way do 60° and 120° go?

# %%
sigma, dim = 0.3, 200
true = (0, 60, 120)
rows = {}
for n in (1, 10, 100, 1_000):
    noise = rng.normal(0, sigma / np.sqrt(n), (2, 500, dim))
    first = np.eye(dim)[0] + noise[0]
    row = {}
    for theta in true:
        second = noise[1] + np.cos(np.radians(theta)) * np.eye(dim)[0]
        second += np.sin(np.radians(theta)) * np.eye(dim)[1]
        cosine = (first * second).sum(1)
        cosine /= np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
        formula = np.cos(np.radians(theta)) / (1 + sigma**2 * dim / n)
        row[f"of {theta}°"] = np.degrees(np.arccos(cosine)).mean()
        row[f"of {theta}°, by formula"] = np.degrees(np.arccos(formula))
    rows[n] = row
noisy = pd.DataFrame(rows).T.rename_axis("utterances")
noisy.style.format("{:.0f}°")

# %% tags=["remove-cell"]
for theta in true:
    glue(f"noisy_{theta}", float(noisy.loc[10, f"of {theta}°"]))

# %% [markdown]
# With 10 utterances of each class, 60° is measured as {glue:text}`noisy_60:.0f`°, 120° as
# {glue:text}`noisy_120:.0f`°, and two classes with *the same* true direction appear
# {glue:text}`noisy_0:.0f`° apart. **Noise pulls every angle towards 90°: acute ones open, obtuse ones
# close, the more so the fewer utterances there are.** An interval has to take that back; see
# {doc}`angles`.
#
# ## The library's line
#
# `ser_lib.angles` has all this with its checks: it takes tensors, arrays or lists, computes in double
# precision, and where there is no answer it says so.

# %%
print(angle_matrix(list(vectors.values())).round(decimals=1))
try:
    class_directions([[1.0, 0.0], [-1.0, 0.0]], [0, 0], 1)
except ValueError as error:
    print(error)

# %% [markdown]
# ## What can go wrong
#
# **The origin.** An angle is measured *at the origin*. Add the same vector to all embeddings: no
# distance changes, and all angles do ({ref}`exercise-origin`). A network without a reason to be
# centred at zero gives angles that mean little; one with a ReLU at its end has no embedding with a
# negative number, so that no angle can be larger than 90°.
#
# **The zero vector** has no direction. A network whose last layer is a ReLU can produce it.
#
# **"Cosine distance".** $1 - \cos \theta$ is often called a distance. It is none: the way via a third
# point can be shorter ({ref}`exercise-no-distance`). The angle and the chord are.
#
# **Degrees are not steps of likeness.** The cosine changes slowly near 0° and quickly near 90°. "Twice
# the angle" is a statement about degrees, not about emotions.
#
# **Comparing angles of different dimensions.** 80° is nothing much among 3 dimensions and rare by
# chance among 200.
#
# ## Exercises
#
# ```{exercise-start} ★ Two vectors by hand
# :label: exercise-two-vectors
# ```
# Compute the cosine, the angle and the distance of $(3, 4)$ and $(4, 3)$, and check {eq}`eq-chord` with
# their unit vectors.
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-two-vectors
# :label: solution-two-vectors
# :class: dropdown
# ```
# The dot product is 24 and both lengths are 5, so $\cos \theta = 24/25 = 0.96$ and $\theta = 16.26°$.
# The distance is $\sqrt 2$. The unit vectors are $(0.6, 0.8)$ and $(0.8, 0.6)$ with $d^2 = 0.04 + 0.04 =
# 0.08 = 2 (1 - 0.96)$.

# %%
a, b = np.array([3.0, 4.0]), np.array([4.0, 3.0])
print(f"{angle(a, b):.2f}°, {distance(a, b):.4f}, {distance(a / 5, b / 5) ** 2:.4f}")

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} ★★ No distance
# :label: exercise-no-distance
# ```
# Find three directions in the plane for which $1 - \cos \theta$ from the first to the third is larger
# than the sum of the two steps by way of the second. Does that happen with the angle? With the chord?
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-no-distance
# :label: solution-no-distance
# :class: dropdown
# ```
# Directions at 0°, 45° and 90°: the whole is $1 - \cos 90° = 1$, the two parts are $1 - \cos 45°$
# each, together less. Since $1 - \cos \theta = d^2/2$, it grows like a square, and squares of parts
# are less than the square of the whole. The angles add up to exactly 90°, and the chords to more
# than the whole chord, as the way around a corner should.

# %%
corner = [np.array([np.cos(t), np.sin(t)]) for t in np.radians([0, 45, 90])]
for name, measure in (
    ("1 - cos", lambda p, q: 1 - (p * q).sum()),
    ("angle", angle),
    ("chord", distance),
):
    whole = measure(corner[0], corner[2])
    parts = measure(corner[0], corner[1]) + measure(corner[1], corner[2])
    print(f"{name:8} whole {whole:6.3f}, via the second {parts:6.3f}")

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} ★★ Another origin
# :label: exercise-origin
# ```
# Take the spectra of the three recordings and subtract from each their mean. What has become of
# the distances, and what of the angles? Is the quiet anger still like the loud one?
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-origin
# :label: solution-origin
# :class: dropdown
# ```

# %%
names = list(vectors)
moved = np.stack(list(vectors.values()))
moved = moved - moved.mean(axis=0)
for j, k in ((0, 2), (1, 2), (0, 1)):
    before, after = (
        f"{distance(p, q):.2f} and {angle(p, q):.1f}°"
        for p, q in ((vectors[names[j]], vectors[names[k]]), (moved[j], moved[k]))
    )
    print(f"{names[j]}, {names[k]}: {before}; moved: {after}")

# %% [markdown]
# The distances are the same to the last digit, the angles are not. Silence was the origin of the
# spectra, and it is a good one: from there, the same recording at another loudness is the same
# direction. From the mean of three arbitrary recordings it is not. Whoever centres embeddings before
# measuring angles, as many programs do, has chosen a new origin.
#
# ```{solution-end}
# ```
#
# ```{exercise-start} ★★★ How many directions have room?
# :label: exercise-room
# ```
# At most $D$ directions can be at right angles to each other in $D$ dimensions. How many random
# directions can you draw in 200 dimensions before the first pair makes less than 72°? Compare with a
# formula: the cosine is nearly normal with the standard deviation $1/\sqrt{D}\,.$
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-room
# :label: solution-room
# :class: dropdown
# ```
# $\cos 72° = 0.309$ is $0.309 \sqrt{200} = 4.4$ standard deviations. A normal variable exceeds that
# with a chance of about $p = 6 \cdot 10^{-6}$. Among $n$ directions there are $n (n - 1)/2$ pairs, so one
# pair is to be expected when $n^2 / 2 \approx 1/p$: at about 570.

# %%
firsts = []
for _ in range(11):
    many = rng.normal(size=(2_000, 200)).astype(np.float32)
    many /= np.linalg.norm(many, axis=1, keepdims=True)
    near = np.triu(many @ many.T, 1).max(axis=0) > np.cos(np.radians(72))
    firsts.append(int(near.argmax()) + 1 if near.any() else 2_000)
print(f"the first pair below 72° came with direction number {sorted(firsts)}")

# %% [markdown]
# Several times as many directions as dimensions, all nearly at right angles. (Where *one* pair is expected,
# the first has come in 63 of 100 drawings. But the exact tail of the cosine is thinner than the normal one:
# one pair is expected at about 700, and half of the firsts come before 590. The numbers vary widely.)
#
# ```{solution-end}
# ```
#
# ## Summary
#
# - The distance sees length and direction, the angle only direction: a recording at another loudness
#   has another distance and the same angle.
# - For unit vectors $d^2 = 2 (1 - \cos \theta)$, so nearest is smallest angle.
# - Small angles are computed from the chord, not by arccos.
# - The mean direction of unit vectors is the one most alike to all; of vectors and of unit vectors it
#   differs, and it need not exist.
# - Among many dimensions, evenly used, unrelated means 90°, and noise pulls every angle towards it.
# - Angles depend on the origin.
#
# Next: {doc}`triplet-loss`, which shapes distances; {doc}`angles` shows what becomes of them.
#
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
