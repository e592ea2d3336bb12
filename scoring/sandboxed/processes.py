"""Tells an entry in words that it may start no process; the system call filter is what holds it to that."""

from __future__ import annotations

import errno
import sys
from typing import Final, NoReturn

# Events that the interpreter raises before it starts or becomes another program.
_EVENTS: Final = frozenset(
    {"os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen"}
)
_WORDS: Final = "entries on this track may not start processes, only threads"


class ProcessRefused(PermissionError):
    """What an entry gets that tries to start a process: an OSError, as libraries that can do without expect."""


def refuse_processes() -> None:
    """Raise `ProcessRefused` from now on wherever Python code starts a process."""
    # multiprocessing calls it without an event; looked up there at each call.
    import _posixsubprocess

    _posixsubprocess.fork_exec = _refuse
    sys.addaudithook(_hook)


def _hook(event: str, _: tuple[object, ...]) -> None:
    if event in _EVENTS:
        _refuse()


def _refuse(*_: object) -> NoReturn:
    raise ProcessRefused(errno.EPERM, _WORDS)
