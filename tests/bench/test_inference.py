"""The time of an utterance, without and with its features."""

import json

from tests.commands import ser


def test_inference_from_the_command_line():
    result = ser("bench", "inference", "--repeats", "1", "--json")
    rows = json.loads(result.stdout)["rows"]
    assert len(rows) == 2 * 2 * 2
    for without, including in zip(rows[::2], rows[1::2], strict=True):
        assert (without["features"], including["features"]) == (False, True)
        assert 0 < without["microseconds"] < including["microseconds"]
