"""The command line: ``ser``, with one module for each of its words.

Commands import what they need when they run, so that ``ser --help`` is quick; they raise
``ValueError`` or ``OSError``, which become one message and exit status 2.
"""

from __future__ import annotations

from typing import Annotated

import typer

from ser_lib import __version__
from ser_lib.cli import bench, book, claims, data, study
from ser_lib.cli.base import Group
from ser_lib.cli.predict import predict

app = typer.Typer(
    cls=Group,
    help="Emotion by Distance: speech emotion recognition with metric learning.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

app.command("predict")(predict)
for name, commands in {
    "data": data, "study": study, "claims": claims, "book": book, "bench": bench
}.items():  # fmt: skip
    app.add_typer(commands.app, name=name)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"ser {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run ``ser``."""
    app(prog_name="ser")
