# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Hear the emotions, then see them
#
# ```{admonition} After this chapter you can …
# :class: tip
# - name the audible cues that set angry, happy, sad and neutral speech apart;
# - compute a log-mel spectrogram and MFCC in a few lines of NumPy, and say what each step throws
#   away;
# - predict the shape of a feature array from the length of a recording;
# - spot three ways in which features betray what they should not: a moving decibel reference, a
#   scaling fitted on the test data, and padding.
# ```
#
# **You need** to know what an array is. The fast Fourier transform is used as a black box that says
# how strong each frequency is.

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

import librosa
import numpy as np
import pandas as pd
from IPython.display import display

from ser_lib import audio, corpora, features, plots, splits
from ser_lib.book import glue, player
from ser_lib.corpora.base import PAPER_EMOTIONS

warnings.filterwarnings("ignore", message="IProgress not found")
RATE = 16_000
speech = corpora.load(corpus)
emotions = sorted(set(PAPER_EMOTIONS) & set(speech.emotions)) or list(speech.emotions)
speech = speech.select(emotions=emotions)

# %% tags=["remove-cell"]
glue("corpus_name", speech.name)


# %% [markdown]
# ## Listen
#
# One voice, one sentence, one recording for each emotion. Listen twice. The first time attend to
# the *pace* and the *loudness*; the second time to the *pitch*: how high is the voice, and how far
# does it move up and down?


# %% tags=["hide-input"]
def same_words(speech):
    """Recordings of one voice and one sentence, in as many emotions as can be found."""
    spoken = speech.table().groupby(["speaker", "sentence"]).emotion.nunique()
    choice = spoken.idxmax()
    return {u.emotion: u for u in speech.utterances if (u.speaker, u.sentence) == choice}


recordings = dict(sorted(same_words(speech).items()))
signals = {
    emotion: audio.load_audio(speech.file(utterance), RATE)
    for emotion, utterance in recordings.items()
}
for emotion, signal in signals.items():
    display(player(signal, RATE, emotion.capitalize(), recordings[emotion].sentence or "(unknown)"))

# %% [markdown]
# The corpus on this page is **{glue:text}`corpus_name`**; the one called `builtin` is synthetic
# speech, and its cues were put there on purpose. They follow what was measured in acted speech of
# people {cite:p}`murray1993,banse1996,juslin2003`: anger and happiness are fast, loud, high and
# lively; sadness is slow, soft, low and flat; neutral speech lies between. The cues are averages.
# Speakers differ, and the distributions overlap.
#
# Simple numbers can already be read off the recordings. Pitch is estimated by librosa's implementation
# {cite:p}`mcfee2015` of the YIN method {cite:p}`cheveigne2002`; loudness is the root mean square of the
# samples, in decibels relative to the largest possible value.

# %% tags=["hide-input"]
rows = []
for emotion, signal in signals.items():
    pitch = librosa.yin(signal, fmin=65, fmax=500, sr=RATE, frame_length=2048, hop_length=512)
    level = librosa.feature.rms(y=signal, frame_length=2048, hop_length=512)[0]
    voiced = pitch[: len(level)][level > 0.3 * level.max()]
    rows.append(
        {
            "emotion": emotion,
            "seconds": len(signal) / RATE,
            "loudness (dB)": float(20 * np.log10(np.sqrt(np.mean(signal**2)))),
            "median pitch (Hz)": np.median(voiced),
            "pitch range, middle 80 % (Hz)": np.percentile(voiced, 90) - np.percentile(voiced, 10),
        }
    )
pd.DataFrame(rows).set_index("emotion").rename_axis(None).round(1)

# %% [markdown]
# Compare the table with your notes. One sentence by one voice is an anecdote: another voice would
# give other numbers, and pitch trackers err by an octave now and then.
#
# ## Look
#
# Now see the same recordings. In the next figure each row is an emotion, and the three columns show
# the same sound in three ways. Time runs to the right. In the middle column low frequencies are at the
# bottom and bright is strong; in the right column red is positive and blue negative. Look down a
# column: which emotion is the loudest, which the longest,
# and where do the bright horizontal stripes move most?

# %% tags=["hide-input"] mystnb={"image": {"alt": "Grid of pictures with one row per emotion and three columns: the waveform, the log-mel spectrogram and the MFCC of one sentence spoken by one voice. All rows share their scales."}, "figure": {"caption": "One sentence by one voice in each emotion: waveform, log-mel spectrogram, MFCC. All rows share the same scales.", "name": "fig-side-by-side"}}
plots.speech.side_by_side(
    signals,
    RATE,
    {emotion: features.log_mel(signal, RATE) for emotion, signal in signals.items()},
    {emotion: features.mfcc(signal, RATE) for emotion, signal in signals.items()},
)

# %% [markdown]
# The waveform shows loudness and pauses, and little else. In the spectrogram each stripe is a harmonic of the
# voice, a whole multiple of its pitch: stripes far apart mean a high pitch, bending stripes a moving one. The
# MFCC column is hard to read for people. It holds a compressed description of the same picture. If you see a
# faint band among its upper coefficients, that is the pitch again: evenly spaced stripes leave a ripple, and
# the higher the voice, the wider the ripple and the lower the band. The rest of this chapter builds both
# pictures from the waveform, one step at a time.
#
# ## From air to numbers
#
# ```{prf:definition} Waveform and sampling rate
# :label: def-waveform
#
# A **waveform** is a sequence of samples $x_0, x_1, \dots$, the air pressure measured at equal
# steps in time. The **sampling rate** is the number of samples per second, in hertz (Hz). At a
# rate of $r$, $n$ samples last $n / r$ seconds, and only frequencies below $r / 2$ can be
# represented.
# ```
#
# The corpora of the two papers come at different rates; paper 1 works at 16 kHz, so
# `audio.load_audio` converts every file to the rate it is asked for and refuses files that are
# silent or damaged.

# %%
emotion = max(signals)
signal = signals[emotion]
print(f"{emotion}: {len(signal):,} samples = {len(signal) / RATE:.2f} s")

# %% [markdown]
# ## The spectrogram from scratch
#
# Speech changes all the time, but over two or three hundredths of a second it nearly stands still. So
# the signal is cut into short overlapping *frames*, each is faded in and out by a bell-shaped
# *window*, and the Fourier transform tells how strong each frequency is in it. Paper 1 uses frames
# of 2,048 samples, one every 512 samples, and a Hann window (its section 2.2). At 16 kHz such a
# frame lasts 128 ms, longer than speech stands still: fine in pitch, blurred in time.

# %%
LENGTH, HOP = 2048, 512
window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(LENGTH) / LENGTH)
padded = np.pad(signal, LENGTH // 2)  # centres the first frame on the first sample
starts = HOP * np.arange(1 + len(signal) // HOP)
frames = np.stack([padded[start : start + LENGTH] * window for start in starts])
power = np.abs(np.fft.rfft(frames)) ** 2
print(f"frames x frequencies: {power.shape}, {RATE / LENGTH:.2f} Hz apart")

# %% [markdown]
# Each row of `power` is one moment. (Paper 1 speaks of "spectrogram magnitudes", the root of these; we
# take powers, see {doc}`open-choices`.) What was thrown away is the *phase*: where in its swing each
# frequency stood. It matters little for how a voice sounds in a single ear.
#
# ## The mel scale
#
# A step from 200 to 300 Hz is a large musical interval; a step from 5,000 to 5,100 Hz is a third of
# a semitone. The mel scale counts frequency in steps that sound about equal.
#
# ```{prf:definition} Mel scale (Slaney's form)
# :label: def-mel
#
# $$
# \begin{aligned}
# m(f) &= \frac{3 f}{200} , \\
# m(f) &= 15 + 27 \, \frac{\ln(f / 1000)}{\ln 6.4} ,
# \end{aligned}
# $$
#
# the first for $f < 1000$ and the second for $f \ge 1000$, with $f$ in Hz: a straight line below
# 1,000 Hz, a logarithm above.
# ```
#
# It is librosa's default, after {cite:t}`slaney1998`. Other books use $2595 \log_{10}(1 + f/700)$, which
# puts 1,000 at 1,000 Hz. The unit does not matter here, the bend does.
#
# A *mel filter* collects the power in a triangle of neighbouring frequencies. The triangles'
# corners are equally spaced in mel, so that they grow wider towards high frequencies. Each is
# divided by its width, so that a wide one does not win by being wide.


# %%
def to_mel(hertz):
    hertz = np.asarray(hertz, dtype=float)
    logarithmic = 15 + 27 * np.log(np.maximum(hertz, 1000) / 1000) / np.log(6.4)
    return np.where(hertz < 1000, 3 * hertz / 200, logarithmic)


def to_hertz(mel):
    exponential = 1000 * np.exp((mel - 15) * np.log(6.4) / 27)
    return np.where(mel < 15, 200 * mel / 3, exponential)


def mel_bank(count):
    """Triangular filters from 0 to 8,000 Hz, one row each."""
    corners = to_hertz(np.linspace(0, to_mel(RATE / 2), count + 2))
    low, peak, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    rising, falling = (bins - low) / (peak - low), (high - bins) / (high - peak)
    return np.maximum(0, np.minimum(rising, falling)) * 2 / (high - low)


bins = np.linspace(0, RATE / 2, LENGTH // 2 + 1)

# %% [markdown]
# In the left panel look for the bend of the curve at 1,000 Hz; in the right panel, drawn with only
# sixteen filters and, to be seen, all with a peak of 1, for how the triangles widen.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Left: a curve of mel against frequency, straight up to 1000 hertz and flattening above. Right: sixteen overlapping triangles along the frequency axis, narrow at low and wide at high frequencies."}, "figure": {"caption": "The mel scale, and sixteen mel filters on the scale of hertz, each scaled to a peak of 1.", "name": "fig-mel"}}
plots.speech.mel_filters(bins, to_mel(bins), mel_bank(16))

# %% [markdown]
# Half of the filters lie in the lowest fifth of the frequencies, where the pitch and the vowels
# are. Within a wide triangle at the top it no longer matters where exactly the power was: that is
# the second thing thrown away.
#
# Paper 1 takes 128 such filters. Their output spans many powers of ten, and the ear judges the power of
# sounds by their ratios, so the last step is a logarithm, in **decibels** (dB): ten times the logarithm to
# base ten. Ten decibels more is ten times the power.

# %%
log_mel = 10 * np.log10(np.maximum(mel_bank(128) @ power.T, 1e-10))
by_library = features.log_mel(signal, RATE)
print(f"shape {log_mel.shape}")
print(f"largest difference to the library: {abs(log_mel - by_library).max():.4f} dB")

# %% [markdown]
# The library's line is `features.log_mel(signal, rate)`. It calls librosa {cite:p}`mcfee2015` with
# every parameter written out, and agrees with the dozen lines above to within rounding.
#
# ## MFCC: a smooth outline
#
# Neighbouring mel bands say nearly the same. Mel-frequency cepstral coefficients ({term}`MFCC`)
# {cite:p}`davis1980` describe each column of the log-mel spectrogram by a sum of cosines: the
# zeroth is its mean level, the first a tilt from low to high, the next ones ever finer ripples.
# Paper 1 keeps 40; we take the first 40 of 128.
#
# ```{prf:definition} MFCC
# :label: def-mfcc
#
# From a log-mel column $s_0, \dots, s_{N-1}$ the coefficients are its discrete cosine transform
#
# $$
# c_k = w_k \sum_{n=0}^{N-1} s_n \cos\left(\frac{\pi k (2 n + 1)}{2 N}\right)
# $$
#
# with the weights $w_0 = \sqrt{1/N}$ and $w_k = \sqrt{2/N}$ for $k > 0$.
# ```

# %%
N = 128
cosines = np.cos(np.pi * np.outer(np.arange(N), 2 * np.arange(N) + 1) / (2 * N))
cosines *= np.sqrt(np.where(np.arange(N) == 0, 1, 2) / N)[:, None]
mfcc = cosines[:40] @ log_mel
by_library = features.mfcc(signal, RATE)
print(f"shape {mfcc.shape}")
print(f"largest difference to the library: {abs(mfcc - by_library).max():.4f}")

# %% [markdown]
# What do 40 numbers keep of 128? Because the cosines are orthonormal (each row has length 1, any two are at
# right angles), multiplying by their transpose goes back. In the figure, compare the thin grey line, one
# column of the spectrogram, with what 40 and 13 coefficients remember of it.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Level in decibel against mel band for one frame: a ragged grey line, a solid line following it closely from 40 coefficients, and a smoother dashed one from 13."}, "figure": {"caption": "One frame of speech as 128 mel bands, and as 40 and 13 cepstral coefficients remember it.", "name": "fig-envelopes"}}
loudest = int(log_mel.mean(axis=0).argmax())
plots.speech.envelopes(
    log_mel[:, loudest],
    {
        f"{kept} coefficients": cosines[:kept].T @ (cosines[:kept] @ log_mel[:, loudest])
        for kept in (40, 13)
    },
)

# %% [markdown]
# Thirteen coefficients draw the outline, which is mostly *what* is said: the vowel. Forty can still
# follow the harmonics' teeth in the low bands where these stand far enough apart, in higher voices,
# and with them the pitch; in a low voice they smooth the teeth away. That is a plausible reason for
# keeping 40 where the task is emotion; paper 1 gives none.
#
# ## Six seconds, whatever was said
#
# The network wants inputs of one size. Paper 1 cuts recordings at six seconds and pads shorter ones
# with zeros. `audio.fix_length` does both.

# %%
fixed = {name: audio.fix_length(own, RATE, 6.0) for name, own in signals.items()}
example = fixed[emotion]
print(features.log_mel(example, RATE).shape, features.mfcc(example, RATE).shape)

# %% tags=["remove-cell"]
table = speech.table()
durations = table.duration
glue("shortest", float(durations.min()))
glue("longest", float(durations.max()))
glue("padding", float(100 * (1 - durations.clip(upper=6.0) / 6.0).mean()))
glue("cut", int((durations > 6.0).sum()))

# %% [markdown]
# Six seconds are 96,000 samples and so $1 + \lfloor 96000 / 512 \rfloor = 188$ frames. The shape
# of the inputs is lost in our copy of paper 1 (a sentence of its section 2.2 has a gap); 128 × 188 and
# 40 × 188 follow from the values that can be read: we call that *derived*. The broken sentence says that
# the shapes were fixed "after extensive experimentation", so the authors' may differ
# ({doc}`open-choices`).
#
# In the corpus of this page recordings last from {glue:text}`shortest:.1f` to
# {glue:text}`longest:.1f` s. On average {glue:text}`padding:.0f` % of an input is padding, and
# {glue:text}`cut:d` recordings are cut. The network therefore sees *how long* somebody spoke as
# plainly as how: the padding's edge gives it away. That can be a real cue, since sad speech is
# slow, or a trap, where a corpus's emotions happen to have different sentences. In the two-second
# copy of EMO-DB most of this cue is gone.
#
# ## Between zero and one
#
# One branch of paper 1's network ({doc}`network`) rebuilds the input through a sigmoid, whose values lie
# between 0 and 1, so the inputs have to be scaled to that range (paper 1, section 4). We do so for each
# coefficient by itself, which the paper does not say: its smallest value becomes 0 and its largest 1.
#
# Smallest and largest *of what*? Of the training recordings only. Had we looked at the test
# recordings, the training would know something about them, and the test would no longer be one.

# %%
dataset = features.extract(speech, features.FeatureConfig(input="mfcc"))
fold = splits.sessions(speech)[0]  # train: all sessions but the first; parts: its two speakers
train = dataset.inputs[fold.train]
held_out = dataset.inputs[np.concatenate(fold.parts)]

low = train.min(axis=(0, 2), keepdims=True)
high = train.max(axis=(0, 2), keepdims=True)
scaled = (train - low) / (high - low)

scaler = features.MinMaxScaler().fit(train)
inside, outside = scaler.transform(train), scaler.transform(held_out)
print(f"by hand and by library differ by at most {abs(scaled - inside).max():.0e}")
print(f"training: {scaled.min():.2f} to {scaled.max():.2f}")
print(f"held out: {outside.min():.2f} to {outside.max():.2f}")

# %% [markdown]
# The held-out speakers need not stay within the range. That is as it should be: nothing is clipped,
# and a new voice may be louder than every voice in the training.
#
# ## What can go wrong
#
# **A moving decibel reference.** librosa's usual conversion to decibels cuts off everything more
# than 80 dB below the loudest point *of the same call* (its argument `top_db`). Silence then has a
# value that depends on how loud the rest of the recording is. The table shows the value of the
# padding, where nothing at all can be heard, under librosa's default and in this library.

# %%
rows = []
for name, filled in fixed.items():
    mel = librosa.feature.melspectrogram(y=filled, sr=RATE, hop_length=512)
    rows.append(
        {
            "emotion": name,
            "librosa's default (dB)": float(librosa.power_to_db(mel)[0, -1]),
            "ser_lib (dB)": float(features.log_mel(filled, RATE)[0, -1]),
        }
    )
pd.DataFrame(rows).set_index("emotion").rename_axis(None).round(1)

# %% [markdown]
# With the default, every silent frame announces the loudness of its recording. If a batch of
# recordings is converted in one call it is worse: each recording's values depend on its
# neighbours. In `features.log_mel` silence is always −100 dB.
#
# **The wrong rate.** A 22,050 Hz file read as if it were 16,000 Hz sounds slow and low: sad.
# Nothing fails; the features have the right shape. `audio.load_audio` reads the rate from the
# file.
#
# **Loudness that is gone.** Many corpora raise each recording to the same peak. In the two-second
# copy of EMO-DB most files reach full scale, and its sad recordings are no softer than its angry
# ones. "Anger is loud" can then not be learned, and a network that learned it elsewhere will be
# wrong here. Look at the amplitude axis of a few recordings before you trust a level.
#
# **Scaling on everything.** One call to `fit` before the split, and each test recording has
# influenced the training. The damage is small here and large elsewhere, and nobody can tell from
# the outside. The library fits inside the fold.
#
# **Padding that talks.** See above: check how long the recordings of each emotion are before you
# believe a network that saw padded inputs.
#
# ## Exercises
#
# ```{exercise-start} ★ How many frames?
# :label: exercise-frames
# ```
# How many frames does a recording of 2 s give at 16 kHz with a hop of 512? And with a hop of 160,
# as is common in speech recognition? Compute by hand first.
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-frames
# :label: solution-frames
# :class: dropdown
# ```
# There is a frame centred on every 512th sample, the first one included: $1 + \lfloor 32000/512
# \rfloor = 63$, and $1 + 32000/160 = 201$.

# %%
print(features.log_mel(np.zeros(32_000), RATE).shape[1])
print(librosa.stft(np.zeros(32_000), n_fft=512, hop_length=160).shape[1])

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} ★★ Half as loud
# :label: exercise-half
# ```
# All samples of a recording are divided by two. By how many decibels does its log-mel spectrogram
# change? Which of the 40 MFCC change, and by how much? Assume that no band touches the floor of
# −100 dB. What does that say about recognising emotions from recordings made at different distances
# from the microphone?
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-half
# :label: solution-half
# :class: dropdown
# ```
# Half the amplitude is a quarter of the power: every band drops by $10 \log_{10} 4 = 6.02$ dB. The
# change is the same in all bands, so it goes into the mean alone: $c_0$ drops by $6.02 \cdot 128 /
# \sqrt{128} = 68.1$, and $c_1, \dots, c_{39}$ stay. We try it on noise, which has no empty bands:

# %%
noise = np.random.default_rng(1).normal(0, 0.1, RATE).astype(np.float32)
change = features.mfcc(noise / 2, RATE) - features.mfcc(noise, RATE)
print(f"c0 changes by {change[0].mean():.2f}")
print(f"the others by at most {abs(change[1:]).max():.4f}")

# %% [markdown]
# Only $c_0$ knows the level, so a step back from the microphone looks like a calmer speaker to
# whoever trusts it. Dropping $c_0$, or scaling each recording to one level, removes the accident, and with
# it the speaker's own loudness, which is a real cue. Paper 1 does not mention the matter; we keep
# $c_0$.
#
# ```{solution-end}
# ```
#
# ```{exercise-start} ★★ Halfway up
# :label: exercise-halfway
# ```
# Which frequency lies halfway between 0 and 8,000 Hz on the mel scale? What share of the 128
# filters has its peak below 1,000 Hz?
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-halfway
# :label: solution-halfway
# :class: dropdown
# ```

# %%
print(f"halfway: {to_hertz(to_mel(8000.0) / 2):.0f} Hz")
peaks = bins[mel_bank(128).argmax(axis=1)]
print(f"filters below 1,000 Hz: {np.mean(peaks < 1000):.0%}")

# %% [markdown]
# By hand: $m(8000) = 15 + 27 \ln 8/\ln 6.4 = 45.2$. Half of it, 22.6, lies above 15, so
# $f = 1000 \cdot 6.4^{(22.6-15)/27} \approx 1{,}690$ Hz. Below 1,000 Hz lie 15 of 45.2 mel: an eighth
# of the range in hertz gets about a third of the filters.
#
# ```{solution-end}
# ```
#
# ```{exercise-start} ★★★ Does the padding know?
# :label: exercise-padding
# ```
# Predict the emotion from the duration alone, with logistic regression, trained on all sessions
# but the first and tested on the first. Compare with chance. What does the answer mean for a
# network that sees zero-padded inputs?
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-padding
# :label: solution-padding
# :class: dropdown
# ```

# %%
from sklearn.linear_model import LogisticRegression

from ser_lib.metrics import accuracy_class

test = np.concatenate(fold.parts)
seconds = table.duration.to_numpy()[:, None]
truth = table.emotion.to_numpy()
model = LogisticRegression(class_weight="balanced")
model.fit(seconds[fold.train], truth[fold.train])
score = accuracy_class(truth[test], model.predict(seconds[test]))
print(f"class accuracy {100 * score:.0f} %, chance {100 / len(emotions):.0f} %")

# %% [markdown]
# If the duration alone does better than chance, so can a network that learns nothing but where the
# padding starts. On the two-second copy of EMO-DB all durations are equal and the model can only
# guess. Whether duration is a fair cue is a question about the corpus: are all emotions spoken with
# the same sentences?
#
# ```{solution-end}
# ```
#
# ## Summary
#
# - Anger, happiness, sadness and neutral differ on average in pace, loudness, pitch and liveliness;
#   the distributions overlap.
# - A log-mel spectrogram is frames, window, Fourier power, mel filters, logarithm: 128 bands by 188
#   frames for six seconds. MFCC keep a smooth outline of each frame in 40 numbers.
# - Features must not depend on what else is in the call, nor be scaled with knowledge of the test
#   data; padding shows duration.
#
# Next: {doc}`network`.
#
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
