"""`podium score`: the whole flow on labelled data, or a benchmark run when any of its options is given."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from scoring.benchmark.plan import Mode
from scoring.benchmark.shares import Shares
from scoring.cache.holds import holding
from scoring.cache.trim import trim
from scoring.cli.ending import Ending, Flow, Printing, ending_of, run_and_print
from scoring.cli.screen import Screen
from scoring.cli.surroundings import cache_folder, cache_max_bytes, sandbox
from scoring.contracts import Reader, ScoreReport, TrackSpec
from scoring.data.dataset import check_contents
from scoring.data.labels import DatasetProblem, read_labels
from scoring.errors import Fault

if TYPE_CHECKING:
    from scoring.benchmark.options import Options


@dataclass(frozen=True, kw_only=True)
class BenchmarkChoices:
    """The options typed for a benchmark run; None for those left out, which get the run's defaults."""

    mode: Mode | None
    seed: int | None
    batch_size: int | None
    results_dir: Path | None
    chunk_samples: int | None
    augmented: int | None
    augment_level: int | None
    crop_probability: float | None
    shares: Shares | None

    def __post_init__(self) -> None:
        """Refuse what Typer's range lets through."""
        if math.isnan(self.crop_probability or 0):
            raise typer.BadParameter("--crop-prob is not a number")

    def given(self) -> dict[str, Any]:
        """Return what was typed, by its name in the benchmark's options."""
        return {name: value for name, value in vars(self).items() if value is not None}


def shares_of(*, holdout: float | None, gasstation: float | None) -> Shares | None:
    """Return the shares that were asked for; one alone leaves the other at nothing."""
    if holdout is None and gasstation is None:
        return None
    try:
        return Shares(holdout=holdout or 0.0, gasstation=gasstation or 0.0)
    except ValueError as exc:
        raise typer.BadParameter(f"--holdout-share and --gasstation-share: {exc}") from exc


def one_mode(*, debug: bool, small: bool, full: bool) -> Mode | None:
    """Return the mode that was asked for; two do not go together."""
    modes = {Mode.DEBUG: debug, Mode.SMALL: small, Mode.FULL: full}
    chosen = [mode for mode, wanted in modes.items() if wanted]
    if len(chosen) > 1:
        raise typer.BadParameter(f"choose one of {', '.join(f'--{mode}' for mode in modes)}")
    return chosen[0] if chosen else None


def score(
    path: Path,
    track: TrackSpec,
    *,
    data: Path,
    choices: BenchmarkChoices,
    trust: bool,
    printing: Printing,
) -> int:
    """Score the entry on the data and print the report; return the exit code."""
    chosen = _chosen_way(choices, track)

    def flow(screen: Screen, workdir: Path) -> Ending:
        _look_at_files(data, track.input.reader)
        with _naming_undecodable_files():
            report = chosen(
                path,
                track,
                data=data,
                cache=cache_folder(),
                sandbox=sandbox(trust=trust),
                workdir=workdir,
                note=screen.note,
            )
        return ending_of(report, track)

    return run_and_print(_with_bounded_cache(flow), track, printing=printing)


def _chosen_way(choices: BenchmarkChoices, track: TrackSpec) -> Callable[..., ScoreReport]:
    """Return the whole flow, or a benchmark run where any of its options was typed."""
    if not choices.given():
        from scoring.flow import pipeline

        return partial(pipeline.score, benchmark=None)
    options = _options(choices, track)
    from scoring.benchmark import run

    return partial(run.run, options=options)


def _with_bounded_cache(flow: Flow) -> Flow:
    """Return the flow followed by trimming the cache; what it used itself stays for the next run."""
    max_bytes = cache_max_bytes()

    def bounded(screen: Screen, workdir: Path) -> Ending:
        with holding():
            try:
                return flow(screen, workdir)
            finally:
                with suppress(OSError):  # the score is there, however full the disk
                    trim(cache_folder(), max_bytes=max_bytes)

    return bounded


def _options(choices: BenchmarkChoices, track: TrackSpec) -> Options:
    """Return the run's options; wrong usage where the track cannot give them a meaning."""
    from scoring.benchmark.options import Options, why_unsuitable

    options = Options(**choices.given())
    if why := why_unsuitable(track, options):
        raise typer.BadParameter(why)
    return options


def _look_at_files(data: Path, reader: Reader) -> None:
    """Raise `Fault` if the first bytes of files show that they are of another kind, before anything runs."""
    try:
        table = read_labels(data)
    except DatasetProblem:
        return  # The flow says so when it is the data's turn.
    for warning in table.warnings:
        typer.echo(f"warning: {warning}", err=True)
    try:
        check_contents(data, table, reader)
    except DatasetProblem as exc:
        raise Fault("\n".join(["The data cannot be used:", *exc.findings])) from exc


@contextmanager
def _naming_undecodable_files() -> Iterator[None]:
    """Name the files that proved undecodable: they are the user's own, and readers name no hidden ones."""
    from scoring.readers.undecodable import UndecodableRows

    try:
        yield
    except UndecodableRows as exc:
        raise Fault(exc.named()) from exc
