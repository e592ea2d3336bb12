"""`podium`: check, score, submit, pack and doctor on the command line.

Exit codes: 0 accepted or scored, 1 rejected, 2 wrong usage of the command, 3 fault.
"""

from __future__ import annotations

import typer

from scoring.cli import arguments as given
from scoring.cli.ending import Printing
from scoring.cli.surroundings import load, sandbox
from scoring.contracts import DEFAULT_ENVIRONMENT

app = typer.Typer(
    help="Check, score, pack and submit entries of a Podium track.",
    epilog="Exit codes: 0 accepted or scored, 1 rejected, 2 wrong usage, 3 fault.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

export = typer.Typer(help="Convert a package from one format to another.", no_args_is_help=True)
app.add_typer(export, name="export")

environment = typer.Typer(help="List and install what entries can import.", no_args_is_help=True)
app.add_typer(environment, name="environment")


@app.command()
def check(
    path: given.Entry,
    track: given.Track,
    json: given.Json = False,
    trust: given.Trust = False,
    log: given.Log = False,
) -> None:
    """Run the worker's checks that need no hidden data: unpack, recognise the format, measure, check budgets."""
    from scoring.cli.check import check

    raise typer.Exit(check(path, load(track), trust=trust, printing=Printing(as_json=json, with_log=log)))


@app.command()
def score(
    path: given.Entry,
    track: given.Track,
    data: given.Data,
    debug: given.Debug = False,
    small: given.Small = False,
    full: given.Full = False,
    seed: given.Seed = None,
    batch_size: given.BatchSize = None,
    results_dir: given.ResultsDir = None,
    checkpoint_every: given.CheckpointEvery = None,
    augmented: given.Augmented = None,
    augment_level: given.AugmentLevel = None,
    crop_prob: given.CropProb = None,
    holdout_share: given.HoldoutShare = None,
    gasstation_share: given.GasstationShare = None,
    json: given.Json = False,
    trust: given.Trust = False,
    log: given.Log = False,
) -> None:
    """Score an entry on your own labelled data, or on a sample plan with --debug, --small or --full."""
    from scoring.cli.score import BenchmarkChoices, one_mode, score, shares_of

    spec = load(track)
    choices = BenchmarkChoices(
        mode=one_mode(debug=debug, small=small, full=full),
        seed=seed,
        batch_size=batch_size,
        results_dir=results_dir,
        chunk_samples=checkpoint_every,
        augmented=augmented,
        augment_level=augment_level,
        crop_probability=crop_prob,
        shares=shares_of(holdout=holdout_share, gasstation=gasstation_share),
    )
    printing = Printing(as_json=json, with_log=log)
    raise typer.Exit(score(path, spec, data=data, choices=choices, trust=trust, printing=printing))


@app.command()
def submit(
    path: given.Entry,
    track: given.SiteTrack,
    server: given.Server = None,
    token: given.Token = None,
    json: given.Json = False,
) -> None:
    """Upload an entry, follow its progress and print its score."""
    from scoring.cli.submit import submit

    raise typer.Exit(submit(path, track=track, server=server, token=token, json=json))


@app.command()
def login(server: given.Server = None, token: given.Token = None) -> None:
    """Sign in at a site once, so that no other command asks for its address or your token."""
    from scoring.cli.following import login

    raise typer.Exit(login(server=server, token=token))


@app.command()
def logout(server: given.Server = None) -> None:
    """Revoke the token that `podium login` keeps, and forget it."""
    from scoring.cli.following import logout

    raise typer.Exit(logout(server=server))


@app.command()
def status(
    submission: given.MaybeSubmission = None,
    track: given.OnSite = None,
    server: given.Server = None,
    token: given.Token = None,
    json: given.AnyJson = False,
) -> None:
    """List your newest submissions, or show the report of one."""
    from scoring.cli.following import status

    raise typer.Exit(status(submission, track=track, server=server, token=token, json=json))


@app.command()
def leaderboard(
    track: given.SiteTrack,
    top: given.Top = 20,
    server: given.Server = None,
    token: given.Token = None,
    json: given.AnyJson = False,
) -> None:
    """Show the first rows of a track's leaderboard."""
    from scoring.cli.following import leaderboard

    raise typer.Exit(leaderboard(track=track, top=top, server=server, token=token, json=json))


@app.command()
def download(
    submission: given.SubmissionId,
    output: given.EntryOutput = None,
    server: given.Server = None,
    token: given.Token = None,
) -> None:
    """Download an entry that you submitted, and check that it is what you uploaded."""
    from scoring.cli.following import download

    raise typer.Exit(download(submission, output=output, server=server, token=token))


@app.command()
def pack(
    folder: given.ModelFolder,
    output: given.ZipOutput = None,
    fetch: given.Fetch = True,
    environment: given.BuiltWith = DEFAULT_ENVIRONMENT,
) -> None:
    """Pack a folder into an entry, with the weights and clones that its model downloads as it loads.

    To find them, the model is built once on this machine, without a sandbox.
    """
    from scoring.cli.pack import pack

    raise typer.Exit(pack(folder, output=output, fetch=fetch, environment=environment))


@export.command(name="onnx")
def export_onnx(
    path: given.Entry,
    track: given.Track,
    output: given.OnnxOutput,
    source: given.Source = None,
    json: given.Json = False,
    trust: given.Trust = False,
    log: given.Log = False,
) -> None:
    """Export a torch package to ONNX with a dynamic batch, compare the two and check the result."""
    from scoring.cli.convert import to_onnx

    spec, cage, printing = load(track), sandbox(trust=trust), Printing(as_json=json, with_log=log)
    raise typer.Exit(to_onnx(path, spec, source=source, output=output, sandbox=cage, printing=printing))


@export.command(name="byom")
def export_byom(
    path: given.Entry,
    track: given.Track,
    output: given.ByomOutput,
    source: given.Source = None,
    json: given.Json = False,
    trust: given.Trust = False,
    log: given.Log = False,
) -> None:
    """Export a torch package as a BYOM package with TorchScript, compare the two and check the result."""
    from scoring.cli.convert import to_byom

    spec, cage, printing = load(track), sandbox(trust=trust), Printing(as_json=json, with_log=log)
    raise typer.Exit(to_byom(path, spec, source=source, output=output, sandbox=cage, printing=printing))


@app.command(name="compile")
def compile_model(
    path: given.Entry,
    track: given.Track,
    target: given.Targets,
    output: given.CompiledOutput = None,
    source: given.Source = None,
    json: given.Json = False,
    trust: given.Trust = False,
    log: given.Log = False,
) -> None:
    """Compile a torch package's model with ONNX Runtime and show how closely the two agree."""
    from scoring.cli.compile import compile_for_targets

    code = compile_for_targets(
        path,
        load(track),
        targets=tuple(target),
        source=source,
        output=output,
        sandbox=sandbox(trust=trust),
        printing=Printing(as_json=json, with_log=log),
    )
    raise typer.Exit(code)


@app.command()
def describe(path: given.Entry, track: given.Track, trust: given.Trust = False) -> None:
    """Measure a model folder and print the numbers for its info.yaml."""
    from scoring.cli.describe import describe

    raise typer.Exit(describe(path, load(track), sandbox=sandbox(trust=trust)))


@environment.command(name="list")
def list_environments() -> None:
    """List the environments that this machine knows, and whether entries can run in them here."""
    from scoring.cli.environments import list_all

    raise typer.Exit(list_all())


@environment.command(name="install")
def install_environment(name: given.EnvironmentName, source: given.PackageList = None) -> None:
    """Install the packages of an environment in a virtual environment of their own."""
    from scoring.cli.environments import install

    raise typer.Exit(install(name, source=source))


@app.command()
def doctor() -> None:
    """Check this machine and explain what is missing."""
    from scoring.cli.doctor import doctor

    raise typer.Exit(doctor())
