"""The time of an utterance, without and with its features."""

import json

from typer.testing import CliRunner

from ser_lib.cli import app


def test_inference_from_the_command_line():
    result = CliRunner().invoke(app, ["bench", "inference", "--repeats", "1", "--json"])
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)["rows"]
    assert len(rows) == 2 * 2 * 2
    for without, including in zip(rows[::2], rows[1::2], strict=True):
        assert (without["features"], including["features"]) == (False, True)
        assert 0 < without["microseconds"] < including["microseconds"]
