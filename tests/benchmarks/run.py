"""Runs the benchmarks and prints one table of what they found: python -m tests.benchmarks.run [name ...].

Every `bench_NAME.py` has a `bench()` that yields figures. Each runs in a process of its own, so that one that
breaks is a row of the table and no more. The exit status is 1 if one broke or missed a bound.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.benchmarks.figures import Figure, Outcome, Report, figure_from_json
from tests.benchmarks.machine import ROOT, Machine, Others, is_busy, load
from tests.benchmarks.table import as_text, one_line
from tests.benchmarks.timing import say

PACKAGE: Final = "tests.benchmarks"
PREFIX: Final = "bench_"
INTERRUPTED: Final = "interrupted"
JSON: Final = ROOT / "var" / "bench.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for, write what came of it as a table and as JSON; return the exit status."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("names", nargs="*", help="beginnings of names; all if there is none")
    parser.add_argument("--package", default=PACKAGE, help="where the benchmarks are")
    parser.add_argument("--json", type=Path, default=JSON, help="where to write the figures")
    given = parser.parse_args(arguments)
    known = names_in(given.package)
    unknown = [name for name in given.names if not chosen(known, [name])]
    if unknown:
        parser.error(f"no benchmark begins with {', '.join(unknown)}; there are {', '.join(known)}")
    report = run_all(given.package, chosen(known, given.names))
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(report.to_json(), indent=1) + "\n", "utf-8")
    print(as_text(report))
    print(f"\nAs JSON: {given.json}")
    return int(not report.passed)


def names_in(package: str) -> list[str]:
    """Return the names of the benchmarks in a package, in order."""
    modules = pkgutil.iter_modules(importlib.import_module(package).__path__)
    return sorted(each.name.removeprefix(PREFIX) for each in modules if each.name.startswith(PREFIX))


def chosen(names: Sequence[str], beginnings: Sequence[str]) -> list[str]:
    """Return the names that begin with one of these; all if there is none."""
    return [name for name in names if not beginnings or name.startswith(tuple(beginnings))]


def run_all(package: str, names: Sequence[str]) -> Report:
    """Run them one after the other; stop early, with what there is, when someone presses Ctrl-C."""
    machine, at_start = Machine.here(), load()
    if is_busy(at_start):
        say(f"The machine is busy (load average {at_start:.1f}): figures of time will be off.")
    started = datetime.now(UTC).isoformat(timespec="seconds")
    outcomes = []
    for number, name in enumerate(names, 1):
        print(f"[{number}/{len(names)}] {name}", file=sys.stderr, flush=True)
        outcomes.append(run_one(package, name))
        if outcomes[-1].failed == INTERRUPTED:
            break
    return Report(machine=machine, started=started, load=round(at_start, 2), outcomes=tuple(outcomes))


def run_one(package: str, name: str) -> Outcome:
    """Run one benchmark in a process of its own, and tell each figure as it comes."""
    others, started = Others(), time.monotonic()
    command = [sys.executable, "-m", f"{PACKAGE}.one", f"{package}.{PREFIX}{name}"]
    figures: list[Figure] = []
    failed = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            for found in _lines(child):
                if isinstance(found, str):
                    failed = found
                else:
                    figures.append(found)
                    say(one_line(found))
            status = child.wait()
        except KeyboardInterrupt:
            status, failed = child.wait(), INTERRUPTED
    if status and not failed:
        failed = f"ended by signal {-status}" if status < 0 else f"ended with exit status {status}"
    cores = others.cores()
    return Outcome(
        bench=name,
        figures=tuple(figures),
        failed=failed,
        seconds=round(time.monotonic() - started, 1),
        others=round(cores, 2),
        busy=is_busy(cores),
    )


def _lines(child: subprocess.Popen[str]) -> Iterator[Figure | str]:
    """Yield each figure that the process tells, or why it broke off."""
    assert child.stdout is not None
    for line in child.stdout:
        raw = json.loads(line)
        yield raw["failed"] if "failed" in raw else figure_from_json(raw)


if __name__ == "__main__":
    sys.exit(main())
