"""``ser bench``: speed and memory as ratios to the plain way, in one run."""

from __future__ import annotations

from typing import Annotated

import typer

from ser_lib.cli.base import Device, Json, tell

app = typer.Typer(
    help="Speed and memory as ratios to the plain way, in one run.", no_args_is_help=True
)


@app.command()
def layer(
    batch: Annotated[int, typer.Option(help="Utterances in a step.")] = 16,
    repeats: Annotated[int, typer.Option(help="Timed steps of either form.")] = 3,
    threads: Annotated[int | None, typer.Option(help="Threads of torch; default: its own.")] = None,
    device: Device = "cpu",
    as_json: Json = False,
) -> None:
    """Convolution, ReLU and max-pooling by search against torch's own layers."""
    from ser_lib import bench

    document = bench.layer.compare(batch=batch, repeats=repeats, threads=threads, device=device)
    lines = (
        f"{row['shape'][0]} x {row['shape'][1]}, {row['speech']:.0%} speech: "
        f"{row['plain_ms']:.1f} -> {row['search_ms']:.1f} ms an utterance "
        f"({row['times_faster']} times faster), {row['plain_mib']:.0f} -> "
        f"{row['search_mib']:.0f} MiB ({row['times_smaller']} times smaller)"
        + ("" if row["plain_system"] is None else f"; plain: {row['plain_system']:.0%} system")
        + "".join(f"; {name} {taken:.2f} ms" for name, taken in row["rivals"].items())
        for row in document["comparisons"]
    )
    tell(document, as_json, lines)


@app.command()
def inference(
    repeats: Annotated[int, typer.Option(help="Timed calls; the fastest counts.")] = 5,
    device: Device = "cpu",
    as_json: Json = False,
) -> None:
    """Time paper 1's network per utterance, single and in batches, features included and not."""
    from ser_lib import bench

    document = bench.inference.measure(repeats=repeats, device=device)
    lines = (
        f"{row['input']:8} batch {row['batch']:3} on {row['device']}, "
        f"{'with' if row['features'] else 'without'} features: {row['microseconds']:,} µs"
        for row in document["rows"]
    )
    tell(document, as_json, lines)


@app.command()
def objectives(
    rounds: Annotated[int, typer.Option(help="Timed epochs of each objective.")] = 5,
    device: Device = "cpu",
    as_json: Json = False,
) -> None:
    """Time paper 1's training steps with each objective against softmax alone, in turns."""
    from ser_lib import bench

    document = bench.objectives.compare(rounds=rounds, device=device)
    lines = []
    for row in document["rows"]:
        text = f"{row['objective']:6} {row['milliseconds']:.1f} ms a step"
        if ratio := row.get("against_softmax"):
            ends = f"{ratio['low']:.2f} to {ratio['high']:.2f}"
            text += f", {ratio['ratio']:.2f} ({ends}) times softmax alone"
        lines.append(text)
    tell(document, as_json, lines)


@app.command()
def mining(
    repeats: Annotated[int, typer.Option(help="Timed steps of either.")] = 5,
    threads: Annotated[int, typer.Option(help="Threads of torch.")] = 1,
    device: Device = "cpu",
    as_json: Json = False,
) -> None:
    """Loss of all triplets and its gradient against pytorch-metric-learning."""
    from ser_lib import bench

    document = bench.mining.compare(repeats=repeats, threads=threads, device=device)
    lines = (
        f"batch {row['batch']:3}, {row['triplets']:,} triplets: "
        f"{row['plain_ms']:.1f} -> {row['our_ms']:.1f} ms ({row['times_faster']} times "
        f"faster), {row['plain_mib']:.0f} -> {row['our_mib']:.0f} MiB "
        f"({row['times_smaller']} times smaller), equal to {row['difference']:.0e}"
        for row in document["rows"]
    )
    tell(document, as_json, lines)


@app.command()
def angles(
    repeats: Annotated[int, typer.Option(help="Timed calls of each form.")] = 5,
    threads: Annotated[int, typer.Option(help="Threads of torch; the loop has one.")] = 1,
    as_json: Json = False,
) -> None:
    """Angles of all utterances with all classes: one matrix product against a loop."""
    from ser_lib import bench

    document = bench.angles.compare(repeats=repeats, threads=threads)
    lines = (
        f"{row['utterances']:,} utterances x {row['classes']} classes x {row['dimensions']}: "
        f"loop {row['loop_ms']:.1f} ms, angles {row['angles_ms']:.2f} ms "
        f"({row['angles_times_faster']} times faster), classes {row['classify_ms']:.2f} ms "
        f"({row['classify_times_faster']} times faster), "
        f"{'the same' if row['same_answers'] else 'other'} answers, "
        f"angles differ by up to {row['largest_difference']:.1g} degrees"
        for row in document["comparisons"]
    )
    tell(document, as_json, lines)
