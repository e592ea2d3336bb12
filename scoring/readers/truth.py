"""Masks and boxes brought to the size of the input, as their pictures are; they stay outside the sandbox.

Only stretching is followed: any cropping would cut off pixels and boxes that count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scoring.cache.build import obtain
from scoring.contracts import Fit, InputContract, Orientation, TruthKind
from scoring.data.labels import LabelRow, LabelTable
from scoring.errors import Fault
from scoring.readers.prepared import PreparedData, shuffled

ORIENTATION: Final = 0x0112
LYING: Final = frozenset({5, 6, 7, 8})
MASK_MODES: Final = frozenset({"L", "P"})


def with_truth(
    prepared: PreparedData,
    dataset: Path,
    table: LabelTable,
    *,
    contract: InputContract,
    tick: Callable[[], None],
) -> PreparedData:
    """Add masks or boxes, where the dataset has them; raise `Fault` for one that does not fit."""
    if table.truth is TruthKind.CLASSES:
        return prepared
    if contract.fit is not Fit.STRETCH:
        raise Fault(f"{table.truth} only works with the fit “stretch”, but the track has “{contract.fit}”")
    rows = shuffled(table, prepared.digest)
    _, height, width = contract.sides()
    if table.truth is TruthKind.BOXES:
        boxes = tuple(_boxes(dataset, row, contract) for row in rows)
        return replace(prepared, boxes=boxes)

    def build(stream: BinaryIO) -> None:
        header = {"descr": "|u1", "fortran_order": False, "shape": (len(rows), height, width)}
        np.lib.format.write_array_header_1_0(stream, header)
        for row in rows:
            stream.write(read_mask(dataset, row, contract).tobytes())
            tick()

    # Beside the inputs, whose name stands for the dataset and for the sides.
    path = obtain(prepared.inputs.with_suffix(".masks.npy"), build, tick=tick)
    return replace(prepared, masks=np.load(path, mmap_mode="r", allow_pickle=False))


def read_mask(dataset: Path, row: LabelRow, contract: InputContract) -> NDArray[np.uint8]:
    """Return the row's class numbers as (height, width), each pixel taken from the nearest one."""
    _, height, width = contract.sides()
    try:
        with Image.open(dataset / row.mask) as picture:
            if picture.mode not in MASK_MODES:
                raise Fault(f"row {row.number} of the dataset: the mask has colours instead of class numbers")
            mask = np.asarray(picture, dtype=np.uint8)
    except (OSError, SyntaxError) as exc:
        raise Fault(f"row {row.number} of the dataset: the mask cannot be decoded") from exc
    _check_size(dataset, row, (mask.shape[1], mask.shape[0]), contract.orientation)
    if mask.shape == (height, width):
        return mask
    return np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST), dtype=np.uint8)


def _boxes(dataset: Path, row: LabelRow, contract: InputContract) -> NDArray[np.float64]:
    _, height, width = contract.sides()
    picture = row.picture
    if picture is None:
        raise Fault(f"row {row.number} of the dataset has no boxes")
    _check_size(dataset, row, (picture.width, picture.height), contract.orientation)
    across, down = width / picture.width, height / picture.height
    found = [
        (box.left * across, box.top * down, box.right * across, box.bottom * down, box.number, box.crowd)
        for box in picture.boxes
    ]
    return np.array(found, dtype=np.float64).reshape(-1, 6)


def _check_size(dataset: Path, row: LabelRow, size: tuple[int, int], orientation: Orientation) -> None:
    given = given_size(dataset / row.file, orientation)
    if size != given:
        told = f"{size[0]} x {size[1]}, but the picture, {orientation}, is {given[0]} x {given[1]}"
        raise Fault(f"row {row.number} of the dataset: the truth is for {told}")


def given_size(path: Path, orientation: Orientation) -> tuple[int, int]:
    """Return the width and height at which a picture is given to models, without decoding it."""
    try:
        with Image.open(path) as picture:
            width, height = picture.size
            lies = picture.getexif().get(ORIENTATION) in LYING
    except (OSError, SyntaxError) as exc:
        raise Fault("a picture of the dataset cannot be read") from exc
    return (height, width) if lies and orientation is Orientation.UPRIGHT else (width, height)
