"""``ser data``: get corpora, check them, see where they are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ser_lib.cli.base import Json, tell

app = typer.Typer(help="Corpora: get them, check them, see where they are.", no_args_is_help=True)

Root = Annotated[
    Path | None,
    typer.Option(help="The corpus's folder, instead of SER_DATA/NAME or the download cache."),
]


@app.command()
def check(
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Corpora to check.")],
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Decode every recording and compare it with the published samples.

    Exit status 1 if a copy is incomplete, damaged, doubled or mixed.
    """
    from ser_lib.corpora.check import require, verify

    if root is not None and len(names) > 1:
        raise ValueError(f"--root {root} can serve one corpus only, not {', '.join(names)}")
    for name in names:
        require(name, root)
    reports = []
    for name in names:
        typer.echo(f"checking {name} ...", err=True)
        reports.append(verify(name, root))
    ok = all(report.ok for report in reports)
    lines = []
    for report in reports:
        lines.append(
            f"{report.name} at {report.root}: {report.verdict}, "
            f"{report.files} files, {report.expected} expected"
        )
        for kind in ("missing", "damaged", "doubled", "unexpected", "notes"):
            lines += [f"  {kind.removesuffix('s')}: {entry}" for entry in getattr(report, kind)]
    tell({"ok": ok, "corpora": [report.to_dict() for report in reports]}, as_json, lines)
    if not ok:
        raise typer.Exit(1)


@app.command("list")
def show(as_json: Json = False) -> None:
    """Show the known corpora, their licences, and where each is looked for."""
    from ser_lib.corpora import NAMES
    from ser_lib.corpora.fetch import locate

    corpora = [locate(name) for name in NAMES]
    lines = []
    for corpus in corpora:
        expected = f" of {corpus['expected']}" if corpus["expected"] else ""
        state = f"{corpus['files']}{expected} files" if corpus["present"] else "not there"
        where = f"{corpus['root']}   licence: {corpus['licence']}"
        lines.append(f"{corpus['name']:8} {state:18} {where}")
    tell({"corpora": corpora}, as_json, lines)


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="builtin, emodb or ravdess.")],
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Make or download a corpus; an interrupted download leaves nothing behind."""
    from ser_lib.corpora.fetch import fetch

    typer.echo(f"fetching {name} ...", err=True)
    folder = fetch(name, root)
    tell({"name": name, "root": str(folder)}, as_json, [f"{name} is at {folder}"])
