"""What is true of some of the samples, by each kind of truth."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scoring.contracts import TruthKind
from scoring.errors import Fault
from scoring.readers import PreparedData

LABELS = PreparedData(
    inputs=Path("inputs.npy"),
    samples=3,
    digest="sha256:x",
    labels=np.array([7, 8, 9]),
    private=np.array([False, True, False]),
    places=np.array([3, 1, 2]),
    weights=None,
    groups=None,
)
MASKS = replace(LABELS, kind=TruthKind.MASKS, masks=np.arange(12, dtype=np.uint8).reshape(3, 2, 2))
BOXES = replace(
    LABELS, kind=TruthKind.BOXES, boxes=tuple(np.full((count, 6), count, np.float64) for count in (1, 0, 2))
)


def test_the_truth_of_classes_is_their_labels() -> None:
    assert LABELS.truth(~LABELS.private).tolist() == [7, 9]


def test_the_truth_of_maps_is_their_masks() -> None:
    assert MASKS.truth(MASKS.private).tolist() == [[[4, 5], [6, 7]]]


def test_the_truth_of_boxes_is_an_array_for_each_sample() -> None:
    assert [boxes.shape for boxes in BOXES.truth(~BOXES.private)] == [(1, 6), (2, 6)]


@pytest.mark.parametrize("kind", [TruthKind.MASKS, TruthKind.BOXES])
def test_truth_that_the_reader_did_not_bring_is_our_fault(kind: TruthKind) -> None:
    with pytest.raises(Fault):
        replace(LABELS, kind=kind).truth(LABELS.private)
