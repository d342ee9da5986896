"""The command line, run inside the tests' own process."""

from typer.testing import CliRunner

from ser_lib.cli import app


def ser(*arguments, status=0):
    """Run ``ser`` with these arguments; it must end with this exit status and no traceback."""
    result = CliRunner().invoke(
        app, [str(argument) for argument in arguments], catch_exceptions=False
    )
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    return result
