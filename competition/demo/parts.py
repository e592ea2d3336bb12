"""Commands that run side by side, as far as none needs another's work; when one fails, the others are stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import IO, Final, Self, cast

LAST_LINES: Final = 20
STOP_S: Final = 10.0
POLL_S: Final = 0.1


@dataclass(frozen=True, kw_only=True)
class Part:
    """A command with its name, and the names of those that must have ended well before it begins."""

    name: str
    command: Sequence[str]
    after: Collection[str] = ()
    # What is added to the environment.
    environment: Mapping[str, str] = field(default_factory=dict)


class PartFailed(RuntimeError):
    """A part ended with an error: which one, and its last lines."""


class Parts:
    """The parts of a job while they run; leaving the block stops whatever still runs.

    `say` is given every line that a part prints, and a line for each part that ends.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        *,
        folder: Path,
        environment: Mapping[str, str],
        say: Callable[[str], None],
    ) -> None:
        self._waiting = list(parts)
        self._running: dict[str, _Running] = {}
        self._total = len(parts)
        self._folder = folder
        self._environment = environment
        self._say = say

    def __enter__(self) -> Self:
        self.look()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def unfinished(self) -> tuple[str, ...]:
        """The names of those that run or have yet to begin."""
        return (*self._running, *(part.name for part in self._waiting))

    @property
    def running(self) -> tuple[str, ...]:
        """The names of those that run."""
        return tuple(self._running)

    def look(self) -> None:
        """Note which parts have ended, and begin those that may; raises PartFailed."""
        for name, running in list(self._running.items()):
            if running.has_ended():
                del self._running[name]
                self._note(name, running)
        for part in list(self._waiting):
            if not set(part.after) & set(self.unfinished):
                self._waiting.remove(part)
                environment = {**self._environment, **part.environment}
                self._running[part.name] = _Running(part, self._folder, environment, self._say)

    def wait_for(self, *names: str) -> None:
        """Return when all of these have ended well; raises PartFailed as soon as any part fails."""
        while set(names) & set(self.unfinished):
            time.sleep(POLL_S)
            self.look()

    def stop(self) -> None:
        """End what runs; begin nothing more."""
        self._waiting.clear()
        for running in self._running.values():
            running.stop()
        self._running.clear()

    def _note(self, name: str, running: _Running) -> None:
        if running.exit_code:
            raise PartFailed(
                f"“{name}” ended with exit code {running.exit_code}. Its last lines:\n{running.last_lines()}"
            )
        done = self._total - len(self.unfinished)
        self._say(f"[{done}/{self._total}] {name}: done in {running.seconds:.0f} s")


class _Running:
    """A part's process, and the thread that reads what it prints."""

    def __init__(
        self, part: Part, folder: Path, environment: Mapping[str, str], say: Callable[[str], None]
    ) -> None:
        self._begun = time.monotonic()
        self._last: deque[str] = deque(maxlen=LAST_LINES)
        self._say: Callable[[str], None] | None = say
        # A group of its own, so that Ctrl-C reaches us alone and we stop it without a traceback on the screen.
        self._process = subprocess.Popen(
            part.command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            process_group=0,
        )
        self._lines = cast(IO[str], self._process.stdout)
        self._reader = Thread(target=self._read, name=part.name, daemon=True)
        self._reader.start()

    @property
    def exit_code(self) -> int | None:
        """The exit code; none while it runs."""
        return self._process.returncode

    @property
    def seconds(self) -> float:
        """How long ago it began."""
        return time.monotonic() - self._begun

    def has_ended(self) -> bool:
        """Say whether it has ended; all it printed has been said by then."""
        if self._process.poll() is None:
            return False
        self._reader.join(STOP_S)
        return True

    def last_lines(self) -> str:
        """Return the last that it printed."""
        return "\n".join(f"  {line}" for line in self._last)

    def stop(self) -> None:
        """End it and what it has started, at first politely, and say nothing more of it."""
        self._say = None
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._reader.join(STOP_S)

    def _read(self) -> None:
        with self._lines as lines:
            for line in lines:
                self._last.append(line.rstrip())
                say = self._say
                if say:
                    say(line.rstrip())
