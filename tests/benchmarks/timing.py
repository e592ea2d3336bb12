"""What benchmarks measure with: medians of works in turn, processes of their own, progress for who waits."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def say(text: str) -> None:
    """Tell whoever waits how far it is."""
    print(f"  {text}", file=sys.stderr, flush=True)


def medians(*measures: Callable[[], float], rounds: int) -> list[float]:
    """Measure in turn, so that a busy moment of the machine meets all of them; return the median of each."""
    found = [[measure() for measure in measures] for _ in range(rounds)]
    return [statistics.median(each) for each in zip(*found, strict=True)]


def wall_s(work: Callable[[], object]) -> float:
    """Return the seconds that the work takes."""
    return taken(work).wall_s


def processor_s(work: Callable[[], object]) -> float:
    """Return the seconds of processor time that the work takes; all that counts where it has one thread."""
    return taken(work).processor_s


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What a work took: wall time, and processor time of this process and of its children that have ended.

    A busy machine changes the second less.
    """

    wall_s: float
    processor_s: float

    def __str__(self) -> str:
        return f"{self.wall_s:.1f} s ({self.processor_s:.1f} s of processor time)"


def taken(work: Callable[[], object]) -> Taken:
    """Do the work and return what it took."""
    started, before = time.perf_counter(), _processor_s()
    work()
    return Taken(wall_s=time.perf_counter() - started, processor_s=_processor_s() - before)


def median(each: Sequence[Taken]) -> Taken:
    """Return the median of both times."""
    return Taken(
        wall_s=statistics.median(one.wall_s for one in each),
        processor_s=statistics.median(one.processor_s for one in each),
    )


def _processor_s() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def below(process: int) -> Iterator[int]:
    """Yield the processes that a process started, and theirs."""
    with contextlib.suppress(OSError):  # it has ended meanwhile
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                yield child
                yield from below(child)


def processor_s_of(process: int) -> float:
    """Return the processor time of a process so far; 0 if it has ended."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def peak_mb() -> float:
    """Return the most memory that this process held at once, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 10**6


def in_child(function: Callable[..., Any], *arguments: object, environment: Mapping[str, str] = {}) -> Any:
    """Call a benchmark's function in a plain process of its own and return what it returns, by way of JSON.

    Raises `RuntimeError` with the last line that a process said before it failed.
    """
    program = (
        "import json, sys\n"
        f"from {function.__module__} import {function.__name__} as function\n"
        "print(json.dumps(function(*json.loads(sys.argv[1]))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(arguments, default=str)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["nothing"]
        raise RuntimeError(f"{function.__name__} ended with {done.returncode}: {said[-1]}")
    return json.loads(done.stdout.splitlines()[-1])
