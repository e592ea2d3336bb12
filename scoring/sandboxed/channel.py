"""The two files that leave this process: a JSON reply and raw float32 outputs, written in place."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import ENTRY_BEGINS, STARTED_REPLY

Reply = dict[str, object]

# Bound when this module is imported, before the entry runs: a model.py that replaces
# `json.dumps`, `os.write` or `os._exit` changes nothing here.
_encode = json.JSONEncoder(allow_nan=False).encode
STDERR: Final = 2
_write, _truncate, _seek, _leave = os.write, os.ftruncate, os.lseek, os._exit


class OutFile:
    """A file that the parent made beforehand, opened before the entry runs and written in place."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        self.clear()

    def clear(self) -> None:
        """Begin the file anew."""
        _truncate(self._fd, 0)
        _seek(self._fd, 0, os.SEEK_SET)

    def write(self, payload: bytes | memoryview) -> None:
        """Append all of `payload`."""
        rest = memoryview(payload)
        while rest:
            rest = rest[_write(self._fd, rest) :]


class Channel:
    """Reply and outputs of one request."""

    def __init__(self, reply: Path, outputs: Path) -> None:
        self._reply = OutFile(reply)
        self._outputs = OutFile(outputs)

    def append_rows(self, rows: NDArray[np.float32]) -> None:
        """Append rows as little-endian float32."""
        self._outputs.write(rows.astype("<f4", copy=False).tobytes())

    def append_bytes(self, content: bytes) -> None:
        """Append raw bytes."""
        self._outputs.write(content)

    def started(self) -> None:
        """Say that our own libraries are loaded and the entry comes next."""
        self._reply.write(STARTED_REPLY)
        _write(STDERR, ENTRY_BEGINS)

    def reply(self, reply: Mapping[str, object]) -> None:
        """Write the reply in place of `started`; called once."""
        self._reply.clear()
        self._reply.write(_encode(reply).encode())


def leave(exit_code: int) -> None:
    """End the process at once: exit handlers and threads that the entry left behind do not run."""
    _leave(exit_code)
