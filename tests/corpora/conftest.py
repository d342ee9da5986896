"""Small made-up copies that are taken for the published corpora."""

import numpy as np
import pytest

from ser_lib.corpora import ravdess
from tests.corpora.helpers import EMODB_KEYS, RAVDESS_KEYS, know, noise, write


@pytest.fixture
def fake_ravdess(tmp_path, monkeypatch):
    root = tmp_path / "ravdess"
    for seed, key in enumerate(RAVDESS_KEYS):
        samples = noise(2 if key in ravdess.KNOWN_PAIR else seed)
        if key == "03-01-02-01-01-02-01":
            samples = np.repeat(samples, 2, axis=1)
        write(root / f"Actor_{key[-2:]}" / f"{key}.wav", samples, 48_000)
    know(monkeypatch, "ravdess", root)
    return root


@pytest.fixture
def fake_emodb(tmp_path, monkeypatch):
    root = tmp_path / "emodb"
    for seed, key in enumerate(EMODB_KEYS):
        write(root / "wav" / f"{key}.wav", noise(seed), 22_050)
    know(monkeypatch, "emodb", root)
    return root
