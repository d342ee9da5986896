"""The benchmark compares two forms that compute the same, and says what it measured."""

import json

import pytest
import torch
from typer.testing import CliRunner

from ser_lib import bench
from ser_lib.cli import app
from ser_lib.layers import ConvReLUMaxPool2d


def test_both_forms_compute_the_same():
    torch.manual_seed(0)
    layers = [ConvReLUMaxPool2d(5, kernel) for kernel in ((4, 6), (6, 8))]
    x = torch.rand(2, 20, 31)
    plain, search = bench.PlainPaths(layers), bench.SearchPaths(layers)
    torch.testing.assert_close(plain(x), search(x))


def test_peak_counts_what_a_step_allocates():
    def step():
        held = torch.zeros(2**18)  # 1 MiB
        del held
        torch.zeros(2**17)

    assert 2**20 <= bench.peak_memory(step, "cpu") < 2**20 + 2**14


@pytest.mark.filterwarnings("ignore::UserWarning:torch.profiler")
def test_layer_from_the_command_line():
    result = CliRunner().invoke(app, ["bench", "layer", "--batch", "1", "--repeats", "1", "--json"])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["threads"] == torch.get_num_threads()
    assert [row["shape"] for row in document["comparisons"]] == [[128, 188]] * 2 + [[40, 188]] * 2
    for row in document["comparisons"]:
        assert row["times_faster"] == pytest.approx(row["plain_ms"] / row["search_ms"], rel=0.1)
        assert row["times_smaller"] > 5


def test_refuses_nothing_to_measure():
    result = CliRunner().invoke(app, ["bench", "layer", "--batch", "0"])
    assert result.exit_code == 2
    assert "batch 0" in result.stderr


def test_inference_from_the_command_line():
    result = CliRunner().invoke(app, ["bench", "inference", "--repeats", "1", "--json"])
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)["rows"]
    assert len(rows) == 2 * 2 * 2
    for without, including in zip(rows[::2], rows[1::2], strict=True):
        assert (without["features"], including["features"]) == (False, True)
        assert 0 < without["microseconds"] < including["microseconds"]


def test_objectives_from_the_command_line(shared_cache):
    result = CliRunner().invoke(app, ["bench", "objectives", "--rounds", "2", "--json"])
    assert result.exit_code == 0, result.output
    rows = {row["objective"]: row for row in json.loads(result.stdout)["rows"]}
    assert set(rows) == {"S", "A", "S+A", "S+C", "S+A+C"}
    for name in ("A", "S+A", "S+C", "S+A+C"):
        ratio = rows[name]["against_softmax"]
        assert 0 < ratio["low"] <= ratio["ratio"] <= ratio["high"]
    assert all(row["milliseconds"] > 0 for row in rows.values())
    assert CliRunner().invoke(app, ["bench", "objectives", "--rounds", "1"]).exit_code == 2
