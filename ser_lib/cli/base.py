"""What the commands share: errors as messages, one JSON document, options of several."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Device = Annotated[str, typer.Option(help="Of torch: cpu or cuda.")]


class Group(TyperGroup):
    """A group of commands that turns bad input into one message and exit status 2."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (ValueError, OSError) as error:
            # Whoever reads our output has gone (`ser … | head`): typer ends quietly by itself.
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise
            typer.echo(f"ser: {error}", err=True)
            raise typer.Exit(2) from None


def tell(document: Any, as_json: bool, lines: Iterable[str]) -> None:
    """Print a document, or the lines that say the same."""
    if as_json:
        print_json(document)
        return
    for line in lines:
        typer.echo(line)


def print_json(document: Any) -> None:
    """Print one JSON document on standard output."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
