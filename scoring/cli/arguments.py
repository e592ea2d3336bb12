"""What a command of `podium` may be given, each with its help, declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final
from uuid import UUID

import typer

from scoring.benchmark.plan import MAX_SEED
from scoring.contracts import Format

Entry = Annotated[
    Path, typer.Argument(metavar="PATH", exists=True, help="A zip, a .tar.gz, an .onnx file or a folder.")
]
ModelFolder = Annotated[
    Path, typer.Argument(metavar="FOLDER", exists=True, file_okay=False, help="The package's folder.")
]

Track = Annotated[str, typer.Option("--track", help="A preset's name or a track.yaml.")]
Json = Annotated[bool, typer.Option("--json", help="Print only the report, as JSON.")]
Log = Annotated[bool, typer.Option("--log", help="Show the run's log, with tracebacks.")]
Trust = Annotated[
    bool,
    typer.Option("--trust", help="Run your own entry without isolation, on machines without bubblewrap."),
]
Source = Annotated[Format | None, typer.Option("--from", help="PATH's format, if it matches several.")]

BENCHMARK: Final = "Benchmark runs with a sample plan"

Data = Annotated[
    Path, typer.Option("--data", exists=True, file_okay=False, help="A folder with labels.csv and its files.")
]
Debug = Annotated[
    bool, typer.Option("--debug", help="A quick look: 100 images or 50 clips.", rich_help_panel=BENCHMARK)
]
Small = Annotated[bool, typer.Option("--small", help="5,000 samples.", rich_help_panel=BENCHMARK)]
Full = Annotated[
    bool,
    typer.Option("--full", help="55,000 images, 26,000 clips or 37,000 sounds.", rich_help_panel=BENCHMARK),
]
Seed = Annotated[
    int | None,
    typer.Option(
        "--seed", min=0, max=MAX_SEED, help="Seed of the sample plan; default: 42.", rich_help_panel=BENCHMARK
    ),
]
BatchSize = Annotated[
    int | None,
    typer.Option("--batch-size", min=1, max=1_024, help="Default: the track's.", rich_help_panel=BENCHMARK),
]
ResultsDir = Annotated[
    Path | None,
    typer.Option(
        "--results-dir",
        file_okay=False,
        help="Write results here, and resume an interrupted run.",
        rich_help_panel=BENCHMARK,
    ),
]
CheckpointEvery = Annotated[
    int | None,
    typer.Option(
        "--checkpoint-every", min=1, help="Samples per chunk; default: 1024.", rich_help_panel=BENCHMARK
    ),
]
Augmented = Annotated[
    int | None,
    typer.Option(
        "--augmented",
        min=1,
        help="Samples of each group to score after the robustness suite.",
        rich_help_panel=BENCHMARK,
    ),
]
AugmentLevel = Annotated[
    int | None,
    typer.Option(
        "--augment-level", min=0, max=3, help="Random changes of every sample.", rich_help_panel=BENCHMARK
    ),
]
HoldoutShare = Annotated[
    float | None,
    typer.Option(
        "--holdout-share",
        min=0,
        max=1,
        help="Weight of groups named “…-holdout-…”.",
        rich_help_panel=BENCHMARK,
    ),
]
GasstationShare = Annotated[
    float | None,
    typer.Option(
        "--gasstation-share",
        min=0,
        max=1,
        help="Weight of groups named “…gasstation…”.",
        rich_help_panel=BENCHMARK,
    ),
]
CropProb = Annotated[
    float | None,
    typer.Option(
        "--crop-prob", min=0, max=1, help="Probability of a random crop.", rich_help_panel=BENCHMARK
    ),
]

EnvironmentName = Annotated[
    str, typer.Argument(metavar="NAME", help="As a track's page names it, for example cpu-2026.1.")
]
PackageList = Annotated[
    Path | None,
    typer.Option(
        "--from",
        exists=True,
        dir_okay=False,
        help="The list of packages, where Podium has none of that name.",
    ),
]
BuiltWith = Annotated[
    str,
    typer.Option(
        "--environment", metavar="NAME", help="Build the model with the packages of the track's environment."
    ),
]

Server = Annotated[
    str | None,
    typer.Option(
        "--server", envvar="PODIUM_SERVER", help="The site's address; by default that of your only login."
    ),
]
SiteTrack = Annotated[str, typer.Option("--track", help="The track's short name on the site.")]
Token = Annotated[str | None, typer.Option("--token", envvar="PODIUM_TOKEN", help="Your API token.")]

OnSite = Annotated[str | None, typer.Option("--track", help="Only those to this track.")]
SubmissionId = Annotated[UUID, typer.Argument(metavar="ID", help="A submission's id.")]
MaybeSubmission = Annotated[
    UUID | None,
    typer.Argument(metavar="[ID]", help="A submission's id; without one, your newest are listed."),
]
Top = Annotated[int, typer.Option("--top", min=1, max=200, help="How many rows.")]
AnyJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
EntryOutput = Annotated[
    Path | None,
    typer.Option("--output", "-o", dir_okay=False, help="Default: the name that it was uploaded with."),
]
OnnxOutput = Annotated[Path, typer.Option("--output", "-o", dir_okay=False, help="The .onnx file to write.")]
ByomOutput = Annotated[
    Path, typer.Option("--output", "-o", dir_okay=False, help="The .tar.gz file to write.")
]
CompiledOutput = Annotated[
    Path | None,
    typer.Option("--output", "-o", dir_okay=False, help="Default: NAME.TARGET.onnx in this folder."),
]
Targets = Annotated[
    list[str],
    typer.Option(
        "--target",
        metavar="TARGET",
        help="x86_64-cpu; other targets of the BYOM guide are refused. Repeatable.",
    ),
]
ZipOutput = Annotated[
    Path | None, typer.Option("--output", "-o", help="A .zip or .tar.gz; default: FOLDER.zip in this folder.")
]
Fetch = Annotated[
    bool,
    typer.Option(
        "--fetch/--no-fetch", help="Build the model once and pack what it downloads; --no-fetch runs nothing."
    ),
]
