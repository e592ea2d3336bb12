"""Pipes between us and a child process, closed when their owner's stack ends."""

from __future__ import annotations

import contextlib
import os
import select
import time
from dataclasses import dataclass

from scoring.errors import Fault

# A new pipe holds this much before a write blocks; nobody reads before the child has started.
_PIPE_BYTES = 2**16


@dataclass(frozen=True)
class Pipe:
    """Both ends of a pipe; the child gets one of them."""

    reader: int
    writer: int
    stack: contextlib.ExitStack

    def close_writer(self) -> None:
        """Close our copy of the writer, so that the reader sees the end when the child is gone."""
        self.stack.close()

    def send(self, content: bytes) -> None:
        """Write all of `content`, which a new pipe holds, and close the writer; a child that is gone reads nothing."""
        if len(content) > _PIPE_BYTES:
            raise Fault("what a child is told is too long for a pipe")
        with contextlib.suppress(BrokenPipeError):
            os.write(self.writer, content)
        self.close_writer()

    def read(self, timeout_s: float) -> bytes:
        """Read up to the end, or as much as comes within `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        found = b""
        while select.select([self.reader], [], [], max(0.0, deadline - time.monotonic()))[0]:
            chunk = os.read(self.reader, _PIPE_BYTES)
            if not chunk:
                break
            found += chunk
        return found


def open_pipe(owner: contextlib.ExitStack) -> Pipe:
    """Open a pipe whose ends are closed with `owner` at the latest."""
    reader, writer = os.pipe()
    owner.callback(os.close, reader)
    writer_only = owner.enter_context(contextlib.ExitStack())
    writer_only.callback(os.close, writer)
    return Pipe(reader, writer, writer_only)


def readable(content: bytes, owner: contextlib.ExitStack) -> int:
    """Return a descriptor from which a child reads `content`."""
    pipe = open_pipe(owner)
    pipe.send(content)
    return pipe.reader
