"""The command line: ``ser``.

Each sub-app stands in a section of its own. Commands import what they need when they run, so that
``ser --help`` is quick; they raise ``ValueError`` or ``OSError``, which become one message and
exit status 2.
"""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ser_lib import __version__


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


app = typer.Typer(
    cls=Group,
    help="Emotion by Distance: speech emotion recognition with metric learning.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def print_json(document: Any) -> None:
    """Print one JSON document on standard output."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


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


# --- ser data ------------------------------------------------------------------------------------

data_app = typer.Typer(
    help="Corpora: get them, check them, see where they are.", no_args_is_help=True
)
app.add_typer(data_app, name="data")

Root = Annotated[
    Path | None,
    typer.Option(help="The corpus's folder, instead of SER_DATA/NAME or the download cache."),
]


@data_app.command("check")
def data_check(
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
    if as_json:
        print_json({"ok": ok, "corpora": [report.to_dict() for report in reports]})
    else:
        for report in reports:
            typer.echo(
                f"{report.name} at {report.root}: {report.verdict}, "
                f"{report.files} files, {report.expected} expected"
            )
            for kind in ("missing", "damaged", "doubled", "unexpected", "notes"):
                for entry in getattr(report, kind):
                    typer.echo(f"  {kind.removesuffix('s')}: {entry}")
    if not ok:
        raise typer.Exit(1)


@data_app.command("list")
def data_list(as_json: Json = False) -> None:
    """Show the known corpora, their licences, and where each is looked for."""
    from ser_lib.corpora import NAMES
    from ser_lib.corpora.fetch import locate

    corpora = [locate(name) for name in NAMES]
    if as_json:
        print_json({"corpora": corpora})
        return
    for corpus in corpora:
        expected = f" of {corpus['expected']}" if corpus["expected"] else ""
        state = f"{corpus['files']}{expected} files" if corpus["present"] else "not there"
        typer.echo(f"{corpus['name']:8} {state:18} {corpus['root']}   licence: {corpus['licence']}")


@data_app.command("fetch")
def data_fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="builtin, emodb or ravdess.")],
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Make or download a corpus; an interrupted download leaves nothing behind."""
    from ser_lib.corpora.fetch import fetch

    typer.echo(f"fetching {name} ...", err=True)
    folder = fetch(name, root)
    if as_json:
        print_json({"name": name, "root": str(folder)})
    else:
        typer.echo(f"{name} is at {folder}")


# --- ser study -----------------------------------------------------------------------------------

study_app = typer.Typer(
    help="Studies: the grid of runs that results/NAME/plan.toml fixes.", no_args_is_help=True
)
app.add_typer(study_app, name="study")

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
Device = Annotated[str, typer.Option(help="Of torch: cpu or cuda.")]


def _only(*values: str | int | None) -> dict[str, str | int | None]:
    """Settings that the chosen runs must have, from the options above in their order."""
    names = ("corpus", "input", "objective", "fold", "seed", "identity")
    return dict(zip(names, values, strict=True))


@study_app.command("plan")
def study_plan(
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
    if as_json:
        print_json({"runs": [{"run": c.identity, **asdict(c)} for c in plan.runs]})
        return
    for config in plan.runs:
        typer.echo(f"{config.identity}  {config.label}")
    typer.echo(f"{len(plan.runs)} runs")


@study_app.command("run")
def study_run(
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
) -> None:
    """Train what is neither finished nor packed; resume what was begun.

    Safe to kill, safe to start twice. If all the runs asked for are packed already, they are run
    again from scratch and compared with their records.
    """
    from tqdm import tqdm

    from ser_lib import study as studies
    from ser_lib.sources import Sources

    sources = Sources(features or ())
    only = _only(corpus, input, objective, fold, seed, name)
    plan = studies.read_plan(study, only, sources=sources)
    studies.run(
        plan,
        runs_root=runs,
        sources=sources,
        jobs=jobs,
        device=device,
        say=tqdm.write,  # above the bar, where there is one
        progress=_bar(study),
    )


@study_app.command("status")
def study_status(
    study: Study, runs: Runs = Path("runs"), features: Features = None, as_json: Json = False
) -> None:
    """Count the runs that are planned, begun, finished and packed."""
    from ser_lib import study as studies
    from ser_lib.sources import Sources

    plan = studies.read_plan(study, sources=Sources(features or ()))
    counts = studies.status(plan, runs_root=runs)
    if as_json:
        print_json({"study": study, **counts})
    else:
        typer.echo(", ".join(f"{count} {name}" for name, count in counts.items()))


@study_app.command("pack")
def study_pack(study: Study, runs: Runs = Path("runs"), features: Features = None) -> None:
    """Pack the finished runs into results/STUDY/*.parquet; nothing packed before is lost."""
    from ser_lib import study as studies
    from ser_lib.sources import Sources

    sources = Sources(features or ())
    total = studies.pack(studies.read_plan(study, sources=sources), runs_root=runs, sources=sources)
    typer.echo(f"{study}: {total} runs packed")


@study_app.command("yardsticks")
def study_yardsticks(study: Study, features: Features = None) -> None:
    """Compute from the recordings what the tables are held against, beside the records."""
    from ser_lib import study as studies
    from ser_lib.evidence import yardsticks
    from ser_lib.sources import Sources

    sources = Sources(features or ())
    for path in yardsticks.write(studies.read_plan(study, sources=sources), sources=sources):
        typer.echo(str(path))


@study_app.command("tables")
def study_tables(
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
    from ser_lib.evidence import paper_tables

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
    if as_json:
        print_json(document)
    else:
        typer.echo(paper_tables.text(document))


@study_app.command("export")
def study_export(
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
    if as_json:
        print_json({"path": str(to), **made.describe()})
    else:
        typer.echo(f"{to}: {made}")


def _bar(study: str) -> Callable[[Iterator[str], int, int], Iterable[str]]:
    """Give the finished runs of a study a progress bar on a terminal."""
    from tqdm import tqdm

    def wrap(lines: Iterator[str], done: int, total: int) -> Iterable[str]:
        return tqdm(lines, study, total, initial=done, unit="run", disable=None)

    return wrap


# --- ser claims ----------------------------------------------------------------------------------

claims_app = typer.Typer(
    help="The papers' claims, judged by their rules from the records.", no_args_is_help=True
)
app.add_typer(claims_app, name="claims")


@claims_app.command("check")
def claims_check(as_json: Json = False) -> None:
    """Judge every claim again; compare with what is written, and with what the chapters say.

    Exit status 1 if anything disagrees; all of it is listed.
    """
    from ser_lib import claims

    problems = claims.check()
    if as_json:
        verdicts = {}
        if not problems:
            verdicts = {study: claims.count(study) for study in claims.studies()}
        print_json({"ok": not problems, "verdicts": verdicts, "problems": problems})
    else:
        for problem in problems:
            typer.echo(problem)
        names = ", ".join(claims.studies())
        typer.echo(f"{names}: {len(problems) or 'no'} disagreement{'s'[: len(problems) != 1]}")
    if problems:
        raise typer.Exit(1)


@claims_app.command("update")
def claims_update(as_json: Json = False) -> None:
    """Judge every claim and write results/STUDY/verdicts.json of each study with a ledger."""
    from ser_lib import claims

    for study in claims.studies():
        claims.update(study)
    counts = {study: claims.count(study) for study in claims.studies()}
    if as_json:
        print_json({"verdicts": counts})
        return
    for study, words in counts.items():
        typer.echo(f"{study}: " + ", ".join(f"{n} {word}" for word, n in words.items()))


# --- ser predict ---------------------------------------------------------------------------------


@app.command("predict")
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

    model = model or records.results_folder() / "paper2" / "predictor.npz"
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


# --- ser book ------------------------------------------------------------------------------------

book_app = typer.Typer(help="The book: run its chapters, build the site.", no_args_is_help=True)
app.add_typer(book_app, name="book")

RunOn = Annotated[str, typer.Option("--corpus", help="Speech that the chapters are run on.")]
Profile = Annotated[str, typer.Option(help="smoke: as little as shows the point; or full.")]


@book_app.command("build")
def book_build(corpus: RunOn = "builtin", profile: Profile = "smoke") -> None:
    """Run the chapters that changed and build the site."""
    from ser_lib.book import build as book

    book.build(corpus, profile, report=typer.echo)


@book_app.command("status")
def book_status(
    corpus: RunOn = "builtin", profile: Profile = "smoke", as_json: Json = False
) -> None:
    """Show when each chapter was last run, and whether that is up to date."""
    from ser_lib.book import build as book

    rows = book.status(corpus, profile)
    if as_json:
        print_json({"pages": rows})
        return
    for row in rows:
        fresh = "fresh" if row["fresh"] else "stale"
        typer.echo(f"{row['page']:16} {fresh:6} {row.get('started', 'never run')}")


@book_app.command("sync")
def book_sync() -> None:
    """Put the set-up cell into every chapter and write the .ipynb twins."""
    from ser_lib.book import build as book

    for path in book.sync():
        typer.echo(str(path))


# --- ser bench -----------------------------------------------------------------------------------

bench_app = typer.Typer(
    help="Speed and memory as ratios to the plain way, in one run.", no_args_is_help=True
)
app.add_typer(bench_app, name="bench")


@bench_app.command("layer")
def bench_layer(
    batch: Annotated[int, typer.Option(help="Utterances in a step.")] = 16,
    repeats: Annotated[int, typer.Option(help="Timed steps of either form.")] = 3,
    threads: Annotated[int | None, typer.Option(help="Threads of torch; default: its own.")] = None,
    device: Device = "cpu",
    as_json: Json = False,
) -> None:
    """Convolution, ReLU and max-pooling by search against torch's own layers."""
    from ser_lib import bench

    document = bench.layer.compare(batch=batch, repeats=repeats, threads=threads, device=device)
    if as_json:
        print_json(document)
        return
    for row in document["comparisons"]:
        typer.echo(
            f"{row['shape'][0]} x {row['shape'][1]}, {row['speech']:.0%} speech: "
            f"{row['plain_ms']:.1f} -> {row['search_ms']:.1f} ms an utterance "
            f"({row['times_faster']} times faster), {row['plain_mib']:.0f} -> "
            f"{row['search_mib']:.0f} MiB ({row['times_smaller']} times smaller)"
        )


@bench_app.command("inference")
def bench_inference(
    repeats: Annotated[int, typer.Option(help="Timed calls; the fastest counts.")] = 5,
    device: Device = "cpu",
    as_json: Json = False,
) -> None:
    """Time paper 1's network per utterance, single and in batches, features included and not."""
    from ser_lib import bench

    document = bench.inference.measure(repeats=repeats, device=device)
    if as_json:
        print_json(document)
        return
    for row in document["rows"]:
        typer.echo(
            f"{row['input']:8} batch {row['batch']:3} on {row['device']}, "
            f"{'with' if row['features'] else 'without'} features: {row['microseconds']:,} µs"
        )


@bench_app.command("objectives")
def bench_objectives(
    rounds: Annotated[int, typer.Option(help="Timed epochs of each objective.")] = 5,
    device: Device = "cpu",
    as_json: Json = False,
) -> None:
    """Time paper 1's training steps with each objective against softmax alone, in turns."""
    from ser_lib import bench

    document = bench.objectives.compare(rounds=rounds, device=device)
    if as_json:
        print_json(document)
        return
    for row in document["rows"]:
        text = f"{row['objective']:6} {row['milliseconds']:.1f} ms a step"
        if ratio := row.get("against_softmax"):
            ends = f"{ratio['low']:.2f} to {ratio['high']:.2f}"
            text += f", {ratio['ratio']:.2f} ({ends}) times softmax alone"
        typer.echo(text)


@bench_app.command("mining")
def bench_mining(
    repeats: Annotated[int, typer.Option(help="Timed steps of either.")] = 5,
    threads: Annotated[int, typer.Option(help="Threads of torch.")] = 1,
    device: Annotated[str, typer.Option(help="Of torch: cpu or cuda.")] = "cpu",
    as_json: Json = False,
) -> None:
    """Loss of all triplets and its gradient against pytorch-metric-learning."""
    from ser_lib import bench

    document = bench.mining.compare(repeats=repeats, threads=threads, device=device)
    if as_json:
        print_json(document)
        return
    for row in document["rows"]:
        typer.echo(
            f"batch {row['batch']:3}, {row['triplets']:,} triplets: "
            f"{row['plain_ms']:.1f} -> {row['our_ms']:.1f} ms ({row['times_faster']} times "
            f"faster), {row['plain_mib']:.0f} -> {row['our_mib']:.0f} MiB "
            f"({row['times_smaller']} times smaller), equal to {row['difference']:.0e}"
        )


@bench_app.command("angles")
def bench_angles(
    repeats: Annotated[int, typer.Option(help="Timed calls of each form.")] = 5,
    threads: Annotated[int, typer.Option(help="Threads of torch; the loop has one.")] = 1,
    as_json: Json = False,
) -> None:
    """Angles of all utterances with all classes: one matrix product against a loop."""
    from ser_lib import bench

    document = bench.angles.compare(repeats=repeats, threads=threads)
    if as_json:
        print_json(document)
        return
    for row in document["comparisons"]:
        same = "the same" if row["same_answers"] else "other"
        typer.echo(
            f"{row['utterances']:,} utterances x {row['classes']} classes x {row['dimensions']}: "
            f"loop {row['loop_ms']:.1f} ms, angles {row['angles_ms']:.2f} ms "
            f"({row['angles_times_faster']} times faster), classes {row['classify_ms']:.2f} ms "
            f"({row['classify_times_faster']} times faster), {same} answers, "
            f"angles differ by up to {row['largest_difference']:.1g} degrees"
        )


def main() -> None:
    """Run ``ser``."""
    app(prog_name="ser")


if __name__ == "__main__":
    main()
