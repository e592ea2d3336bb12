"""Turns what a model returned for one batch into rows, checked against the output contract.

Every loader goes through `to_rows`, so an output kind means the same for each package format. This
code runs beside the entry, so the trusted side believes none of it: a row is only numbers to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import Outcome, OutputKind, Request
from scoring.sandboxed import boxes
from scoring.sandboxed.refusal import Refusal

Rows = NDArray[np.float32]
# Bounds the working memory of argmax over many planes.
SAMPLES_AT_ONCE: Final = 4


def accepts_integers(request: Request) -> bool:
    """Say whether the model may answer in whole numbers: a map of class numbers is one."""
    return request.output.kind is OutputKind.CLASS_MAP


def to_rows(output: NDArray[Any], *, batch: int, request: Request) -> Rows:
    """Return one finite float32 row of the contract's width for each sample, or raise `Refusal`.

    Logits and confidences may come back with values that are not finite; `predict` counts those.
    """
    if output.dtype.kind != "f" and not (accepts_integers(request) and output.dtype.kind in "iu"):
        raise refuse_kind(f"a tensor of {output.dtype}")
    return _ROWS[request.output.kind](output, batch, request)


def check_rows(rows: NDArray[np.floating], *, batch: int, width: int) -> Rows:
    """Return the rows as float32 of shape exactly (batch, width), all finite, or raise `Refusal`."""
    if rows.ndim == 2 and rows.shape[1] == width and len(rows) != batch:
        raise Refusal(Outcome.WRONG_OUTPUT_COUNT, found=len(rows), expected=batch)
    if rows.shape != (batch, width):
        raise _wrong_shape(rows, batch, f"({batch}, {width})")
    return _as_float32(rows)


def count_not_finite(rows: NDArray[np.float32]) -> int:
    """Return how many values are NaN or infinite."""
    return int(rows.size - np.isfinite(rows).sum())


def refuse_kind(found: str) -> Refusal:
    """Build the refusal of something that is not a floating-point tensor."""
    return Refusal(Outcome.WRONG_OUTPUT_KIND, found=found)


def _plain_rows(output: NDArray[Any], batch: int, request: Request) -> Rows:
    return check_rows(output, batch=batch, width=request.output.width)


def _class_map_rows(output: NDArray[Any], batch: int, request: Request) -> Rows:
    """Take the best class of each pixel, the lower one of equals; integers are classes already."""
    *_, height, width = request.input.sides()
    classes = request.output.classes
    if output.dtype.kind in "iu":
        _check_shape(output, (batch, height, width), request)
        if output.size and not (output.min() >= 0 and output.max() < classes):
            raise Refusal(Outcome.CLASS_OUT_OF_RANGE)
        return _as_float32(output.reshape(batch, height * width))
    _check_shape(output, (batch, classes, height, width), request)
    rows = np.empty((batch, height * width), np.float32)
    for start in range(0, batch, SAMPLES_AT_ONCE):
        part = output[start : start + SAMPLES_AT_ONCE]
        # argmax would turn NaN into a class.
        _refuse_not_finite(part)
        rows[start : start + SAMPLES_AT_ONCE] = part.argmax(axis=1).reshape(len(part), -1)
    return rows


def _boxes_rows(output: NDArray[Any], batch: int, request: Request) -> Rows:
    """Decode boxes, suppress repeats, and write at most `MAX_BOXES` of them a sample."""
    choice = boxes.choice(request)
    if not choice.fits(output.shape[1:]):
        raise _wrong_shape(output, batch, request.output.expected_shape(batch, request.input))
    if len(output) != batch:
        raise Refusal(Outcome.WRONG_OUTPUT_COUNT, found=len(output), expected=batch)
    _refuse_not_finite(output)
    rows = [choice.row(sample) for sample in output.astype(np.float32, copy=False)]
    return np.stack(rows) if rows else np.empty((0, request.output.width), np.float32)


def _check_shape(output: NDArray[Any], shape: tuple[int, ...], request: Request) -> None:
    if output.shape[1:] == shape[1:] and len(output) != shape[0]:
        raise Refusal(Outcome.WRONG_OUTPUT_COUNT, found=len(output), expected=shape[0])
    if output.shape != shape:
        raise _wrong_shape(output, shape[0], request.output.expected_shape(shape[0], request.input))


def _wrong_shape(output: NDArray[Any], batch: int, expected: str) -> Refusal:
    found = str(tuple(int(side) for side in output.shape))
    return Refusal(Outcome.WRONG_OUTPUT_SHAPE, found=found, batch=batch, expected=expected)


def _refuse_not_finite(output: NDArray[Any]) -> None:
    found = int(output.size - np.isfinite(output).sum())
    if found:
        raise Refusal(Outcome.NOT_FINITE, found=found, total=output.size)


def _as_float32(rows: NDArray[Any]) -> Rows:
    # Overflow to infinity is not worth a warning: it is counted afterwards.
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(rows, dtype=np.float32)


_ROWS: Final[dict[OutputKind, Callable[[NDArray[Any], int, Request], Rows]]] = {
    OutputKind.LOGITS: _plain_rows,
    OutputKind.CONFIDENCE: _plain_rows,
    OutputKind.CLASS_MAP: _class_map_rows,
    OutputKind.BOXES: _boxes_rows,
}
