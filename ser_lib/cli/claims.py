"""``ser claims``: the papers' claims, judged from the records."""

from __future__ import annotations

import typer

from ser_lib.cli.base import Json, tell

app = typer.Typer(
    help="The papers' claims, judged by their rules from the records.", no_args_is_help=True
)


@app.command()
def check(as_json: Json = False) -> None:
    """Judge every claim again; compare with what is written, and with what the chapters say.

    Exit status 1 if anything disagrees; all of it is listed.
    """
    from ser_lib import claims, records
    from ser_lib.book.pages import sources

    problems = claims.check()
    studies = claims.studies()
    chapters = len(sources(records.results_folder().parent))
    verdicts = {} if problems else {study: claims.count(study) for study in studies}
    total = f"{len(problems) or 'no'} disagreement{'s'[: len(problems) != 1]}"
    document = {
        "ok": not problems,
        "verdicts": verdicts,
        "chapters": chapters,
        "problems": problems,
    }
    tell(document, as_json, [*problems, f"{', '.join(studies)} and {chapters} chapters: {total}"])
    if problems:
        raise typer.Exit(1)


@app.command()
def update(as_json: Json = False) -> None:
    """Judge every claim and write results/STUDY/verdicts.json of each study with a ledger."""
    from ser_lib import claims

    for study in claims.studies():
        claims.update(study)
    counts = {study: claims.count(study) for study in claims.studies()}
    lines = (
        f"{study}: " + ", ".join(f"{n} {word}" for word, n in words.items())
        for study, words in counts.items()
    )
    tell({"verdicts": counts}, as_json, lines)
