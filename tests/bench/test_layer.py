"""The benchmark of the search layer compares two forms that compute the same."""

import json

import pytest
import torch

from ser_lib.bench import layer
from ser_lib.models.parallel_cnn import Paths
from tests.commands import ser


def test_both_forms_compute_the_same():
    torch.manual_seed(0)
    search = Paths(((4, 6), (6, 8)), (20, 31))
    x = torch.rand(2, 20, 31)
    torch.testing.assert_close(layer.PlainPaths(search)(x), search(x))


def test_rivals_take_the_same_step(monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda module: module)  # it needs a compiler
    torch.manual_seed(0)
    plain = layer.PlainPaths(Paths(((4, 6), (6, 8)), (20, 31)))
    x = torch.rand(2, 20, 31)
    layer._step(plain, x)()
    wanted = [parameter.grad.clone() for parameter in plain.parameters()]
    for name, step in layer.rivals(plain, x).items():
        plain.zero_grad()
        step()
        if name.startswith("product"):
            assert all(parameter.grad is None for parameter in plain.parameters())
            continue
        for parameter, gradient in zip(plain.parameters(), wanted, strict=True):
            # Eight bits of a number are left in bfloat16, and a near tie may fall otherwise.
            apart = (parameter.grad - gradient).abs() / gradient.abs().max()
            limit, share = (0.1, 0.99) if name == "bfloat16" else (0.0, 1.0)
            assert (apart <= limit).double().mean() >= share


@pytest.mark.filterwarnings("ignore::UserWarning:torch.profiler")
def test_layer_from_the_command_line():
    result = ser("bench", "layer", "--batch", "1", "--repeats", "1", "--json")
    document = json.loads(result.stdout)
    assert document["threads"] == torch.get_num_threads()
    assert [row["shape"] for row in document["comparisons"]] == [[128, 188]] * 2 + [[40, 188]] * 2
    for row in document["comparisons"]:
        assert row["times_faster"] == pytest.approx(row["plain_ms"] / row["search_ms"], rel=0.1)
        assert row["times_smaller"] > 5
        assert row["rivals"] == {}  # on a GPU only
        assert 0 <= row["plain_system"] <= 1


@pytest.mark.filterwarnings("ignore::UserWarning:torch.profiler")
def test_a_step_of_a_batch_needs_a_twentieth_of_the_memory():
    row = layer._compare((40, 188), 1.0, batch=16, repeats=1, device="cpu")
    assert row.times_smaller >= 20


def test_refuses_nothing_to_measure():
    result = ser("bench", "layer", "--batch", "0", status=2)
    assert "batch 0" in result.stderr
    assert "threads 0 must" in ser("bench", "layer", "--threads", "0", status=2).stderr


@pytest.mark.parametrize("bench", ["layer", "inference", "objectives", "mining"])
def test_refuses_a_device_that_is_not_there(bench):
    result = ser("bench", bench, "--device", "nowhere", status=2)
    assert "device 'nowhere' cannot be used" in result.stderr
