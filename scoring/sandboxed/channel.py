"""What leaves this process: sealed lines down the reply pipe, and a file of raw float32 outputs."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import LENGTH_BYTES, STARTED_REPLY, Letter

Reply = dict[str, object]

# Bound when this module is imported, before the entry runs: a model.py that replaces
# `json.dumps`, `os.write` or `os._exit` changes nothing here.
_encode = json.JSONEncoder(allow_nan=False).encode
STDIN: Final = 0
_write, _truncate, _seek, _leave = os.write, os.ftruncate, os.lseek, os._exit


def read_letter() -> Letter:
    """Wait for the letter and put nothing in its place, so that the entry finds it nowhere.

    Without one there is nothing to do, and the process ends.
    """
    content = b""
    while chunk := os.read(STDIN, 2**16):
        content += chunk
    if not content:
        leave(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, STDIN)
    os.close(nothing)
    return Letter.from_bytes(content)


class OutFile:
    """A file that the parent made beforehand, opened before the entry runs and written in place."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        _truncate(self._fd, 0)
        _seek(self._fd, 0, os.SEEK_SET)

    def write(self, payload: bytes | memoryview) -> None:
        """Append all of `payload`."""
        _write_all(self._fd, payload)


class Channel:
    """The outputs of one request; all that a task is given, which runs the entry."""

    def __init__(self, outputs: Path) -> None:
        self._outputs = OutFile(outputs)

    def append_rows(self, rows: NDArray[np.float32]) -> None:
        """Append rows as little-endian float32."""
        self._outputs.write(rows.astype("<f4", copy=False).tobytes())

    def append_bytes(self, content: bytes) -> None:
        """Append raw bytes."""
        self._outputs.write(content)

    def append_graph(self, content: bytes) -> None:
        """Append a graph after its length; nothing stands for no graph."""
        self._outputs.write(len(content).to_bytes(LENGTH_BYTES, "little"))
        self._outputs.write(content)


class ReplyPipe:
    """The reply of one request. What is not sealed as the letter says counts for nothing."""

    def __init__(self, fd: int, letter: Letter) -> None:
        self._fd = fd
        self._letter = letter

    def started(self) -> None:
        """Say that our own libraries are loaded and the entry comes next."""
        _write_all(self._fd, self._letter.line(STARTED_REPLY))

    def reply(self, reply: Mapping[str, object]) -> None:
        """Write the reply; called once."""
        _write_all(self._fd, self._letter.line(_encode(reply).encode()))


def _write_all(fd: int, payload: bytes | memoryview) -> None:
    rest = memoryview(payload)
    while rest:
        rest = rest[_write(fd, rest) :]


def leave(exit_code: int) -> None:
    """End the process at once: exit handlers and threads that the entry left behind do not run."""
    _leave(exit_code)
