"""Boxes as models write them, brought to rows: decoded, thinned, best first, padded.

The layout is declared by the track or by the package, the thresholds by the package; nothing is
guessed from values. A box of a row is (left, top, right, bottom, score, class) in pixels of the
input; a score of -1 fills a place up that no box takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import (
    BOX_FIELDS,
    CONFIDENCE_THRESHOLD,
    MAX_BOXES,
    NMS_THRESHOLD,
    BoxLayout,
    Outcome,
    Request,
)
from scoring.sandboxed.refusal import Refusal, load_failed

MAX_CANDIDATES: Final = 30_000
SIDES: Final = 4
NO_BOX: Final = (0.0, 0.0, 0.0, 0.0, -1.0, 0.0)

Values = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class BoxChoice:
    """How one track and package want boxes read. `nms_threshold` None leaves overlaps alone.

    `rows` is how many numbers an anchor has; those of classes beyond the track's are dropped.
    """

    layout: BoxLayout
    classes: int
    rows: int
    confidence_threshold: float
    nms_threshold: float | None

    def fits(self, sides: tuple[int, ...]) -> bool:
        """Say whether one sample of this shape is laid out as declared."""
        if len(sides) != 2:
            return False
        return sides[0] == self.rows if self.layout is BoxLayout.YOLO else sides[1] == BOX_FIELDS

    def row(self, sample: Values) -> Values:
        """Return one sample's boxes as a row; a box that counts and has no class of the track is refused."""
        found = _from_yolo(sample) if self.layout is BoxLayout.YOLO else sample
        found = found[found[:, 4] >= self.confidence_threshold]
        if self.rows > SIDES + self.classes:
            found = found[found[:, 5] < self.classes]
        if not np.isin(found[:, 5], np.arange(self.classes)).all():
            raise Refusal(Outcome.CLASS_OUT_OF_RANGE)
        # Stable: of equal scores the earlier one stays first, whatever the sorting algorithm.
        found = found[np.argsort(-found[:, 4], kind="stable")[:MAX_CANDIDATES]]
        if self.nms_threshold is not None:
            found = found[suppress(found, self.nms_threshold)]
        row = np.tile(np.array(NO_BOX, np.float32), (MAX_BOXES, 1))
        row[: len(found)] = found[:MAX_BOXES]
        return row.reshape(-1)


def choice(request: Request) -> BoxChoice:
    """Read the track's layout and the package's thresholds.

    Boxes given by their corners are final unless the package asks for suppression, as the models
    that need none write them so.
    """
    layout = request.output.box_layout
    if layout is None:
        raise ValueError("the track declares no box layout")
    default = NMS_THRESHOLD if layout is BoxLayout.YOLO else None
    return BoxChoice(
        layout=layout,
        classes=request.output.classes,
        rows=_rows(request),
        confidence_threshold=_share(request, "confidence_threshold", CONFIDENCE_THRESHOLD) or 0.0,
        nms_threshold=_share(request, "nms_threshold", default),
    )


def _rows(request: Request) -> int:
    stated = request.options.get("box_rows")
    return stated if isinstance(stated, int) else SIDES + request.output.classes


def suppress(found: Values, threshold: float) -> NDArray[np.intp]:
    """Return which boxes stay, best first: each drops later ones of its class that overlap it more.

    Greedy non-maximum suppression; it ends once `MAX_BOXES` are found.
    """
    kept: list[int] = []
    left = np.arange(len(found))
    while left.size and len(kept) < MAX_BOXES:
        best, rest = left[0], left[1:]
        kept.append(int(best))
        same = found[rest, 5] == found[best, 5]
        left = rest[~(same & (_overlap(found[best], found[rest]) > threshold))]
    return np.array(kept, dtype=np.intp)


def _overlap(box: Values, others: Values) -> Values:
    """Return intersection over union with each of the others; 0 where both are empty."""
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[2:4], others[:, 2:4])
    shared = np.maximum(high - low, 0).prod(axis=1)
    union = _area(box[None]) + _area(others) - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def _area(boxes: Values) -> Values:
    return np.asarray(np.maximum(boxes[:, 2:4] - boxes[:, :2], 0).prod(axis=1), dtype=np.float32)


def _from_yolo(sample: Values) -> Values:
    """Return (anchors, 6); each anchor counts for its best class only, the lower one of equals."""
    centre, size, scores = sample[:2].T, sample[2:4].T, sample[4:]
    best = scores.argmax(axis=0)
    score = np.take_along_axis(scores, best[None], axis=0)[0]
    return np.column_stack([centre - size / 2, centre + size / 2, score, best]).astype(np.float32)


def _share(request: Request, name: str, default: float | None) -> float | None:
    value = request.options.get(name, default)
    if value is None:
        return None
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise load_failed(f"{name} is not a number from 0 to 1")
    return float(value)
