"""``ser book``: run the chapters, build the site."""

from __future__ import annotations

from typing import Annotated

import typer

from ser_lib.cli.base import Json, tell

app = typer.Typer(help="The book: run its chapters, build the site.", no_args_is_help=True)

RunOn = Annotated[str, typer.Option("--corpus", help="Speech that the chapters are run on.")]
Profile = Annotated[str, typer.Option(help="smoke: as little as shows the point; or full.")]


@app.command()
def build(corpus: RunOn = "builtin", profile: Profile = "smoke") -> None:
    """Run the chapters that changed and build the site."""
    from ser_lib.book import build as book

    book.build(corpus, profile, report=typer.echo)


@app.command()
def status(corpus: RunOn = "builtin", profile: Profile = "smoke", as_json: Json = False) -> None:
    """Show when each chapter was last run, and whether that is up to date."""
    from ser_lib.book import build as book

    rows = book.status(corpus, profile)
    lines = []
    for row in rows:
        fresh = "fresh" if row["fresh"] else "stale"
        lines.append(f"{row['page']:16} {fresh:6} {row.get('started', 'never run')}")
    tell({"pages": rows}, as_json, lines)


@app.command()
def sync() -> None:
    """Put the set-up cell into every chapter and write the .ipynb twins."""
    from ser_lib.book import build as book

    for path in book.sync():
        typer.echo(str(path))
