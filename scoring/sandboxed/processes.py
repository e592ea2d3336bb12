"""Keeps an entry from becoming another program, and tells it in words that it may start no process.

The filter that the keeper set before this process began lets it start threads and nothing else; the last
filter, which could not stand before Python itself was started, takes `execve` away too.
"""

from __future__ import annotations

import base64
import ctypes
import errno
import os
import platform
import sys
from typing import Final, NoReturn

SECCOMP: Final = {"x86_64": 317, "aarch64": 277}
SET_MODE_FILTER: Final = 1
ALL_THREADS: Final = 1
BYTES_OF_INSTRUCTION: Final = 8
# Events that the interpreter raises before it starts or becomes another program.
_EVENTS: Final = frozenset(
    {"os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen"}
)
_WORDS: Final = "entries on this track may not start processes, only threads"


class ProcessRefused(PermissionError):
    """What an entry gets that tries to start a process: an OSError, as libraries that can do without expect."""


class _Program(ctypes.Structure):
    """The kernel's `struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def refuse_processes() -> None:
    """Raise `ProcessRefused` where Python starts a process."""
    # multiprocessing calls it without an event; looked up there at each call.
    import _posixsubprocess

    _posixsubprocess.fork_exec = _refuse
    sys.addaudithook(_hook)


def put_on(last_filter: str) -> None:
    """Put a system call filter, in base64, on all threads: libraries have started some by now."""
    program = base64.b64decode(last_filter)
    instructions = ctypes.create_string_buffer(program, len(program))
    packed = _Program(len(program) // BYTES_OF_INSTRUCTION, ctypes.cast(instructions, ctypes.c_void_p))
    call = ctypes.CDLL(None, use_errno=True).syscall
    if call(SECCOMP[platform.machine()], SET_MODE_FILTER, ALL_THREADS, ctypes.byref(packed)) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _hook(event: str, _: tuple[object, ...]) -> None:
    if event in _EVENTS:
        _refuse()


def _refuse(*_: object) -> NoReturn:
    raise ProcessRefused(errno.EPERM, _WORDS)
