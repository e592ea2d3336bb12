"""Gives a child its samples one at a time and takes the time until each answer, by the parent's clock.

The child maps a file that we go on writing: sample n appears in it when answer n - 1 has come, so an
entry can neither work ahead nor tell us a time. Answers are kept as they come: one that is written
quickly and mended later is compared as it first was.
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

POLL_S: Final = 1e-4
COUNT: Final = np.dtype("<u4")
WARM_UP: Final = 4


class Pacer:
    """Writes `inputs` (one row more than samples, which begins with how many are given) and watches `outputs`."""

    def __init__(self, samples: NDArray[np.generic], *, inputs: Path, outputs: Path, width: int) -> None:
        self._samples = samples
        self._outputs = outputs
        self._row_bytes = 4 * width
        self._array = np.lib.format.open_memmap(
            inputs, "w+", samples.dtype, (len(samples) + 1, *samples.shape[1:])
        )
        self._given = min(WARM_UP, len(samples) - 1)
        self._array[: self._given] = samples[: self._given]
        self._tell(self._given)
        # Left over from an earlier run, it would look like answers.
        outputs.unlink(missing_ok=True)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self.times_s: list[float] = []
        self.answers: list[NDArray[np.float32]] = []

    def __enter__(self) -> Self:
        """Begin to watch for answers."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop watching; the child is dead by now."""
        self._over.set()
        self._thread.join()

    def wait(self, most_s: float) -> None:
        """Wait until all answers are in, at most `most_s`: a last one may come just before the child ends."""
        self._thread.join(most_s)

    @property
    def timed_s(self) -> list[float]:
        """Return the seconds of each answer that was not given beforehand, to warm up."""
        return self.times_s[self._given :]

    def _follow(self) -> None:
        fd = self._open()
        if fd is None:
            return
        try:
            for place, sample in enumerate(self._samples):
                if not self._step(fd, place, sample):
                    return
        finally:
            os.close(fd)

    def _step(self, fd: int, place: int, sample: NDArray[np.generic]) -> bool:
        if place >= self._given:
            self._array[place] = sample
            self._tell(place + 1)
        given_at = time.perf_counter()
        while os.fstat(fd).st_size < (place + 1) * self._row_bytes:
            if self._over.is_set():
                return False
            time.sleep(POLL_S)
        answered_at = time.perf_counter()
        raw = os.pread(fd, self._row_bytes, place * self._row_bytes)
        if len(raw) != self._row_bytes:
            # The entry cut the file after it had grown: half an answer is none.
            return False
        self.times_s.append(answered_at - given_at)
        self.answers.append(np.frombuffer(raw, "<f4"))
        return True

    def _open(self) -> int | None:
        while not self._over.is_set():
            try:
                return os.open(self._outputs, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            except FileNotFoundError:
                time.sleep(POLL_S)
        return None

    def _tell(self, given: int) -> None:
        count = self._array[-1:].view(np.uint8).reshape(-1)[: COUNT.itemsize]
        count[:] = np.frombuffer(np.array(given, COUNT).tobytes(), np.uint8)
