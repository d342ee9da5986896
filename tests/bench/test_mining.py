"""The benchmark of triplets compares forms that give the same, and says what it measured."""

import json
import sys

import pytest
import torch

from ser_lib.bench import mining
from tests.commands import ser

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:torch.profiler")


def test_from_the_command_line():
    before = torch.get_num_threads()
    result = ser("bench", "mining", "--repeats", "1", "--json")
    assert torch.get_num_threads() == before
    document = json.loads(result.stdout)
    assert (document["against"], document["threads"]) == ("library", 1)
    assert [row["batch"] for row in document["rows"]] == [64, 256, 512]
    assert [row["triplets"] for row in document["rows"]] == [
        n * (n // 8 - 1) * (n - n // 8) for n in (64, 256, 512)
    ]
    for row in document["rows"]:
        assert row["difference"] < 1e-12
        ratio = row["plain_ms"] / row["our_ms"]
        assert row["times_faster"] == pytest.approx(ratio, rel=0.1, abs=0.06)  # one decimal
    assert document["rows"][2]["times_smaller"] > 20  # memory does not depend on who else runs


def test_against_the_loop():
    document = mining.compare(
        against="loop", batches=(12, 3), classes=3, dim=4, repeats=1, threads=2
    )
    assert [row["triplets"] for row in document["rows"]] == [12 * 3 * 8, 0]
    assert all(row["difference"] < 1e-12 for row in document["rows"])


@pytest.mark.parametrize("name", ["batches", "classes", "dim", "repeats", "threads"])
def test_refuses_nothing_to_measure(name):
    with pytest.raises(ValueError, match=rf"{name} \(?0"):
        mining.compare(**{name: (0,) if name == "batches" else 0})


def test_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "pytorch_metric_learning.losses", None)
    with pytest.raises(ValueError, match="needs pytorch-metric-learning, of pyproject"):
        mining.compare(repeats=1)
