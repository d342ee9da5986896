"""Features against an independent computation; the scaler; the cache; the feature file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.fft
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ser_lib import features
from ser_lib.corpora import Corpus, Utterance
from ser_lib.features import (
    Dataset,
    FeatureConfig,
    MinMaxScaler,
    StandardScaler,
    extract,
    log_mel,
    mfcc,
)

RATE = 16_000
SHORT = FeatureConfig(seconds=0.5)


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return (0.1 * generator.standard_normal(round(seconds * RATE))).astype(np.float32)


def write_corpus(root: Path, count: int = 6) -> Corpus:
    root.mkdir()
    utterances = []
    for index in range(count):
        soundfile.write(root / f"u{index}.wav", noise(0.3 + 0.1 * index, index), RATE, "PCM_16")
        utterances.append(
            Utterance(
                key=f"u{index}",
                path=f"u{index}.wav",
                speaker=f"s{index % 2}",
                session="1",
                sex="unknown",
                sentence="",
                raw_label="x",
                emotion=("anger", "neutral", "sadness")[index % 3],
                rate=RATE,
                duration=0.3 + 0.1 * index,
            )
        )
    return Corpus("small", "none", root, tuple(utterances))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def corpus(tmp_path: Path, cache: Path) -> Corpus:
    return write_corpus(tmp_path / "corpus")


def entries(cache: Path) -> list[Path]:
    return sorted(path for path in cache.rglob("*") if path.is_file())


# The numbers


def slaney_filters(n_mels: int = 128, n_fft: int = 2048, fmax: float = 8000.0) -> np.ndarray:
    """Triangles of equal area: linear below 1 kHz (200/3 Hz per mel), logarithmic above."""

    def to_hz(mel: np.ndarray) -> np.ndarray:
        return np.where(mel < 15, mel * 200 / 3, 1000 * 6.4 ** ((mel - 15) / 27))

    top = 15 + 27 * np.log(fmax / 1000) / np.log(6.4)
    corners = to_hz(np.linspace(0, top, n_mels + 2))
    bins = np.fft.rfftfreq(n_fft, 1 / RATE)
    rows = []
    for low, middle, high in zip(corners, corners[1:], corners[2:], strict=False):
        triangle = np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle))
        rows.append(np.maximum(triangle, 0) * 2 / (high - low))
    return np.array(rows)


def plain_log_mel(signal_: np.ndarray, n_fft: int = 2048, hop: int = 512) -> np.ndarray:
    padded = np.pad(signal_.astype(float), n_fft // 2)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    starts = range(0, len(padded) - n_fft + 1, hop)
    spectra = [np.abs(np.fft.rfft(window * padded[start : start + n_fft])) ** 2 for start in starts]
    power = slaney_filters() @ np.array(spectra).T
    return 10 * np.log10(np.maximum(power, 1e-10))


def test_log_mel_equals_an_independent_computation() -> None:
    signal_ = noise(1.3)
    np.testing.assert_allclose(log_mel(signal_, RATE), plain_log_mel(signal_), atol=2e-3)


def test_mfcc_equals_the_dct_of_log_mel() -> None:
    signal_ = noise(1.3)
    expected = scipy.fft.dct(plain_log_mel(signal_), type=2, axis=0, norm="ortho")[:40]
    np.testing.assert_allclose(mfcc(signal_, RATE), expected, atol=5e-3)


def test_all_40_mfcc_are_the_dct_of_the_same_function_s_log_mel() -> None:
    signal_ = noise(0.7)
    expected = scipy.fft.dct(log_mel(signal_, RATE), type=2, axis=0, norm="ortho")[:40]
    np.testing.assert_allclose(mfcc(signal_, RATE), expected, atol=1e-3)


def test_every_mel_band_hears_something() -> None:
    impulse = np.zeros(RATE, np.float32)
    impulse[8192] = 1  # a flat spectrum
    assert log_mel(impulse, RATE)[:, 16].min() > -60
    assert (slaney_filters().sum(axis=1) > 0).all()


@pytest.mark.parametrize("frequency", [100, 440, 1000, 3000, 7000])
def test_a_tone_is_loudest_in_its_band(frequency: int) -> None:
    tone = np.sin(2 * np.pi * frequency * np.arange(RATE) / RATE)
    loudest = log_mel(tone, RATE)[:, 16].argmax()
    band = slaney_filters()[loudest]
    assert band[round(frequency * 2048 / RATE)] > 0


@pytest.mark.parametrize("samples", [2048, 8000, 16_000, 16_383, 16_384, 96_000])
def test_shapes(samples: int) -> None:
    signal_ = noise(6)[:samples]
    frames = 1 + samples // 512
    assert log_mel(signal_, RATE).shape == (128, frames)
    assert mfcc(signal_, RATE).shape == (40, frames)
    assert log_mel(signal_, RATE).dtype == mfcc(signal_, RATE).dtype == np.float32


def test_six_seconds_are_188_frames() -> None:
    assert FeatureConfig().shape == (40, 188)
    assert FeatureConfig(input="log_mel").shape == (128, 188)


def test_a_signal_shorter_than_a_window_gives_no_warning() -> None:
    signal_ = noise(1)[:100]
    np.testing.assert_allclose(log_mel(signal_, RATE), plain_log_mel(signal_), atol=2e-3)


@given(st.floats(-40, 30))
@settings(max_examples=20, deadline=None)
def test_gain_adds_decibels(decibels: float) -> None:
    signal_ = noise(0.5)
    louder = log_mel(signal_ * np.float32(10 ** (decibels / 20)), RATE)
    np.testing.assert_allclose(louder, log_mel(signal_, RATE) + decibels, atol=2e-3)


def test_gain_moves_the_first_mfcc_alone() -> None:
    signal_ = noise(0.5)
    difference = mfcc(10 * signal_, RATE) - mfcc(signal_, RATE)
    np.testing.assert_allclose(difference[0], 20 * np.sqrt(128), atol=2e-3)
    np.testing.assert_allclose(difference[1:], 0, atol=2e-3)


def test_silence_is_finite_and_at_the_floor() -> None:
    np.testing.assert_allclose(log_mel(np.zeros(RATE), RATE), -100, atol=1e-4)
    assert np.isfinite(mfcc(np.zeros(RATE), RATE)).all()


def test_inner_frames_do_not_depend_on_what_else_is_in_the_call() -> None:
    signal_ = noise(2)
    signal_[20_000:24_000] *= 1000  # a bang that nothing may be measured against
    first, last = 4 * 512, 24 * 512
    cropped = log_mel(signal_[first:last], RATE)[:, 2:-2]
    np.testing.assert_allclose(cropped, log_mel(signal_, RATE)[:, 6:23], atol=1e-3)
    quiet = log_mel(signal_[:16_000], RATE)[:, :28]
    np.testing.assert_allclose(quiet, log_mel(signal_, RATE)[:, :28], atol=1e-3)


def test_padding_does_not_change_the_frames_of_the_speech() -> None:
    signal_ = noise(1)
    padded = np.pad(signal_, (0, 5 * RATE))
    np.testing.assert_allclose(
        log_mel(padded, RATE)[:, :29], log_mel(signal_, RATE)[:, :29], atol=1e-3
    )


@pytest.mark.parametrize("function", [log_mel, mfcc])
@pytest.mark.parametrize(
    ("signal_", "rate", "message"),
    [
        (np.zeros(0), RATE, r"\(0,\)"),
        (np.zeros((2, 100)), RATE, r"\(2, 100\)"),
        (np.array([0.0, np.nan, 1.0]), RATE, "1 samples .* not finite"),
        (np.array([0.0, np.inf, -np.inf]), RATE, "2 samples .* not finite"),
        (np.zeros(100), 44_100, "44100 Hz.*16000 Hz"),
        (np.zeros(100, dtype=np.int16), RATE, "signal is int16"),
    ],
)
def test_bad_signals_are_refused(function, signal_, rate, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=message):
        function(signal_, rate)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"input": "cqt"}, "'cqt'"),
        ({"seconds": 0}, "seconds is 0"),
        ({"seconds": -1.0}, r"seconds is -1\.0"),
        ({"seconds": float("nan")}, "seconds is nan"),
        ({"seconds": float("inf")}, "seconds is inf"),
        ({"hop": 0}, "hop is 0"),
        ({"n_fft": -2048}, "n_fft is -2048"),
        ({"fmax": 9000.0}, "9000.*8000"),
        ({"fmin": 8000.0}, "8000"),
        ({"n_mfcc": 129}, "129 exceeds n_mels 128"),
        ({"n_fft": 256}, "256"),
    ],
)
def test_bad_parameters_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FeatureConfig(**wrong)  # type: ignore[arg-type]


# The scaler


ROWS = arrays(np.float32, (5, 3, 4), elements=st.floats(-600, 600, width=32))


@given(ROWS, st.sampled_from(["coefficient", "global"]))
@settings(max_examples=50, deadline=None)
def test_the_training_data_are_scaled_to_0_and_1(x: np.ndarray, per: str) -> None:
    scaled = MinMaxScaler(per).fit(x).transform(x)  # type: ignore[arg-type]
    assert scaled.shape == x.shape
    assert scaled.dtype == np.float32
    assert scaled.min() >= 0
    assert scaled.max() <= 1
    axes = (0, 2) if per == "coefficient" else (0, 1, 2)
    varied = x.max(axis=axes) > x.min(axis=axes)
    np.testing.assert_array_equal(scaled.min(axis=axes), 0)
    np.testing.assert_array_equal(scaled.max(axis=axes), varied.astype(float))


@pytest.mark.parametrize("per", ["coefficient", "global"])
def test_other_data_change_nothing_and_are_not_clipped(per: str) -> None:
    train = np.random.default_rng(0).normal(size=(6, 3, 4)).astype(np.float32)
    scaler = MinMaxScaler(per).fit(train)  # type: ignore[arg-type]
    minimum, maximum = scaler.minimum_.copy(), scaler.maximum_.copy()
    test = scaler.transform(10 * train)
    np.testing.assert_array_equal(scaler.minimum_, minimum)
    np.testing.assert_array_equal(scaler.maximum_, maximum)
    assert test.min() < 0
    assert test.max() > 1
    np.testing.assert_allclose(
        scaler.transform(train), (train - minimum) / (maximum - minimum), rtol=1e-6
    )


def test_one_row_s_scale_does_not_depend_on_another() -> None:
    x = np.random.default_rng(0).normal(size=(6, 3, 4)).astype(np.float32)
    changed = x.copy()
    changed[:, 1] *= 100
    before, after = (MinMaxScaler().fit(data).transform(data) for data in (x, changed))
    np.testing.assert_array_equal(before[:, [0, 2]], after[:, [0, 2]])


def test_bad_scalers_are_refused() -> None:
    with pytest.raises(ValueError, match="'frame'"):
        MinMaxScaler("frame").fit(np.zeros((1, 2, 3), np.float32))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"\(0, 2, 3\)"):
        MinMaxScaler().fit(np.zeros((0, 2, 3), np.float32))


# Extraction and its cache


def test_extraction_is_the_function_of_the_padded_signal(corpus: Corpus) -> None:
    for config, function in ((SHORT, mfcc), (replace(SHORT, input="log_mel"), log_mel)):
        dataset = extract(corpus, config, jobs=1)
        assert dataset.inputs.shape == (6, *config.shape)
        assert dataset.inputs.dtype == np.float32
        for utterance, found in zip(corpus.utterances, dataset.inputs, strict=True):
            signal_ = soundfile.read(corpus.file(utterance), dtype="float32")[0]
            fixed = np.pad(signal_, (0, 8000))[:8000]
            np.testing.assert_allclose(found, function(fixed, RATE), atol=1e-4)


def test_the_number_of_jobs_changes_not_one_bit(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for jobs in (1, 2, 3):
        monkeypatch.setenv("SER_CACHE", str(tmp_path / f"cache {jobs}"))
        found.append(extract(corpus, jobs=jobs).inputs)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_the_cache_gives_the_same_bits(
    corpus: Corpus, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = extract(corpus, SHORT, jobs=1)
    assert len(entries(cache)) == len(corpus)
    monkeypatch.setattr(features, "_extract_file", lambda *_: pytest.fail("extracted again"))
    again = extract(corpus, SHORT, jobs=1)
    np.testing.assert_array_equal(first.inputs, again.inputs)


def test_rows_follow_the_corpus_when_half_of_it_is_cached(corpus: Corpus) -> None:
    extract(corpus.select(speakers=["s1"]), SHORT, jobs=1)
    mixed = extract(corpus, SHORT, jobs=2)
    for index, utterance in enumerate(corpus.utterances):
        one = Corpus("one", "none", corpus.root, (utterance,))
        np.testing.assert_array_equal(extract(one, SHORT, jobs=1).inputs[0], mixed.inputs[index])


@pytest.mark.parametrize(
    "changed",
    [
        {"input": "log_mel"},
        {"seconds": 0.4},
        {"hop": 256},
        {"n_fft": 1024, "n_mels": 64},
        {"n_mels": 100},
        {"n_mfcc": 39},
        {"fmin": 20.0},
        {"fmax": 7999.0},
        {"rate": 20_000},
    ],
)
def test_another_parameter_is_another_entry(
    corpus: Corpus, cache: Path, changed: dict[str, object]
) -> None:
    one = corpus.select(speakers=["s0"])
    extract(one, SHORT, jobs=1)
    before = entries(cache)
    extract(one, replace(SHORT, **changed), jobs=1)  # type: ignore[arg-type]
    assert len(entries(cache)) == 2 * len(before)


def test_another_version_of_the_code_is_another_entry(
    corpus: Corpus, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extract(corpus, SHORT, jobs=1)
    monkeypatch.setattr(features, "_VERSION", features._VERSION + 1)
    extract(corpus, SHORT, jobs=1)
    assert len(entries(cache)) == 2 * len(corpus)


def test_another_recording_of_the_same_name_is_another_entry(corpus: Corpus, cache: Path) -> None:
    before = extract(corpus, SHORT, jobs=1).inputs
    soundfile.write(corpus.file(corpus.utterances[0]), noise(0.5, 99), RATE, "PCM_16")
    after = extract(corpus, SHORT, jobs=1).inputs
    assert not np.array_equal(before[0], after[0])
    np.testing.assert_array_equal(before[1:], after[1:])


@pytest.mark.parametrize("length", [0, 1, 10, 127, 128, 500, -1])
def test_a_truncated_entry_is_made_again(corpus: Corpus, cache: Path, length: int) -> None:
    before = extract(corpus, SHORT, jobs=1).inputs
    entry = entries(cache)[0]
    whole = entry.read_bytes()
    entry.write_bytes(whole[:length])
    np.testing.assert_array_equal(extract(corpus, SHORT, jobs=1).inputs, before)
    assert entry.read_bytes() == whole


@pytest.mark.parametrize(
    "foreign",
    [
        np.zeros((3, 3), np.float32),
        np.zeros(SHORT.shape, np.float64),
        np.array([{"pickled": 1}], dtype=object),
    ],
)
def test_a_foreign_entry_is_made_again(corpus: Corpus, cache: Path, foreign: np.ndarray) -> None:
    before = extract(corpus, SHORT, jobs=1).inputs
    with entries(cache)[0].open("wb") as file:
        np.save(file, foreign, allow_pickle=True)
    np.testing.assert_array_equal(extract(corpus, SHORT, jobs=1).inputs, before)


@pytest.mark.parametrize(
    "foreign", [b"PK\x03\x04 no archive", b"\x93NUMPY\x01\x00v\x00{", b"\x00" * 200]
)
def test_a_scribbled_entry_is_made_again(corpus: Corpus, cache: Path, foreign: bytes) -> None:
    before = extract(corpus, SHORT, jobs=1).inputs
    entries(cache)[0].write_bytes(foreign)
    np.testing.assert_array_equal(extract(corpus, SHORT, jobs=1).inputs, before)


def test_an_interrupted_write_leaves_no_entry(
    corpus: Corpus, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(file, array, **_) -> None:  # type: ignore[no-untyped-def]
        file.write(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(np, "save", interrupted)
        with pytest.raises(KeyboardInterrupt):
            extract(corpus, SHORT, jobs=1)
    assert entries(cache) == []
    assert np.isfinite(extract(corpus, SHORT, jobs=1).inputs).all()


def test_a_left_over_temporary_file_is_not_read(corpus: Corpus, cache: Path) -> None:
    before = extract(corpus, SHORT, jobs=1).inputs
    entry = entries(cache)[0]
    entry.rename(entry.with_name(f".{entry.name}.123.abcd"))
    np.testing.assert_array_equal(extract(corpus, SHORT, jobs=1).inputs, before)
    assert entry.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_extraction_poisons_nothing(corpus: Corpus, cache: Path) -> None:
    code = (
        "import sys, time\n"
        "import numpy as np\n"
        "from pathlib import Path\n"
        "sys.path.insert(0, 'tests')\n"
        "from ser_lib import features\n"
        "from ser_lib.corpora import Corpus, Utterance\n"
        "import json\n"
        "rows = json.load(sys.stdin)\n"
        "corpus = Corpus('small', 'none', Path(sys.argv[1]), tuple(Utterance(**r) for r in rows))\n"
        "def slow(file, array, **_):\n"
        "    file.write(b'\\x93NUMPY'); file.flush(); time.sleep(60)\n"
        "np.save = slow\n"
        "features.extract(corpus, features.FeatureConfig(seconds=0.5), jobs=1)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(corpus.root)],
        stdin=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps([vars(utterance) for utterance in corpus.utterances]))
    process.stdin.close()
    deadline = time.monotonic() + 60
    while not entries(cache):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    (leftover,) = entries(cache)
    dataset = extract(corpus, SHORT, jobs=1)
    assert len(entries(cache)) == len(corpus) + 1
    assert leftover.exists()
    assert np.isfinite(dataset.inputs).all()


def test_unwritable_cache_names_the_path(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "occupied").write_text("a file where a folder should be")
    monkeypatch.setenv("SER_CACHE", str(tmp_path / "occupied" / "cache"))
    with pytest.raises((OSError, ValueError), match=r"occupied.*SER_CACHE"):
        extract(corpus, SHORT, jobs=1)


def test_a_recording_too_loud_for_numbers_is_named(corpus: Corpus, cache: Path) -> None:
    loud = corpus.file(corpus.utterances[0])
    soundfile.write(loud, noise(0.5) * np.float32(1e30), RATE, "FLOAT")
    with pytest.raises(ValueError, match=r"1 recordings.*\n.*samples reach .*e\+") as caught:
        extract(corpus, SHORT, jobs=1)
    assert str(loud) in str(caught.value)


def test_unusable_recordings_are_all_named(corpus: Corpus, cache: Path) -> None:
    silent, cut = (corpus.file(utterance) for utterance in corpus.utterances[:2])
    soundfile.write(silent, np.zeros(4000), RATE, "PCM_16")
    cut.write_bytes(cut.read_bytes()[:1000])
    with pytest.raises(ValueError, match="2 recordings") as caught:
        extract(corpus, SHORT, jobs=2)
    assert str(silent) in str(caught.value)
    assert str(cut) in str(caught.value)
    # The good ones were not extracted for nothing, and no bad one got in.
    assert len(entries(cache)) == len(corpus) - 2


def test_missing_recordings_are_all_named(corpus: Corpus) -> None:
    missing = [corpus.file(utterance) for utterance in corpus.utterances[:2]]
    for file in missing:
        file.unlink()
    with pytest.raises(ValueError, match=r"exist|no such file") as caught:
        extract(corpus, SHORT, jobs=1)
    for file in missing:
        assert str(file) in str(caught.value)


# The feature file


@pytest.fixture
def dataset(corpus: Corpus) -> Dataset:
    return extract(corpus, SHORT, jobs=1)


def test_save_and_load(dataset: Dataset, tmp_path: Path) -> None:
    dataset.save(tmp_path / "features.npz")
    loaded = Dataset.load(tmp_path / "features.npz")
    np.testing.assert_array_equal(loaded.inputs, dataset.inputs)
    assert loaded.config == dataset.config
    assert loaded.corpus.utterances == dataset.corpus.utterances
    assert loaded.corpus.hash == dataset.corpus.hash
    assert loaded.corpus.licence == dataset.corpus.licence
    with np.load(tmp_path / "features.npz", allow_pickle=False) as stored:
        assert {stored[name].dtype.kind for name in stored.files} == {"f", "U"}


def test_a_feature_file_is_replaced_whole_or_not_at_all(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out" / "features.npz"
    dataset.save(path)
    before = path.read_bytes()

    def interrupted(file, **_) -> None:  # type: ignore[no-untyped-def]
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez_compressed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        dataset.save(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_foreign_feature_files_are_refused(dataset: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "features.npz"
    dataset.save(path)
    whole = path.read_bytes()
    for content in (b"", b"text", whole[:100], whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"features\.npz"):
            Dataset.load(path)
    np.savez(path, inputs=dataset.inputs, meta=np.array({"pickled": 1}, dtype=object))
    with pytest.raises(ValueError, match=r"features\.npz"):
        Dataset.load(path)
    np.savez(path, inputs=dataset.inputs[:2], meta=np.array("{}"))
    with pytest.raises(ValueError, match=r"features\.npz"):
        Dataset.load(path)
    with pytest.raises(FileNotFoundError):
        Dataset.load(tmp_path / "nowhere.npz")


def test_loading_needs_nothing_that_reads_audio(dataset: Dataset, tmp_path: Path) -> None:
    dataset.save(tmp_path / "features.npz")
    code = (
        "import sys\n"
        "for name in ('librosa', 'soundfile', 'soxr', 'joblib', 'tqdm', 'pandas', 'scipy'):\n"
        "    sys.modules[name] = None\n"
        "from ser_lib.features import Dataset\n"
        "print(Dataset.load(sys.argv[1]).inputs.shape)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "features.npz")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(dataset.inputs.shape)


def test_inputs_that_do_not_fit_the_corpus_are_refused(dataset: Dataset) -> None:
    with pytest.raises(ValueError, match=r"expected \(6, 40, 16\)"):
        Dataset(dataset.corpus, dataset.config, dataset.inputs[:5])
    inputs = dataset.inputs.copy()
    inputs[3, 2, 1] = np.nan
    with pytest.raises(ValueError, match=f"features of {dataset.corpus.utterances[3].key} are not"):
        Dataset(dataset.corpus, dataset.config, inputs)


def test_select_keeps_rows_and_utterances_together(dataset: Dataset) -> None:
    chosen = dataset.select(emotions=("anger", "sadness"))
    assert len(chosen.corpus) == len(chosen.inputs) == 4
    keys = [utterance.key for utterance in dataset.corpus.utterances]
    for utterance, row in zip(chosen.corpus.utterances, chosen.inputs, strict=True):
        np.testing.assert_array_equal(row, dataset.inputs[keys.index(utterance.key)])


def test_unknown_input_is_refused():
    with pytest.raises(ValueError, match="input 'chroma', known: log_mel, mfcc, mfcc_13x30"):
        FeatureConfig(input="chroma")


def test_standard_scaler_against_scikit_learn():
    from sklearn.preprocessing import StandardScaler as Theirs

    x = np.random.default_rng(0).normal(size=(50, 1, 390)).astype(np.float32) * 7 + 3
    x[:, 0, 5] = 2.0
    ours = StandardScaler().fit(x[:30]).transform(x)
    theirs = Theirs().fit(x[:30, 0].astype(np.float64)).transform(x[:, 0].astype(np.float64))
    np.testing.assert_allclose(ours[:, 0], theirs, atol=1e-5)
    with pytest.raises(ValueError, match="no data"):
        StandardScaler().fit(x[:0])
