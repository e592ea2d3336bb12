"""Shows a child its trials once it has written its entry's graph, and keeps the graph as it was then.

The child maps a file that we go on writing, as a paced one does. Whoever made the graph did not know what
it would be compared on, and what is changed in it afterwards is not looked at.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import LENGTH_BYTES
from scoring.sandbox.pacing import COUNT

POLL_S: Final = 0.005
COPY_BYTES: Final = 2**20

Samples = NDArray[np.generic]


class Reveal:
    """Writes `inputs` with the samples, room for the trials, and a last row that begins with how many are there.

    `outputs` is where the child writes; the graph is kept in `kept`, if one of at most `max_bytes` came.
    """

    def __init__(
        self, samples: Samples, trials: Samples, *, inputs: Path, outputs: Path, kept: Path, max_bytes: int
    ) -> None:
        total = len(samples) + len(trials)
        self._array = np.lib.format.open_memmap(inputs, "w+", samples.dtype, (total + 1, *samples.shape[1:]))
        self._array[: len(samples)] = samples
        self._tell(len(samples))
        self._trials, self._outputs, self._kept, self._max_bytes = trials, outputs, kept, max_bytes
        # Left over from an earlier run, they would look like a graph of this one.
        for path in (outputs, kept):
            path.unlink(missing_ok=True)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self.graph_bytes = 0

    def __enter__(self) -> Self:
        """Begin to wait for the graph."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop waiting; the child is dead by now."""
        self._over.set()
        self._thread.join()

    def _follow(self) -> None:
        fd = self._open()
        if fd is None:
            return
        try:
            self._take(fd)
        finally:
            os.close(fd)

    def _open(self) -> int | None:
        while True:
            # Asked first: what was written until then is there.
            is_over = self._over.is_set()
            try:
                return os.open(self._outputs, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            except FileNotFoundError:
                if is_over:
                    return None
                time.sleep(POLL_S)
            except OSError:
                # Run as our own user, the entry may have put something else in its place.
                return None

    def _take(self, fd: int) -> None:
        if not self._await(fd, LENGTH_BYTES):
            return
        length = int.from_bytes(os.pread(fd, LENGTH_BYTES, 0), "little")
        if 0 < length <= self._max_bytes:
            if not self._await(fd, LENGTH_BYTES + length):
                return
            with self._kept.open("wb") as target:
                for at in range(LENGTH_BYTES, LENGTH_BYTES + length, COPY_BYTES):
                    target.write(os.pread(fd, min(COPY_BYTES, LENGTH_BYTES + length - at), at))
            self.graph_bytes = length
        shown = len(self._array) - 1
        self._array[shown - len(self._trials) : shown] = self._trials
        self._tell(shown)

    def _await(self, fd: int, size: int) -> bool:
        """Wait until the file is that long; say no if the child ended first."""
        while True:
            is_over = self._over.is_set()
            if os.fstat(fd).st_size >= size:
                return True
            if is_over:
                return False
            time.sleep(POLL_S)

    def _tell(self, count: int) -> None:
        place = self._array[-1:].view(np.uint8).reshape(-1)[: COUNT.itemsize]
        place[:] = np.frombuffer(np.array(count, COUNT).tobytes(), np.uint8)
