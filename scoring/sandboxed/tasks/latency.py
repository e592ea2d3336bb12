"""Answers samples one at a time, each as soon as the parent has written it into the mapped inputs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import Outcome, Request, stored_dtype
from scoring.sandboxed.channel import Channel
from scoring.sandboxed.failures import entry_failures
from scoring.sandboxed.loaders import LOADERS

POLL_S: Final = 5e-5
COUNT: Final = np.dtype("<u4")


def open_paced(path: Path, request: Request) -> NDArray[np.uint8]:
    """Map samples and the row after them, which begins with how many are there; later writes show."""
    array: NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)
    expected = (request.samples + 1, *request.input.sides())
    if array.dtype != stored_dtype(request.input.reader).value or array.shape != expected:
        raise ValueError(f"inputs are {array.dtype} {array.shape}; the request says {expected}")
    return array


def answer(request: Request, package: Path, array: NDArray[np.uint8], channel: Channel) -> dict[str, object]:
    """Append one row for each sample as it comes; return the reply."""
    with entry_failures(Outcome.LOAD_FAILED, request.task):
        entry = LOADERS[request.format](package, request)
    given = int(_count(array)[0])
    with entry_failures(Outcome.CRASHED, request.task):
        # The same samples as in `predict` come first, so the same memory format is chosen.
        entry.prepare(array[: max(given, 1)].copy())
    for place in range(request.samples):
        while _count(array)[0] <= place:
            time.sleep(POLL_S)
        with entry_failures(Outcome.CRASHED, request.task):
            channel.append_rows(entry.predict(array[place : place + 1].copy()))
    return {"outcome": Outcome.OK, "rows": request.samples}


def _count(array: NDArray[np.uint8]) -> NDArray[np.uint32]:
    last = array[-1:].view(np.uint8).reshape(-1)[: COUNT.itemsize]
    count: NDArray[np.uint32] = last.view(COUNT)
    return count
