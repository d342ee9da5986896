"""The benchmark of angles compares forms that give the same, and says what it measured."""

import json

import numpy as np
import pytest
import torch

from ser_lib.angles import angles
from ser_lib.bench import angles as bench
from tests.commands import ser


def test_the_loop_gives_the_same_angles():
    rng = np.random.default_rng(1)
    z, u = rng.normal(size=(7, 5)), rng.normal(size=(3, 5))
    np.testing.assert_allclose(bench.angle_loop(z, u), angles(z, u), atol=1e-11)


def test_ratios_and_equality_in_one_run(monkeypatch):
    # Seconds of the loop, the table of angles, and the answers alone.
    monkeypatch.setattr(bench, "fastest_of_each", lambda *_: [0.010, 0.002, 0.0005])
    before = torch.get_num_threads()
    document = bench.compare(shapes=[(300, 8, 200), (1, 1, 1)], repeats=1)
    assert torch.get_num_threads() == before
    for row, shape in zip(document["comparisons"], [(300, 8, 200), (1, 1, 1)], strict=True):
        assert (row["utterances"], row["classes"], row["dimensions"]) == shape
        assert row["same_answers"]
        assert row["largest_difference"] < 1e-11
        assert [row[f"{form}_ms"] for form in ("loop", "angles", "classify")] == [10, 2, 0.5]
        assert (row["angles_times_faster"], row["classify_times_faster"]) == (5, 20)


def test_a_difference_would_show(monkeypatch):
    monkeypatch.setattr(bench, "angle_loop", lambda z, u: 180 - angles(z, u).numpy())
    (row,) = bench.compare(shapes=[(50, 4, 3)], repeats=1)["comparisons"]
    assert not row["same_answers"]
    assert row["largest_difference"] > 1


@pytest.mark.parametrize(
    "options", [{"repeats": 0}, {"threads": 0}, {"shapes": [(1, 0, 2)]}], ids=str
)
def test_refuses_nothing_to_measure(options):
    with pytest.raises(ValueError, match="must be positive"):
        bench.compare(**options)


def test_from_the_command_line():
    result = ser("bench", "angles", "--repeats", "1", "--json")
    document = json.loads(result.stdout)
    assert document["threads"] == 1
    shapes = [(r["utterances"], r["classes"], r["dimensions"]) for r in document["comparisons"]]
    assert shapes == list(bench.SHAPES)
    assert all(row["same_answers"] for row in document["comparisons"])
