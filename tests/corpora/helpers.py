"""Made-up copies of the real corpora, and how a broken one is refused."""

import os

import pytest
import soundfile

from ser_lib import corpora
from ser_lib.corpora import CorpusError, check, scan
from tests import fakes

DATA = os.environ.get("SER_DATA")
real = pytest.mark.skipif(not DATA, reason="needs the real recordings: SER_DATA is not set")

RAVDESS_KEYS = (
    "03-01-01-01-01-01-01",
    "03-01-02-01-01-02-01",  # stereo in the published corpus
    "03-01-03-01-02-01-07",  # this and the next are byte-identical in the published corpus
    "03-01-03-01-02-02-07",
    "03-01-05-02-01-01-02",
    "03-01-08-02-02-01-24",
)
EMODB_KEYS = ("03a01Fa", "03a01Nc", "08a02Wb", "16b10Td", "16b10Lb")


def noise(seed, channels=1):
    return fakes.noise(400, channels, seed)


def write(path, samples, rate):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate)


def know(monkeypatch, name, root):
    """Let the library take what lies at ``root`` for the published corpus."""
    module = check.PUBLISHED[name]
    sums = {item.key: check.checksum(root / item.path) for item in module.survey(root)}
    original = scan.checksums
    monkeypatch.setattr(scan, "checksums", lambda n: sums if n == name else original(n))


def refused(name, root, *parts, **options):
    """Problems of the one error; each of ``parts`` must be in it."""
    with pytest.raises(CorpusError) as caught:
        corpora.load(name, root, **options)
    for part in (*parts, str(root)):
        assert part in str(caught.value)
    return caught.value.problems
