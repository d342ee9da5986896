"""The time of a training step with each objective."""

import json

from tests.commands import ser


def test_objectives_from_the_command_line(shared_cache):
    result = ser("bench", "objectives", "--rounds", "2", "--json")
    rows = {row["objective"]: row for row in json.loads(result.stdout)["rows"]}
    assert set(rows) == {"S", "A", "S+A", "S+C", "S+A+C"}
    for name in ("A", "S+A", "S+C", "S+A+C"):
        ratio = rows[name]["against_softmax"]
        assert 0 < ratio["low"] <= ratio["ratio"] <= ratio["high"]
    assert all(row["milliseconds"] > 0 for row in rows.values())
    ser("bench", "objectives", "--rounds", "1", status=2)
