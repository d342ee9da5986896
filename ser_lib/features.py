"""Log-mel spectrograms and MFCC by librosa, scaled to [0, 1], cached by content.

Only extraction needs librosa: a :class:`Dataset` read from a file needs NumPy alone, so that
training runs where nothing of the audio stack is installed.
"""

from __future__ import annotations

import hashlib
import json
import math
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, cast, get_args

import numpy as np
import numpy.typing as npt

from ser_lib.corpora.base import Corpus, Utterance, cache_folder
from ser_lib.files import atomic_write

Array = npt.NDArray[np.float32]
VectorInput = Literal["mfcc_13x30", "mfcc_30x13", "deltas_39x10", "mean_390"]
"""Paper 2's input, read in four ways; see :mod:`ser_lib.vectors`."""
Input = Literal["log_mel", "mfcc", "mfcc_13x30", "mfcc_30x13", "deltas_39x10", "mean_390"]

_VERSION = 2  # raise when the same parameters give other numbers: old cache entries are then unused
_LOUDEST = 1e6  # times full scale; far beyond, the power of a float32 is infinite


@dataclass(frozen=True, kw_only=True)
class FeatureConfig:
    """Every parameter of the extraction, written out (paper 1, section 2.2).

    With the defaults an utterance becomes ``(40, 188)`` for MFCC and ``(128, 188)`` for the
    log-mel spectrogram: 6 s at a hop of 512 samples and 16 kHz are 188 frames.

    Raises:
        ValueError: a value is out of its range, or a mel band would hold no frequency bin.
    """

    input: Input = "mfcc"
    rate: int = 16_000
    """Hz."""
    seconds: float = 6.0
    n_fft: int = 2048
    hop: int = 512
    n_mels: int = 128
    n_mfcc: int = 40
    fmin: float = 0.0
    fmax: float = 8_000.0

    def __post_init__(self) -> None:
        """Refuse values that librosa would accept and turn into something else."""
        if self.input not in get_args(Input):
            raise ValueError(f"input {self.input!r}, known: {', '.join(get_args(Input))}")
        for name in ("rate", "seconds", "n_fft", "hop", "n_mels", "n_mfcc"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} is {getattr(self, name)}, it must be positive")
        if not 0 <= self.fmin < self.fmax <= self.rate / 2:
            raise ValueError(
                f"fmin {self.fmin} and fmax {self.fmax} Hz must be in order between 0 and "
                f"half the rate, {self.rate / 2} Hz"
            )
        if self.n_mfcc > self.n_mels:
            raise ValueError(f"n_mfcc {self.n_mfcc} exceeds n_mels {self.n_mels}")
        if self.n_fft % 2:
            raise ValueError(f"n_fft is {self.n_fft}, it must be even")
        corners = _mel_corners(self.fmin, self.fmax, self.n_mels) * self.n_fft / self.rate
        empty = int(np.sum(np.ceil(corners[2:]) - np.floor(corners[:-2]) < 2))
        if empty:
            raise ValueError(
                f"{empty} of {self.n_mels} mel bands hold no frequency bin at n_fft {self.n_fft}"
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Coefficients and frames of one utterance: ``1 + samples // hop`` frames.

        A vector is one coefficient of 390 frames.
        """
        if self.input in get_args(VectorInput):
            return 1, 390
        samples = round(self.seconds * self.rate)
        coefficients = self.n_mels if self.input == "log_mel" else self.n_mfcc
        return coefficients, 1 + samples // self.hop


def _mel_corners(fmin: float, fmax: float, n_mels: int) -> npt.NDArray[np.float64]:
    """Corners of the bands in Hz: linear up to 1 kHz (15 mel), logarithmic above (Slaney)."""

    def to_mel(hz: float) -> float:
        return hz * 3 / 200 if hz < 1000 else 15 + 27 * math.log(hz / 1000, 6.4)

    mel = np.linspace(to_mel(fmin), to_mel(fmax), n_mels + 2)
    return np.where(mel < 15, mel * 200 / 3, 1000 * 6.4 ** ((mel - 15) / 27))


def log_mel(signal: npt.ArrayLike, rate: int, *, config: FeatureConfig | None = None) -> Array:
    r"""Log-mel spectrogram in dB, :math:`10 \log_{10} \max(M, 10^{-10})`.

    :math:`M` is the power spectrogram (Hann window, zero padding at the edges) summed in
    Slaney mel bands. The reference is 1 and nothing is clipped relative to the loudest frame, so
    a frame has the same value whatever else is in the call.

    Args:
        signal: samples, shape ``(n,)``.
        rate: Hz; must be the rate of ``config``.
        config: parameters, by default those of the paper.

    Returns:
        dB, shape ``(n_mels, 1 + n // hop)``, at least -100.

    Raises:
        ValueError: the signal is not one-dimensional, empty, not finite or of integers, or the rate
            is another.

    Example:
        >>> log_mel(np.sin(np.arange(16_000)), 16_000).shape
        (128, 32)
    """
    import librosa

    config = config or FeatureConfig(input="log_mel")
    given = np.asarray(signal)
    if given.dtype.kind != "f":
        raise ValueError(f"signal is {given.dtype}, expected floating-point samples from -1 to 1")
    samples = given.astype(np.float32, copy=False)
    if samples.ndim != 1 or samples.size == 0:
        raise ValueError(f"signal has shape {samples.shape}, it must be (n,) with n > 0")
    if not np.isfinite(samples).all():
        raise ValueError(f"signal has {(~np.isfinite(samples)).sum()} samples that are not finite")
    if rate != config.rate:
        raise ValueError(f"signal has {rate} Hz, the features are defined at {config.rate} Hz")
    mel = librosa.feature.melspectrogram(
        y=np.pad(samples, config.n_fft // 2),  # here, as librosa warns of short signals
        sr=config.rate,
        n_fft=config.n_fft,
        hop_length=config.hop,
        win_length=config.n_fft,
        window="hann",
        center=False,
        power=2.0,
        n_mels=config.n_mels,
        fmin=config.fmin,
        fmax=config.fmax,
        htk=False,
        norm="slaney",
    )
    return cast(Array, librosa.power_to_db(mel, ref=1.0, amin=1e-10, top_db=None))


def mfcc(signal: npt.ArrayLike, rate: int, *, config: FeatureConfig | None = None) -> Array:
    r"""Mel-frequency cepstral coefficients: the orthonormal DCT-II of :func:`log_mel`.

    Args:
        signal: samples, shape ``(n,)``.
        rate: Hz; must be the rate of ``config``.
        config: parameters, by default those of the paper.

    Returns:
        Shape ``(n_mfcc, 1 + n // hop)``; no liftering.

    Raises:
        ValueError: as :func:`log_mel`.

    Example:
        >>> mfcc(np.sin(np.arange(16_000)), 16_000).shape
        (40, 32)
    """
    import librosa

    config = config or FeatureConfig(input="mfcc")
    spectrogram = log_mel(signal, rate, config=config)
    coefficients = librosa.feature.mfcc(
        S=spectrogram, n_mfcc=config.n_mfcc, dct_type=2, norm="ortho", lifter=0
    )
    return cast(Array, coefficients.astype(np.float32))


@dataclass(frozen=True)
class Dataset:
    """The utterances of a corpus and their features, shape ``(n, coefficients, frames)``."""

    corpus: Corpus
    config: FeatureConfig
    inputs: Array

    def __post_init__(self) -> None:
        """Refuse features that do not belong to the utterances."""
        expected = (len(self.corpus), *self.config.shape)
        if self.inputs.shape != expected:
            raise ValueError(f"inputs have shape {self.inputs.shape}, expected {expected}")
        if not np.isfinite(self.inputs).all():
            pairs = zip(self.corpus.utterances, self.inputs, strict=True)
            keys = [utterance.key for utterance, x in pairs if not np.isfinite(x).all()]
            raise ValueError(f"features of {', '.join(keys)} are not finite (NaN or inf)")

    def select(self, *, emotions: tuple[str, ...]) -> Dataset:
        """Keep the utterances of some emotions."""
        corpus = self.corpus.select(emotions=emotions)
        keep = np.array([utterance.emotion in emotions for utterance in self.corpus.utterances])
        return Dataset(corpus, self.config, self.inputs[keep])

    def save(self, path: str | Path) -> None:
        """Write one ``.npz`` that :meth:`load` reads."""
        corpus = self.corpus
        meta = {
            "name": corpus.name,
            "licence": corpus.licence,
            "utterances": [asdict(utterance) for utterance in corpus.utterances],
            "config": asdict(self.config),
        }
        with atomic_write(Path(path)) as file:
            np.savez_compressed(file, inputs=self.inputs, meta=np.array(json.dumps(meta)))

    @classmethod
    def load(cls, path: str | Path) -> Dataset:
        """Read what :meth:`save` wrote; needs NumPy only and never unpickles.

        Raises:
            ValueError: the file is not such a file.
        """
        try:
            with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as stored:
                meta = json.loads(str(stored["meta"]))
                inputs = stored["inputs"].astype(np.float32)
            utterances = tuple(Utterance(**row) for row in meta["utterances"])
            corpus = Corpus(meta["name"], meta["licence"], Path(path).parent, utterances)
            return cls(corpus, FeatureConfig(**meta["config"]), inputs)
        except FileNotFoundError:
            raise
        except Exception as error:
            raise ValueError(f"{path} is not a feature file: {error}") from error


@dataclass
class MinMaxScaler:
    """Scale features to [0, 1] on the data it was fitted on (paper 1, section 4).

    ``per="coefficient"`` takes one minimum and maximum for each row of the input,
    ``per="global"`` one for all. Other data may leave [0, 1]; nothing is clipped.

    Example:
        >>> x = np.array([[[0.0, 5.0], [10.0, 20.0]]], dtype=np.float32)
        >>> MinMaxScaler().fit(x).transform(x).tolist()
        [[[0.0, 1.0], [0.0, 1.0]]]
    """

    per: Literal["coefficient", "global"] = "coefficient"

    def fit(self, x: Array) -> MinMaxScaler:
        """Learn minimum and maximum from ``x`` of shape ``(n, coefficients, frames)``."""
        if self.per not in ("coefficient", "global"):
            raise ValueError(f"scaling per {self.per!r}: neither 'coefficient' nor 'global'")
        if x.size == 0:
            raise ValueError(f"cannot fit a scaler on no data, shape {x.shape}")
        axes = (0, 2) if self.per == "coefficient" else (0, 1, 2)
        self.minimum_ = x.min(axis=axes, keepdims=True)
        self.maximum_ = x.max(axis=axes, keepdims=True)
        return self

    def transform(self, x: Array) -> Array:
        """Scale ``x``; of a coefficient that was constant, what is left is the difference to it."""
        spread = self.maximum_ - self.minimum_
        spread = np.where(spread > 0, spread, 1)
        return cast(Array, ((x - self.minimum_) / spread).astype(np.float32))


@dataclass
class StandardScaler:
    """Give every value mean 0 and standard deviation 1 on the data it was fitted on.

    For paper 2's vectors, whose values are of different kinds.

    Example:
        >>> x = np.array([[[1.0, 5.0]], [[3.0, 5.0]]], dtype=np.float32)
        >>> StandardScaler().fit(x).transform(x).tolist()
        [[[-1.0, 0.0]], [[1.0, 0.0]]]
    """

    def fit(self, x: Array) -> StandardScaler:
        """Learn mean and deviation from ``x`` of shape ``(n, coefficients, frames)``."""
        if x.size == 0:
            raise ValueError(f"cannot fit a scaler on no data, shape {x.shape}")
        self.mean_ = x.mean(axis=0, dtype=np.float64)
        self.deviation_ = x.std(axis=0, dtype=np.float64)
        return self

    def transform(self, x: Array) -> Array:
        """Scale ``x``; a value that was constant becomes its difference to the constant."""
        deviation = np.where(self.deviation_ > 0, self.deviation_, 1)
        return cast(Array, ((x - self.mean_) / deviation).astype(np.float32))


def extract(corpus: Corpus, config: FeatureConfig | None = None, *, jobs: int = 2) -> Dataset:
    """Features of all utterances, from the cache where the same file was seen before.

    Args:
        corpus: what to extract.
        config: parameters, by default MFCC as in paper 1.
        jobs: processes.

    Raises:
        ValueError: one or more recordings cannot be used; all are named.
        OSError: the cache cannot be written.
    """
    import joblib
    from tqdm import tqdm

    config = config or FeatureConfig()
    folder = cache_folder() / "features"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise OSError(
            f"feature cache {folder} cannot be written ({error.strerror}); set SER_CACHE to a "
            "folder that can"
        ) from error
    files = [corpus.file(utterance) for utterance in corpus.utterances]
    if absent := [f"{file} does not exist" for file in files if not file.is_file()]:
        raise ValueError("\n  ".join((f"{len(absent)} recordings are not usable:", *absent)))
    entries = [_cache_entry(folder, file, config) for file in files]
    inputs = np.zeros((len(files), *config.shape), dtype=np.float32)
    missing = []
    for index, entry in enumerate(entries):
        cached = _read_entry(entry, config.shape)
        if cached is None:
            missing.append(index)
        else:
            inputs[index] = cached
    if missing:
        # librosa compiles parts of itself when it is first imported; two processes that do so at
        # the same time spoil the compiled files for both.
        log_mel(np.zeros(config.hop), config.rate, config=config)
    problems = []
    workers = joblib.Parallel(n_jobs=min(jobs, max(len(missing), 1)), return_as="generator")
    calls = (joblib.delayed(_extract_file)(files[index], config) for index in missing)
    label = f"{corpus.name} {config.input}"
    results = tqdm(workers(calls), label, len(missing), disable=None)
    for index, result in zip(missing, results, strict=True):
        if isinstance(result, str):
            problems.append(result)
            continue
        with atomic_write(entries[index]) as file:
            np.save(file, result, allow_pickle=False)
        inputs[index] = result
    if problems:
        raise ValueError("\n  ".join((f"{len(problems)} recordings are not usable:", *problems)))
    return Dataset(corpus, config, inputs)


def _extract_file(file: Path, config: FeatureConfig) -> Array | str:
    """Features of one file, or what is wrong with it (so that all problems can be listed)."""
    try:
        return extract_file(file, config)
    except (OSError, ValueError) as error:
        return str(error)


def extract_file(file: Path, config: FeatureConfig) -> Array:
    """Features of one recording, not cached, shape ``config.shape``.

    Raises:
        ValueError: it cannot be used; see :func:`ser_lib.audio.load_audio` and :func:`compute`.
    """
    from threadpoolctl import threadpool_limits

    from ser_lib.audio import load_audio

    signal = load_audio(file, config.rate)
    peak = float(np.abs(signal).max())
    if peak > _LOUDEST:
        raise ValueError(f"{file}: samples reach {peak:.3g}, the limit is {_LOUDEST:g}")
    # BLAS rounds differently with another number of threads, and matrices this small are slower
    # with several.
    try:
        with threadpool_limits(1):
            return compute(signal, config)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def compute(signal: Array, config: FeatureConfig) -> Array:
    """Features of one utterance of any length, at the rate of ``config``, shape ``config.shape``.

    Raises:
        ValueError: the signal is too short, empty or not finite.
    """
    from ser_lib.audio import fix_length
    from ser_lib.vectors import VECTOR_INPUTS, vector

    if config.input in VECTOR_INPUTS:
        return vector(signal, config.rate, config=config)
    function = log_mel if config.input == "log_mel" else mfcc
    return function(fix_length(signal, config.rate, config.seconds), config.rate, config=config)


def _cache_entry(folder: Path, file: Path, config: FeatureConfig) -> Path:
    """Name an entry by the file's bytes, every parameter and the code's version."""
    content = hashlib.sha256(file.read_bytes()).hexdigest()
    text = json.dumps([_VERSION, content, asdict(config)], sort_keys=True)
    name = hashlib.sha256(text.encode()).hexdigest()
    return folder / name[:2] / f"{name}.npy"


def _read_entry(entry: Path, shape: tuple[int, int]) -> Array | None:
    """Return a cached array, or nothing if it is absent or damaged."""
    try:
        with entry.open("rb") as file:
            stored = np.lib.format.read_array(file, allow_pickle=False)
    except (OSError, ValueError):
        return None
    return cast(Array, stored) if stored.shape == shape and stored.dtype == np.float32 else None
