"""A copy of an entry's folder with all that its model downloads, fetched on its owner's machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import scoring
from scoring.contracts import DEFAULT_ENVIRONMENT, Format
from scoring.contracts.ai_hub import LIBRARY
from scoring.environment import interpreter_of
from scoring.files.archiving import LEFT_OUT_FOLDERS
from scoring.packages.qaihub.info import read as read_info

MAIN: Final = "model.py"
GATHER: Final = "scoring.sandboxed.gather"
DOWNLOADING: Final = ("pretrained", "torch.hub", "from_url", "hf_hub", "download", "weights=", "http")
"""Words without one of which a model's file downloads nothing."""
REPORT: Final = "gathered.json"
STDERR: Final = 2
"""What a model prints while it is built is no answer of ours."""


@dataclass(frozen=True)
class Gathered:
    """The copy, what was fetched into it (a path, and where from), and why more could not be."""

    folder: Path
    fetched: tuple[tuple[str, str], ...]
    why: str = ""


def may_download(folder: Path) -> Format | None:
    """Return the format whose model may download as it loads; None where nothing has to be run to know."""
    main = folder / MAIN
    if not main.is_file() or (folder / "model_config.yaml").is_file():
        return None
    if LIBRARY in main.read_text("utf-8", errors="replace"):
        return Format.QAIHUB
    sources = (path.read_text("utf-8", errors="replace") for path in _sources(folder))
    return Format.CVPR_ZIP if any(word in text for text in sources for word in DOWNLOADING) else None


def gather(
    folder: Path, package_format: Format, workdir: Path, *, but: Path, environment: str = DEFAULT_ENVIRONMENT
) -> Gathered:
    """Copy the folder, less an entry that was packed into it before, and build its model there.

    It is built with the packages of the environment, which has to be installed.
    """
    copy = workdir / "entry"
    shutil.copytree(folder, copy, ignore=lambda place, names: _left_out(Path(place), names, but.resolve()))
    report = workdir / REPORT
    model_id = read_info(folder, folder.resolve().name).model_id
    command = [
        str(interpreter_of(environment)),
        "-m",
        GATHER,
        str(copy),
        package_format,
        model_id,
        str(report),
    ]
    done = subprocess.run(command, check=False, cwd=workdir, env=_environment(folder), stdout=STDERR)
    if not report.is_file():
        return Gathered(folder=copy, fetched=(), why=f"the run ended with exit code {done.returncode}")
    told = json.loads(report.read_text())
    return Gathered(
        folder=copy, fetched=tuple((each["path"], each["from"]) for each in told["fetched"]), why=told["why"]
    )


def _environment(folder: Path) -> dict[str, str]:
    """Return ours, with Podium importable and the library that the folder is a part of, if it is."""
    places = [str(Path(scoring.__file__).parents[1])]
    library = next((above for above in folder.resolve().parents if above.name == LIBRARY), None)
    places += [str(library.parent)] if library is not None else []
    own = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*places, *([own] if own else [])])}


def _sources(folder: Path) -> Iterator[Path]:
    yield from (path for path in folder.rglob("*.py") if not LEFT_OUT_FOLDERS.intersection(path.parts))


def _left_out(place: Path, names: list[str], packed: Path) -> set[str]:
    return {name for name in names if name in LEFT_OUT_FOLDERS or (place / name).resolve() == packed}
