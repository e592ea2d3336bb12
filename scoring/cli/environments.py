"""`podium environment`: lists what entries can import, and installs a list in a virtual environment of its own.

Nothing but what the list pins: machines that have it run entries with the same packages.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import typer

from scoring import environment
from scoring.cli.ending import EXIT_FAULT, EXIT_OK, EXIT_USAGE
from scoring.contracts import DEFAULT_ENVIRONMENT

FROM_TORCH_INDEX: Final = ("torch", "torchvision", "torchaudio")
LAST_LINES: Final = 12
# torchaudio does without its compiled half where it finds none; but one that is built for CUDA, beside a torch that
# is not, would keep it from being imported.
DROP_UNUSABLE_HALF: Final = """
import importlib.util, pathlib, torch
compiled = sorted(pathlib.Path(importlib.util.find_spec("torchaudio").origin).parent.glob("lib/*.so"))
try:
    for file in compiled:
        torch.ops.load_library(file)
except OSError:
    for file in compiled:
        file.unlink()
"""


class Unfit(Exception):
    """What was asked for cannot be an environment; the text says why and what to do."""


class Failed(Exception):
    """A step of the installation failed; the text is what it said."""


def list_all() -> int:
    """Print each environment, whether entries can run in it here, and where its list is; return the exit code."""
    for name in (DEFAULT_ENVIRONMENT, *environment.known()):
        pinned = environment.pins(name) or {}
        state = environment.why_not_here(name) or f"installed, {len(pinned)} packages"
        typer.echo(f"{name}: {state}\n    {environment.file_of(name) or 'its list is missing'}")
    return EXIT_OK


def install(name: str, *, source: Path | None) -> int:
    """Install an environment, from a list of its own if there is one; return the exit code."""
    try:
        file = _fit_list(name, source)
        if environment.home_of(name).is_dir() and not environment.differences_in(
            environment.home_of(name), environment.pins_of(file.read_text("utf-8"))
        ):
            typer.echo(f"{name} is installed as pinned.")
        else:
            _install(name, file)
            typer.echo(f"{name} is installed in {environment.home_of(name)}.")
    except Unfit as exc:
        typer.echo(str(exc), err=True)
        return EXIT_USAGE
    except Failed as exc:
        typer.echo(f"{name} is not installed:\n{exc}", err=True)
        return EXIT_FAULT
    if environment.file_of(name) is None:
        shutil.copyfile(file, environment.folder() / f"{name}{environment.SUFFIX}")
    return EXIT_OK


def _fit_list(name: str, source: Path | None) -> Path:
    """Return the file that pins the environment; raises Unfit where none does, or entries could not run in it."""
    if name == DEFAULT_ENVIRONMENT or not environment.is_name(name):
        raise Unfit(
            f"An environment cannot be named “{name}”: use lower-case letters and digits, as in cpu-2026.1."
        )
    known = environment.file_of(name)
    file = source or known
    if file is None:
        others = ", ".join(environment.known()) or "none"
        raise Unfit(f"There is no list named “{name}” here ({others}). Give its file with --from.")
    pinned = environment.pins_of(file.read_text("utf-8"))
    if known and pinned != environment.pins(name):
        raise Unfit(f"{known} pins other packages for “{name}”. Choose another name for another list.")
    unfit = environment.unfit_pins(pinned)
    if unfit:
        raise Unfit(f"Entries could not run in “{name}”: {'; '.join(unfit)}.")
    return file


def _install(name: str, file: Path) -> None:
    """Make the environment beside its place, and put it there once it is whole."""
    home = environment.home_of(name)
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=f".{name}-", ignore_cleanup_errors=True) as made:
        new, old = Path(made) / "new", Path(made) / "old"
        _run("making a virtual environment", [sys.executable, "-m", "venv", "--without-pip", str(new)])
        _fill(new, file)
        differing = environment.differences_in(new, environment.pins_of(file.read_text("utf-8")))
        if differing:
            raise Unfit(f"{file.name} has to pin all that its packages need: {'; '.join(differing)}.")
        if home.exists():
            home.rename(old)
        new.rename(home)


def _fill(home: Path, file: Path) -> None:
    """Install what the file pins into an empty virtual environment, and byte code of it."""
    python = str(home / "bin" / "python")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
    install = [*pip, "install", "--quiet", "--no-compile", "--progress-bar", "off"]
    lines = file.read_text("utf-8").split()
    of_torch = [line for line in lines if line.partition("==")[0] in FROM_TORCH_INDEX]
    index = os.environ.get("TORCH_INDEX")
    if index and of_torch:
        _run("installing torch", [*install, "--no-deps", "--index-url", index, *of_torch])
    _run("installing the packages: some minutes, mostly downloads", [*install, "--requirement", str(file)])
    _run("checking that they fit together", [*pip, "check"])
    if any(line.startswith("torchaudio==") for line in of_torch):
        _run("looking for compiled code that cannot be loaded", [python, "-c", DROP_UNUSABLE_HALF])
    # A sandbox writes no byte code, so without it each run would compile anew. Some packages bring files that are no
    # Python 3, and say nothing with -qq.
    typer.echo("compiling to byte code")
    subprocess.run(
        [python, "-m", "compileall", "-qq", "-j", "0", "-x", "/tests?/", str(home / "lib")], check=False
    )


def _run(title: str, command: Sequence[str]) -> None:
    """Run a step; raises Failed with its last lines if it fails."""
    typer.echo(title)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise Failed("\n".join(done.stdout.strip().splitlines()[-LAST_LINES:]))
