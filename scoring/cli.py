"""`podium`: check, score, submit, pack and doctor on the command line.

Exit codes: 0 accepted or scored, 1 rejected, 2 wrong usage of the command, 3 fault.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from scoring import report
from scoring.contracts import Format, ScoreReport, TrackSpec
from scoring.errors import Fault, Rejected
from scoring.plan import MAX_SEED, Mode
from scoring.screen import Screen
from scoring.tracks import InvalidTrack, load_track

EXIT_REJECTED, EXIT_USAGE, EXIT_FAULT = 1, 2, 3

app = typer.Typer(
    help="Check, score, pack and submit entries of a Podium track.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

export = typer.Typer(help="Make a package of one format from a package of another.", no_args_is_help=True)
app.add_typer(export, name="export")

Entry = Annotated[
    Path, typer.Argument(metavar="PATH", exists=True, help="A zip, a .tar.gz, an .onnx file or a folder.")
]
Track = Annotated[str, typer.Option("--track", help="A preset's name or a track.yaml.")]
Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON and nothing else.")]
Trust = Annotated[
    bool,
    typer.Option("--trust", help="Run your own entry without isolation, where bubblewrap is not to be had."),
]
Log = Annotated[bool, typer.Option("--log", help="Show the run's log, tracebacks included.")]


@app.command()
def check(path: Entry, track: Track, json: Json = False, trust: Trust = False, log: Log = False) -> None:
    """Do what the worker does before hidden data: unpack, recognise, measure, enforce budgets."""
    spec = _load(track)

    def flow(screen: Screen, workdir: Path) -> ScoreReport:
        from scoring import pipeline

        return pipeline.check(path, spec, sandbox=_sandbox(trust), workdir=workdir, note=screen.note)

    _report(spec, flow, as_json=json, show_log=log)


@app.command()
def score(
    path: Entry,
    track: Track,
    data: Annotated[
        Path,
        typer.Option("--data", exists=True, file_okay=False, help="A folder with labels.csv and its files."),
    ],
    debug: Annotated[bool, typer.Option("--debug", help="A quick look: 100 images or 50 clips.")] = False,
    small: Annotated[bool, typer.Option("--small", help="5,000 samples.")] = False,
    full: Annotated[bool, typer.Option("--full", help="All samples, by a plan.")] = False,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, max=MAX_SEED, help="Of the sample plan; default 42.")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option("--batch-size", min=1, max=1_024, help="Default: the track's.")
    ] = None,
    results_dir: Annotated[
        Path | None,
        typer.Option("--results-dir", file_okay=False, help="Keeps results, and resumes what was cut short."),
    ] = None,
    checkpoint_every: Annotated[
        int | None, typer.Option("--checkpoint-every", min=1, help="Samples a chunk; default 1024.")
    ] = None,
    augmented: Annotated[
        int | None,
        typer.Option("--augmented", min=1, help="Samples of each group scored after the robustness suite."),
    ] = None,
    augment_level: Annotated[
        int | None, typer.Option("--augment-level", min=0, max=3, help="Random changes of every sample.")
    ] = None,
    crop_prob: Annotated[
        float | None, typer.Option("--crop-prob", min=0, max=1, help="Probability of a random crop.")
    ] = None,
    json: Json = False,
    trust: Trust = False,
    log: Log = False,
) -> None:
    """Do the whole flow on labelled data of your own; with a mode, as a benchmark run by a sample plan."""
    spec = _load(track)
    options = _benchmark_options(
        modes={Mode.DEBUG: debug, Mode.SMALL: small, Mode.FULL: full},
        seed=seed,
        batch_size=batch_size,
        results_dir=results_dir,
        chunk_samples=checkpoint_every,
        augmented=augmented,
        augment_level=augment_level,
        crop_probability=crop_prob,
    )

    def benchmark(screen: Screen, workdir: Path) -> ScoreReport:
        from scoring.benchmark import run

        return run.run(
            path,
            spec,
            data=data,
            options=run.Options(**options),
            cache=_cache(),
            sandbox=_sandbox(trust),
            workdir=workdir,
            note=screen.note,
        )

    def flow(screen: Screen, workdir: Path) -> ScoreReport:
        from scoring import pipeline

        return pipeline.score(
            path,
            spec,
            data=data,
            benchmark=None,
            cache=_cache(),
            sandbox=_sandbox(trust),
            workdir=workdir,
            note=screen.note,
        )

    _report(spec, benchmark if options else flow, as_json=json, show_log=log)


@app.command()
def submit(
    path: Entry,
    track: Annotated[str, typer.Option("--track", help="The track's short name on the site.")],
    server: Annotated[str, typer.Option("--server", help="The site's address.")],
    token: Annotated[
        str | None, typer.Option("--token", envvar="PODIUM_TOKEN", help="Your API token.")
    ] = None,
    json: Json = False,
) -> None:
    """Upload an entry, follow it, print its score."""
    from scoring.commands.submit import submit as upload_and_follow

    raise typer.Exit(upload_and_follow(path, track=track, server=server, token=token, json=json))


@app.command()
def pack(
    folder: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="The folder that holds model.py.")
    ],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Default: FOLDER.zip here.")] = None,
) -> None:
    """Make a correct entry from a folder."""
    from scoring.pack import pack as make_entry

    destination = output or Path(f"{folder.resolve().name}.zip")
    try:
        make_entry(folder, destination)
    except Rejected as exc:
        Screen(quiet=False).show(report.rejected(exc, track=""))
        raise typer.Exit(EXIT_REJECTED) from exc
    typer.echo(f"{destination} ({destination.stat().st_size:,} bytes)")


@export.command(name="onnx")
def export_onnx(
    path: Entry,
    track: Track,
    output: Annotated[Path, typer.Option("--output", "-o", dir_okay=False, help="The .onnx file to write.")],
    source: Annotated[
        Format | None, typer.Option("--from", help="PATH's format, where several match.")
    ] = None,
    json: Json = False,
    trust: Trust = False,
    log: Annotated[bool, typer.Option("--log", help="Show the run's log, tracebacks included.")] = False,
) -> None:
    """Turn a torch package into ONNX with a dynamic batch, compare the two, check the result."""
    from scoring.commands.export import to_onnx

    code = to_onnx(
        path,
        _load(track),
        source=source,
        output=output,
        sandbox=_sandbox(trust),
        as_json=json,
        debug=log,
    )
    raise typer.Exit(code)


@app.command()
def describe(path: Entry, track: Track, trust: Trust = False) -> None:
    """Print what belongs into a model folder's info.yaml, as the sandbox measures it."""
    from scoring import pipeline
    from scoring.commands.describe import technical_details

    spec = _load(track)
    with Screen(quiet=False) as screen, tempfile.TemporaryDirectory(prefix="podium-") as folder:
        try:
            measured = pipeline.check(
                path, spec, sandbox=_sandbox(trust), workdir=Path(folder), note=screen.note
            )
        except Rejected as exc:
            screen.show(report.rejected(exc, track=spec.slug))
            raise typer.Exit(EXIT_REJECTED) from exc
        except Fault as exc:
            screen.show(report.fault(exc, track=spec.slug))
            raise typer.Exit(EXIT_FAULT) from exc
    typer.echo(technical_details(measured, spec), nl=False)


@app.command(name="doctor")
def examine() -> None:
    """Say in plain words what this machine lacks."""
    from scoring import doctor

    checks = doctor.examine()
    Screen(quiet=False).show_checks(checks)
    raise typer.Exit(0 if all(item.ok for item in checks) else EXIT_FAULT)


def main() -> None:
    """Run the command line."""
    app()


def _report(
    spec: TrackSpec, flow: Callable[[Screen, Path], ScoreReport], *, as_json: bool, show_log: bool
) -> None:
    """Run the flow in a folder of its own, print its report, leave with its exit code."""
    log = ""
    with Screen(quiet=as_json) as screen, tempfile.TemporaryDirectory(prefix="podium-") as folder:
        try:
            result = flow(screen, Path(folder))
            outcome, code, log = report.accepted_or_scored(result), 0, result.log
        except Rejected as exc:
            outcome, code, log = report.rejected(exc, track=spec.slug), EXIT_REJECTED, exc.log
        except Fault as exc:
            outcome, code = report.fault(exc, track=spec.slug), EXIT_FAULT
    _print(screen, outcome, log if show_log or code else "", as_json=as_json)
    raise typer.Exit(code)


def _print(screen: Screen, outcome: dict[str, Any], log: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(outcome | ({"log": log} if log else {}), indent=2, ensure_ascii=False))
        return
    screen.show(outcome)
    screen.show_log(log)


def _benchmark_options(*, modes: Mapping[Mode, bool], **given: Any) -> dict[str, Any]:
    """Return what was chosen of a benchmark run, or nothing when none was asked for."""
    chosen = [mode for mode, wanted in modes.items() if wanted]
    if len(chosen) > 1:
        raise typer.BadParameter(f"choose one of {', '.join(f'--{mode}' for mode in modes)}")
    options = {name: value for name, value in given.items() if value is not None}
    if math.isnan(options.get("crop_probability", 0)):
        raise typer.BadParameter("--crop-prob is not a number")
    return options | ({"mode": chosen[0]} if chosen else {})


def _load(track: str) -> TrackSpec:
    """Return the track's spec, or leave with every finding in the document."""
    try:
        return load_track(track).spec
    except InvalidTrack as exc:
        for finding in exc.findings:
            typer.echo(f"{track}: {finding}", err=True)
        raise typer.Exit(EXIT_USAGE) from exc


def _sandbox(trust: bool) -> Any:
    """Return the sandbox, or one without isolation when the user trusts the entry."""
    if trust:
        from scoring.sandbox.unconfined import UnconfinedSandbox

        return UnconfinedSandbox()
    from scoring.sandbox.bubblewrap import BubblewrapSandbox

    return BubblewrapSandbox()


def _cache() -> Path:
    base = os.environ.get("PODIUM_CACHE") or os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "podium"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    main()
