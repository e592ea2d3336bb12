"""pycocotools called directly on many generated datasets with tied scores, against Podium's mAP of shuffled samples."""

from __future__ import annotations

import numpy as np
import pytest

from scoring.contracts import Metric
from scoring.metrics import score
from tests.scoring.metrics.test_detection import direct, tied


@pytest.mark.parametrize("seed", range(20, 40))
def test_tied_scores_are_ordered_as_pycocotools_meets_them(seed: int) -> None:
    boxes, predictions = tied(seed)
    order = np.random.default_rng(seed).permutation(len(boxes))

    found = score(
        Metric.COCO_MAP, (), [boxes[place] for place in order], predictions[order], classes=3, places=order
    )["coco_map"]

    expected = direct(boxes, predictions)
    assert (found.value, found.details["map50"], found.details["map75"]) == pytest.approx(expected, abs=1e-9)
