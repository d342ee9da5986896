"""Settings that every test shares, and fixtures that several files use."""

import pytest
import torch
from hypothesis import settings

from tests.fakes import dataset

settings.register_profile("fixed", derandomize=True, deadline=None, max_examples=60)
settings.load_profile("fixed")

torch.set_num_threads(1)  # tests run side by side, one on each core


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch, request):
    """Keep the user's cache out of the tests, except where a test says it wants it."""
    if "shared_cache" not in request.fixturenames:
        monkeypatch.setenv("SER_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def shared_cache():
    """Use the machine's own cache: the built-in corpus need not be made again."""


@pytest.fixture(scope="module")
def made():
    """A tiny corpus, as features."""
    return dataset()


@pytest.fixture
def write(tmp_path):
    """Write samples as a recording of that name, and return its path."""
    import soundfile

    def write(name, samples, rate=16_000, **options):
        path = tmp_path / name
        soundfile.write(path, samples, rate, **options)
        return path

    return write
