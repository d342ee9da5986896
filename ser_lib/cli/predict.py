"""``ser predict``: which emotion a recording is nearest to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ser_lib.cli.base import Json, print_json


def predict(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="Recordings (wav, flac) of 0.5 to 60 s.")
    ],
    model: Annotated[
        Path | None,
        typer.Option(help="Made by `ser study export`; default: results/paper2/predictor.npz."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say which emotion each recording is nearest to, by the angle to each emotion's direction.

    The answer is "unknown" where no angle is small enough. Exit status 1 if a recording could not
    be answered; the others are.
    """
    from dataclasses import asdict

    from ser_lib import records
    from ser_lib.predictor import Predictor

    model = model or records.study_folder("paper2") / "predictor.npz"
    predictor = Predictor.load(model)
    typer.echo(f"by {model}, {predictor}", err=True)
    rows: list[dict[str, Any]] = []
    for file in files:
        try:
            answer = predictor.predict(file)
        except (ValueError, OSError) as error:
            rows.append({"path": str(file), "error": str(error)})
            typer.echo(f"ser: {error}", err=True)
            continue
        rows.append({**asdict(answer), "emotion": answer.emotion})
        if not as_json:
            typer.echo(answer)
    ok = not any("error" in row for row in rows)
    if as_json:
        print_json({"ok": ok, "model": {"path": str(model), **predictor.describe()}, "files": rows})
    if not ok:
        raise typer.Exit(1)
