"""Puts an attack on: its track, its entry, the command that takes it, and what was seen from outside."""

from __future__ import annotations

import json
import os
import runpy
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Final

import pytest
import yaml
from typer.testing import CliRunner

import scoring.presets
from scoring.cli import surroundings
from scoring.cli.app import app
from tests.attacks.cases import Case
from tests.attacks.surroundings import CLASSES, SIDE, Surroundings
from tests.attacks.watching import watching
from tests.forked.sandbox import COLD, Server, quick_sandbox, started
from tests.golden.build import build_entry

PRESETS: Final = Path(scoring.presets.__file__).parent
HOST: Final = Path(__file__).with_name("host.py")
"""Forks the command; its sandboxes are the real ones."""
STARTED: Final = os.environ.get("ATTACK_STARTED", "")
"""When its sandboxes are started: `now`, for their jobs, or `ahead`, as those of workers. `make attack` tries both.

Without a word, ahead; but children that only have to be counted are forked, and the command runs in this process.
"""
HANG_S: Final = 1_200.0
"""Nothing here may take that long, on any machine."""
MEMORY_BYTES: Final = 2**30
SMALL: Final[Mapping[str, Any]] = {
    "extra_metrics": [],
    "run_limits": {
        "threads": 2,
        "batch_size": 4,
        "measure_timeout_s": 300.0,
        "predict_timeout_s": 300.0,
        "max_memory_bytes": MEMORY_BYTES,
        "max_tmp_bytes": 2**26,
        "max_file_bytes": 2**26,
    },
}
"""What every preset is changed to, so that attacks are over soon."""
SMALLER: Final[Mapping[str, Any]] = {
    "input": {"shape": [3, SIDE, SIDE]},
    "output": {"width": CLASSES},
    # The preset requires capture; attacks are tried where code may still run beside what counts it.
    "budgets": {"max_parameters": 10_000, "max_macs": 1_000_000, "capture": "preferred"},
}
"""What the usual preset is changed to: pictures of the surroundings."""
CAPTURE: Final = {"lies": "required"}
"""Lies have to get past the graph. All else is tried where an entry's own code meets hidden inputs."""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a command ended: its report, all that it printed, and what was seen of its processes."""

    report: Mapping[str, Any]
    printed: str
    peak_memory_bytes: int
    left_alive: list[tuple[int, int]]

    @property
    def end(self) -> str:
        """Return the code, or the verdict where there is none."""
        return self.report["code"] or self.report["verdict"]


def track_document(case: Case) -> dict[str, Any]:
    """Return the preset's document, small, with what the case changes."""
    document = yaml.safe_load((PRESETS / f"{case.preset}.yaml").read_text("utf-8"))
    small = [SMALL, SMALLER] if case.preset == Case.preset else [SMALL]
    for change in (*small, {"budgets": {"capture": CAPTURE.get(case.family, "off")}}, case.track):
        document = _merged(document, change)
    return document


def _merged(document: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(document)
    for name, value in change.items():
        deeper = isinstance(value, Mapping) and isinstance(document.get(name), Mapping)
        merged[name] = _merged(document[name], value) if deeper else value
    return merged


def entry_of(case: Case, around: Surroundings, folder: Path) -> Path:
    """Make the entry below `folder`: what `build.py` returns, a golden entry, or a copy of the files."""
    if (case.folder / "build.py").exists():
        build = runpy.run_path(str(case.folder / "build.py"))["build"]
        return build(folder, around)
    if case.entry:
        return build_entry({"entry": case.entry}, case.folder, folder)
    entry = folder / "entry"
    shutil.copytree(case.folder, entry, ignore=shutil.ignore_patterns("case.yaml", "__pycache__"))
    for path in entry.rglob("*.py"):
        path.write_text(_spoken(path.read_text("utf-8"), around.words), "utf-8")
    return entry


def _spoken(text: str, words: Mapping[str, str]) -> str:
    for word, meaning in words.items():
        text = text.replace(word, meaning)
    return text


def run(case: Case, around: Surroundings, folder: Path) -> Iterator[Ending]:
    """Let `podium` check or score the case's entry, as often as the case says."""
    track = folder / "track.yaml"
    track.write_text(yaml.safe_dump(track_document(case)))
    entry = entry_of(case, around, folder)
    play = podium_here if case.is_only_counted and not STARTED and not os.environ.get(COLD) else podium
    for _ in range(case.times):
        yield play(case.run, entry, track, around)


def podium(command: str, entry: Path, track: Path, around: Surroundings, *options: str) -> Ending:
    """Run the command as its user does; whoever is left of it is told apart by when it began."""
    order = {
        "words": _words(command, entry, track, around, options),
        "cwd": str(around.host),
        "ahead": STARTED != "now",
    }
    with TemporaryFile("w+") as out, TemporaryFile("w+") as err:
        process = _host(around).fork(order, [out.fileno(), err.fileno()])
        with watching(process.pid) as watched:
            try:
                process.wait(HANG_S)
            finally:
                process.kill()
                os.close(process.descriptor)
        printed = [_all_of(file) for file in (out, err)]
    return _ending(*printed, peak_memory_bytes=watched.peak_memory_bytes, left_alive=watched.alive())


def podium_here(command: str, entry: Path, track: Path, around: Surroundings) -> Ending:
    """Run the command in this process, and its children where isolation plays no part."""
    words = _words(command, entry, track, around, ())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(surroundings, "open_sandbox", lambda name: quick_sandbox())
        patch.chdir(around.host)
        result = CliRunner().invoke(app, words, env=around.environment())
    return _ending(result.stdout, result.stderr, peak_memory_bytes=0, left_alive=[])


def _words(command: str, entry: Path, track: Path, around: Surroundings, options: Sequence[str]) -> list[str]:
    data = ["--data", str(around.data)] if command == "score" else []
    return [command, str(entry), "--track", str(track), "--json", "--log", *options, *data]


@cache
def _host(around: Surroundings) -> Server:
    return started(HOST, around.environment())


def _all_of(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


def _ending(out: str, err: str, **seen: Any) -> Ending:
    try:
        report = json.loads(out)
    except ValueError:
        raise AssertionError(f"no report: {out[-2000:]}\n{err[-4000:]}") from None
    return Ending(report=report, printed=out + err, **seen)
