"""The inputs of a request: a memory-mapped array, handed out in fixed batches, in order."""

from __future__ import annotations

import mmap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import InputContract, Request, stored_dtype

POLL_S: Final = 5e-5
COUNT: Final = np.dtype("<u4")
# Samples as they are stored: the bytes of pictures, or the floats of sound.
Pixels = NDArray[np.uint8 | np.float32]


def open_inputs(path: Path, request: Request) -> Pixels:
    """Map the inputs; they never come into memory as a whole.

    Copy-on-write: torch warns about arrays that it could not write to.
    """
    pixels: Pixels = np.load(path, mmap_mode="c", allow_pickle=False)
    expected = (request.samples, *request.input.sides())
    stored = stored_dtype(request.input.reader)
    if pixels.dtype != np.dtype(stored.value) or pixels.shape != expected:
        raise ValueError(f"inputs are {pixels.dtype} {pixels.shape}; the request says {stored} {expected}")
    return pixels


def open_paced(path: Path, request: Request) -> Pixels:
    """Map samples, trials, and the row after them, which begins with how many are there; later writes show."""
    array: Pixels = np.load(path, mmap_mode="r", allow_pickle=False)
    expected = (request.samples + request.trials + 1, *request.input.sides())
    if array.dtype != stored_dtype(request.input.reader).value or array.shape != expected:
        raise ValueError(f"inputs are {array.dtype} {array.shape}; the request says {expected}")
    return array


def groups(pixels: Pixels, size: int) -> Iterator[Pixels]:
    """Yield the samples in groups of `size`; the last may be smaller."""
    for start in range(0, len(pixels), size):
        yield pixels[start : start + size]


def batches(pixels: Pixels, size: int) -> Iterator[Pixels]:
    """Yield groups of `size` samples in order; the last may be smaller."""
    for group in groups(pixels, size):
        yield group
        _forget(pixels)


def _forget(pixels: Pixels) -> None:
    """Give mapped pages back: else resident memory grows to the size of the dataset."""
    if isinstance(pixels.base, mmap.mmap):
        pixels.base.madvise(mmap.MADV_DONTNEED)


def pad(group: Pixels, size: int) -> Pixels:
    """Fill a short group up with its last sample; what a model answers for those is cut off."""
    if len(group) == size:
        return group
    return np.concatenate([group, np.repeat(group[-1:], size - len(group), axis=0)])


def await_samples(paced: Pixels, wanted: int) -> None:
    """Wait until the parent has shown so many samples of what `open_paced` mapped."""
    while shown(paced) < wanted:
        time.sleep(POLL_S)


def shown(paced: Pixels) -> int:
    """Return how many samples the parent has shown so far."""
    return int(paced[-1:].view(np.uint8).reshape(-1)[: COUNT.itemsize].view(COUNT)[0])


def channel_values(values: tuple[float, ...], contract: InputContract) -> NDArray[np.float32]:
    """Return one value a channel, shaped so that it reaches across a sample's rows and columns."""
    sides = (len(values), 1, 1) if len(contract.shape) > 1 else (len(values),)
    return np.asarray(values, np.float32).reshape(sides)


class FloatBatches:
    """Turns pixels into float32 from `low` to `high`, reusing one buffer; sound is that already."""

    def __init__(self, contract: InputContract) -> None:
        self._low = np.float32(contract.low)
        self._span = np.float32(contract.high - contract.low)
        self._mean = None if contract.mean is None else channel_values(contract.mean, contract)
        self._std = None if contract.std is None else channel_values(contract.std, contract)
        self._buffer: NDArray[np.float32] = np.empty((0, *contract.sides()), np.float32)

    def convert(self, pixels: Pixels) -> NDArray[np.float32]:
        """Return x / 255 * (high - low) + low, normalised where asked; valid until the next call."""
        if pixels.dtype == np.float32:
            return np.array(pixels, np.float32)
        if len(self._buffer) < len(pixels):
            self._buffer = np.empty(pixels.shape, np.float32)
        floats = self._buffer[: len(pixels)]
        # One sample at a time, so that the three passes find it in the processor's cache.
        for sample, source in zip(floats, pixels, strict=True):
            np.copyto(sample, source)
            np.divide(sample, np.float32(255), out=sample)
            if self._span != 1:
                np.multiply(sample, self._span, out=sample)
            if self._low != 0:
                np.add(sample, self._low, out=sample)
            if self._mean is not None and self._std is not None:
                np.subtract(sample, self._mean, out=sample)
                np.divide(sample, self._std, out=sample)
        return floats
