"""Checks what a model returned for one batch against the output contract."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import Outcome
from scoring.sandboxed.refusal import Refusal


def check_rows(rows: NDArray[np.floating], *, batch: int, width: int) -> NDArray[np.float32]:
    """Return the rows as float32 of shape exactly (batch, width), all finite, or raise `Refusal`."""
    if rows.ndim == 2 and rows.shape[1] == width and len(rows) != batch:
        raise Refusal(Outcome.WRONG_OUTPUT_COUNT, found=len(rows), expected=batch)
    if rows.shape != (batch, width):
        raise Refusal(
            Outcome.WRONG_OUTPUT_SHAPE,
            found=str(tuple(int(side) for side in rows.shape)),
            batch=batch,
            expected=str((batch, width)),
            width=width,
        )
    # Overflow to infinity is not worth a warning: the next line counts it.
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(rows, dtype=np.float32)


def count_not_finite(rows: NDArray[np.float32]) -> int:
    """Return how many values are NaN or infinite."""
    return int(rows.size - np.isfinite(rows).sum())


def refuse_kind(found: str) -> Refusal:
    """Build the refusal of something that is no floating-point tensor."""
    return Refusal(Outcome.WRONG_OUTPUT_KIND, found=found)
