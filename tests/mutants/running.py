"""Runs a module's tests in a forked process that sees other code in the module's place.

The code is compiled in memory and nothing on the disk changes. This process loads the libraries that the
tests need, so that no fork has to; of the product it loads nothing, since that is what differs.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType, ModuleType
from typing import Final, NoReturn

ROOT: Final = Path(__file__).parents[2]
OURS: Final = ("competition", "scoring", "tests")
OPTIONS: Final = (
    *("-x", "-q", "--nomigrations", "--assert=plain", "-p", "no:cacheprovider"),
    *("-m", "not sandbox and not slow and not browser"),
)
UNTOUCHED: Final = 100
PAUSE_S: Final = 0.05
NOWHERE: Final = Path(os.devnull)


class End(Enum):
    """How the tests took a change."""

    PASSED = "passed"
    FAILED = "failed"
    TIMED_OUT = "timed out"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Tests that run in a process of their own."""

    pid: int
    deadline: float

    def wait(self) -> End:
        """Return how it ended, once it has."""
        while (end := self.end()) is None:
            time.sleep(PAUSE_S)
        return end

    def end(self) -> End | None:
        """Return how it ended, None while it runs; kill it at its deadline."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            return _meaning(os.waitstatus_to_exitcode(status))
        if time.monotonic() < self.deadline:
            return None
        os.killpg(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return End.TIMED_OUT


def _meaning(exit_code: int) -> End:
    if exit_code == UNTOUCHED:
        raise SystemExit("the tests never import the module that they are to test")
    return End.FAILED if exit_code else End.PASSED


class Replaced(importlib.abc.MetaPathFinder, importlib.machinery.SourceFileLoader):
    """Finds a single module, and loads other code in the place of its file's."""

    def __init__(self, module: str, code: CodeType) -> None:
        name = module.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        super().__init__(name, str(ROOT / module))
        self.code = code
        self.used = False

    def find_spec(self, fullname: str, path: object, target: ModuleType | None = None) -> object:
        return importlib.util.spec_from_loader(fullname, self) if fullname == self.name else None

    def get_code(self, fullname: str) -> CodeType:
        self.used = True
        return self.code


def start(module: str, code: CodeType, tests: Sequence[str], *, limit_s: float, log: Path = NOWHERE) -> Trial:
    """Begin to run the tests against the code; what they print goes to the log."""
    pid = os.fork()
    if not pid:
        try:
            _run(Replaced(module, code), tests, log)
        finally:
            os._exit(1)
    return Trial(pid=pid, deadline=time.monotonic() + limit_s)


def _run(replaced: Replaced, tests: Sequence[str], log: Path) -> NoReturn:
    os.setsid()
    _print_to(log)
    sys.meta_path.insert(0, replaced)
    # A folder of its own: other runs of pytest on the machine tidy up the shared one.
    with TemporaryDirectory() as folder:
        exit_code = _test([*tests, f"--basetemp={folder}/tests"])
    os._exit(exit_code if exit_code or replaced.used else UNTOUCHED)


def _print_to(log: Path) -> None:
    with log.open("wb", buffering=0) as stream:
        for standard in (1, 2):
            os.dup2(stream.fileno(), standard)


def _test(tests: Sequence[str]) -> int:
    import hypothesis
    import pytest

    # The same examples each time, and no limit on the time of one: the machine may be busy.
    hypothesis.settings.register_profile("mutants", deadline=None, derandomize=True, database=None)
    hypothesis.settings.load_profile("mutants")
    return int(pytest.main([*OPTIONS, *tests]))


def load_libraries(tests: Sequence[str]) -> None:
    """Import what the tests import, but nothing of ours and nothing that asks for Django's settings."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            _print_to(NOWHERE)
            _test([*tests, "--collect-only"])
            with os.fdopen(writer, "w") as stream:
                json.dump([name for name in sys.modules if not name.startswith(OURS)], stream)
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        names = json.load(stream)
    os.waitpid(pid, 0)
    for name in names:
        with suppress(Exception):
            import_module(name)
