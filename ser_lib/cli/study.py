"""``ser study``: plan, run, resume and pack the grid of runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from ser_lib.cli.base import Device, Json, tell

app = typer.Typer(
    help="Studies: the grid of runs that results/NAME/plan.toml fixes.", no_args_is_help=True
)

Study = Annotated[str, typer.Argument(metavar="STUDY", help="A folder of results/.")]
Corpus = Annotated[str | None, typer.Option(help="Only runs on this corpus.")]
Input = Annotated[str | None, typer.Option(help="Only runs with this input, such as mfcc.")]
Objective = Annotated[str | None, typer.Option(help="Only runs with this objective, such as S+C.")]
Fold = Annotated[int | None, typer.Option(help="Only this fold.")]
Seed = Annotated[int | None, typer.Option(help="Only this seed.")]
Name = Annotated[
    str | None, typer.Option("--run", help="Only the run of this name, as `study plan` shows it.")
]
Runs = Annotated[Path, typer.Option(help="Folder of the runs' own folders.")]
Features = Annotated[
    list[Path] | None, typer.Option(help="Feature file to use instead of recordings; repeatable.")
]
Jobs = Annotated[int, typer.Option(min=1, help="Runs at a time, one thread each.")]


def _only(*values: str | int | None) -> dict[str, str | int | None]:
    """Settings that the chosen runs must have, from the options above in their order."""
    names = ("corpus", "input", "objective", "fold", "seed", "identity")
    return dict(zip(names, values, strict=True))


@app.command()
def plan(
    study: Study,
    corpus: Corpus = None,
    input: Input = None,
    objective: Objective = None,
    fold: Fold = None,
    seed: Seed = None,
    name: Name = None,
    features: Features = None,
    as_json: Json = False,
) -> None:
    """Show which runs a study consists of."""
    from dataclasses import asdict

    from ser_lib import study as studies
    from ser_lib.sources import Sources

    sources = Sources(features or ())
    only = _only(corpus, input, objective, fold, seed, name)
    plan = studies.read_plan(study, only, sources=sources)
    document = {"runs": [{"run": c.identity, **asdict(c)} for c in plan.runs]}
    lines = [f"{config.identity}  {config.label}" for config in plan.runs]
    tell(document, as_json, [*lines, f"{len(plan.runs)} runs"])


@app.command()
def run(
    study: Study,
    corpus: Corpus = None,
    input: Input = None,
    objective: Objective = None,
    fold: Fold = None,
    seed: Seed = None,
    name: Name = None,
    runs: Runs = Path("runs"),
    features: Features = None,
    jobs: Jobs = 1,
    device: Device = "cpu",
    as_json: Json = False,
) -> None:
    """Train what is neither finished nor packed; resume what was begun.

    Safe to kill, safe to start twice. If all the runs asked for are packed already, those that are
    not finished in --runs are run again, and all are compared with their records: status 1 if one
    differs though its record was made on the same type of machine.
    """
    from tqdm import tqdm

    from ser_lib import study as studies
    from ser_lib.sources import Sources

    sources = Sources(features or ())
    only = _only(corpus, input, objective, fold, seed, name)
    plan = studies.read_plan(study, only, sources=sources)
    log: list[str] = []

    def say(line: str) -> None:
        log.append(line)
        tqdm.write(line, file=sys.stderr if as_json else None)  # above the bar, where there is one

    agree = studies.run(
        plan,
        runs_root=runs,
        sources=sources,
        jobs=jobs,
        device=device,
        say=say,
        progress=_bar(study),
    )
    tell({"study": study, "agree": agree, "log": log}, as_json, ())
    if not agree:
        raise typer.Exit(1)


@app.command()
def status(
    study: Study, runs: Runs = Path("runs"), features: Features = None, as_json: Json = False
) -> None:
    """Count the runs that are planned, begun, finished and packed."""
    from ser_lib import study as studies
    from ser_lib.sources import Sources

    plan = studies.read_plan(study, sources=Sources(features or ()))
    counts = studies.status(plan, runs_root=runs)
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    tell({"study": study, **counts}, as_json, [told])


@app.command()
def pack(
    study: Study, runs: Runs = Path("runs"), features: Features = None, as_json: Json = False
) -> None:
    """Pack the finished runs into results/STUDY/*.parquet; nothing packed before is lost."""
    from ser_lib import study as studies
    from ser_lib.sources import Sources

    if not runs.is_dir():
        raise ValueError(f"--runs {runs} is no folder; nothing was packed")
    sources = Sources(features or ())
    total = studies.pack(studies.read_plan(study, sources=sources), runs_root=runs, sources=sources)
    tell({"study": study, "packed": total}, as_json, [f"{study}: {total} runs packed"])


@app.command("features")
def save_features(
    study: Study,
    to: Annotated[Path, typer.Option(help="Folder to write to.")],
    corpus: Corpus = None,
    input: Input = None,
    features: Features = None,
) -> None:
    """Write what a study trains on, for a machine without recordings (`run --features FILE`)."""
    from ser_lib import study as studies
    from ser_lib.sources import Sources

    sources = Sources(features or ())
    plan = studies.read_plan(study, _only(corpus, input, None, None, None, None), sources=sources)
    for config in {(config.corpus, config.features): config for config in plan.runs}.values():
        path = to / f"{config.corpus}-{config.input}-{config.features.seconds:g}s.npz"
        sources.dataset(config).save(path)
        typer.echo(str(path))


@app.command()
def yardsticks(study: Study, features: Features = None) -> None:
    """Compute from the recordings what the tables are held against, beside the records."""
    from ser_lib import study as studies
    from ser_lib.evidence import yardsticks
    from ser_lib.sources import Sources

    sources = Sources(features or ())
    for path in yardsticks.write(studies.read_plan(study, sources=sources), sources=sources):
        typer.echo(str(path))


@app.command()
def tables(
    study: Study,
    run: Annotated[
        bool,
        typer.Option("--run", help="First train and pack what is neither finished nor packed."),
    ] = False,
    runs: Runs = Path("runs"),
    features: Features = None,
    jobs: Jobs = 1,
    device: Device = "cpu",
    as_json: Json = False,
) -> None:
    """Print paper 1's Tables 1 and 2 beside what the packed records say."""
    from ser_lib.claims import paper_tables

    if run:
        from tqdm import tqdm

        from ser_lib import study as studies
        from ser_lib.sources import Sources

        def say(line: str) -> None:
            tqdm.write(line, file=sys.stderr)  # standard output is the tables'

        sources = Sources(features or ())
        plan = studies.read_plan(study, sources=sources)
        studies.run(
            plan,
            runs_root=runs,
            sources=sources,
            jobs=jobs,
            device=device,
            again=False,
            say=say,
            progress=_bar(study),
        )
        say(f"{study}: {studies.pack(plan, runs_root=runs, sources=sources)} runs packed")
    document = paper_tables.compare(study)
    tell(document, as_json, [paper_tables.text(document)])


@app.command()
def export(
    study: Study,
    run: Annotated[str, typer.Argument(metavar="RUN", help="Name that `ser study plan` prints.")],
    to: Annotated[Path, typer.Option(help="File to write, such as predictor.npz.")],
    runs: Runs = Path("runs"),
    features: Features = None,
    as_json: Json = False,
) -> None:
    """Make the file that `ser predict` answers by from a finished run."""
    from ser_lib import predictor
    from ser_lib.sources import Sources

    made = predictor.export(study, run, runs_root=runs, sources=Sources(features or ()))
    made.save(to)
    tell({"path": str(to), **made.describe()}, as_json, [f"{to}: {made}"])


def _bar(study: str) -> Callable[[Iterator[str], int, int], Iterable[str]]:
    """Give the finished runs of a study a progress bar on a terminal."""
    from tqdm import tqdm

    def wrap(lines: Iterator[str], done: int, total: int) -> Iterable[str]:
        return tqdm(lines, study, total, initial=done, unit="run", disable=None)

    return wrap
