"""What a reader hands on: an array file for the sandbox, and labels that stay outside it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import TruthKind
from scoring.data.labels import LabelRow, LabelTable
from scoring.errors import Fault

Truth = NDArray[np.int64] | NDArray[np.uint8] | tuple[NDArray[np.float64], ...]


@dataclass(frozen=True, kw_only=True)
class PreparedData:
    """A dataset ready to be predicted and scored; row i of every array is the same sample.

    `inputs` is an .npy file, `stored_dtype`, shape (samples, *contract.shape); only it enters the sandbox.
    `places` are the rows' numbers in `labels.csv`. `weights` is None when the dataset has none, `groups`
    likewise. What is true of a sample stands in `labels`, in `masks` of shape (samples, H, W), mapped from a
    file, or in `boxes`, arrays (boxes, 6) of left, top, right, bottom, class, crowd in pixels of the input;
    `kind` says which.
    """

    inputs: Path
    samples: int
    digest: str
    labels: NDArray[np.int64]
    private: NDArray[np.bool_]
    places: NDArray[np.int64]
    weights: NDArray[np.float64] | None
    groups: tuple[str, ...] | None
    kind: TruthKind = TruthKind.CLASSES
    masks: NDArray[np.uint8] | None = None
    boxes: tuple[NDArray[np.float64], ...] | None = None

    def truth(self, rows: NDArray[np.bool_]) -> Truth:
        """Return what is true of some of the samples; never enters the sandbox."""
        if self.kind is TruthKind.CLASSES:
            return self.labels[rows]
        if self.masks is not None:
            return self.masks[rows]
        if self.boxes is not None:
            return tuple(boxes for boxes, wanted in zip(self.boxes, rows, strict=True) if wanted)
        raise Fault(f"this reader cannot bring {self.kind} to the input's size")


def shuffled(table: LabelTable, digest: str) -> tuple[LabelRow, ...]:
    """Return the rows in an order fixed by the dataset's digest, so that position says nothing.

    Organisers' files are often sorted by class; without this a model could answer by counting.
    """
    seed = digest.encode()
    return tuple(sorted(table.rows, key=lambda row: hashlib.sha256(seed + row.file.encode()).digest()))


def prepared(table: LabelTable, rows: tuple[LabelRow, ...], *, inputs: Path, digest: str) -> PreparedData:
    """Join the array file with what `labels.csv` says of its rows."""
    return PreparedData(
        inputs=inputs,
        samples=len(rows),
        digest=digest,
        kind=table.truth,
        labels=np.array([row.label for row in rows], dtype=np.int64),
        private=np.array([row.private for row in rows], dtype=np.bool_),
        places=np.array([row.number for row in rows], dtype=np.int64),
        weights=np.array([row.weight for row in rows], dtype=np.float64) if table.weighted else None,
        groups=tuple(row.group for row in rows) if table.grouped else None,
    )
