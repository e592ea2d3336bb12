"""Says what tests cost in processor time, which is the same on a busy machine: the twenty dearest, and each folder.

Counted are the process of the tests and the children that ended meanwhile; what a server has forked for them is not.
`python -m pytest --processor-time FILE` also writes the seconds of each test function to a file of JSON, from which
`python -m tests.processor_time FILE` renews `slow.txt`: what `make test FAST=1` leaves out.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest

SLOW: Final = Path(__file__).with_name("slow.txt")
ONE_S: Final = 0.12
"""A function one of whose tests takes longer is slow."""
ALL_S: Final = 0.8
"""So is one whose tests together take longer."""
NAME: Final = "processor_s"
DEAREST: Final = 20


def spent() -> float:
    """Return the seconds of processor time that this process and its ended children took until now."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def function_of(nodeid: str) -> str:
    """Return a test's file and function, without what is different from case to case."""
    return nodeid.partition("[")[0]


def slow_functions(seconds: Mapping[str, Sequence[float]]) -> list[str]:
    """Return the functions, sorted, that take longer than an inner loop can wait for."""
    return sorted(name for name, each in seconds.items() if max(each) > ONE_S or sum(each) > ALL_S)


class ProcessorTime:
    """Counts in the process that runs a test, and adds up in the one that reports."""

    def __init__(self, config: pytest.Config) -> None:
        self._file = config.getoption("processor_time")
        self._seconds: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None]:
        self._began = spent()
        yield

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None]:
        yield
        item.user_properties.append((NAME, spent() - self._began))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown":
            self._seconds[report.nodeid] = dict(report.user_properties).get(NAME, 0.0)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        folders: dict[str, float] = defaultdict(float)
        for name, seconds in self._seconds.items():
            folders[str(Path(name.partition("::")[0]).parent)] += seconds
        for title, table in (("tests", self._seconds), ("folders", folders)):
            terminalreporter.section(f"dearest {title}, in seconds of processor time")
            for name, seconds in sorted(table.items(), key=lambda row: -row[1])[:DEAREST]:
                terminalreporter.write_line(f"{seconds:8.2f}  {name}")
        terminalreporter.write_line(f"{sum(folders.values()):8.2f}  all of them, without collecting")
        if self._file:
            self._write()

    def _write(self) -> None:
        functions: dict[str, list[float]] = defaultdict(list)
        for name, seconds in self._seconds.items():
            functions[function_of(name)].append(round(seconds, 4))
        Path(self._file).write_text(json.dumps(functions))


def is_slow(
    item: pytest.Item, slow: frozenset[str] = frozenset(SLOW.read_text("utf-8").splitlines())
) -> bool:
    """Say whether the list names the test's function."""
    return function_of(item.nodeid) in slow


if __name__ == "__main__":
    SLOW.write_text("\n".join(slow_functions(json.loads(Path(sys.argv[1]).read_text()))) + "\n", "utf-8")
