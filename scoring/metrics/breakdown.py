"""Where an entry is right and wrong: by label, by group of `labels.csv`, and class against class.

Counts are of samples, without weights. A confidence calls a sample positive at the threshold that
the first metric with one reports; without such a metric nothing is called, so nothing is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import (
    METRIC_FACTS,
    TRUTH_BY_OUTPUT,
    Breakdown,
    Joining,
    Metric,
    OutputKind,
    ScoreValue,
    Share,
    TruthKind,
)
from scoring.metrics.confusion import count_pairs
from scoring.metrics.formula import Labels, Predictions
from scoring.metrics.guesses import called_classes
from scoring.metrics.joining import joined

# Tables that nobody reads are left out, so that a report stays small.
MAX_PARTS: Final = 500
MAX_CONFUSION_CLASSES: Final = 20


def break_down(
    metric: Metric,
    labels: Labels,
    predictions: Predictions,
    groups: Sequence[str] | None,
    scores: Mapping[str, ScoreValue],
    *,
    classes: int = 0,
) -> Breakdown | None:
    """Count what was called right; None where the output calls no class.

    `classes` is how many labels there are where logits have more columns.
    """
    if TRUTH_BY_OUTPUT[METRIC_FACTS[metric].output] is not TruthKind.CLASSES:
        return None
    predictions = joined(predictions, classes, Joining.CALLS)
    called = _called(metric, predictions, scores)
    if called is None:
        return None
    right = _right(metric, labels, called)
    classes = max(2, predictions.shape[1])
    return Breakdown(
        by_label=_shares(map(str, labels), right) if classes <= MAX_PARTS else {},
        by_group=_shares(groups or (), right),
        confusion=_confusion(labels, called, classes) if classes <= MAX_CONFUSION_CLASSES else (),
    )


def _right(metric: Metric, labels: Labels, called: Labels) -> NDArray[np.bool_]:
    if METRIC_FACTS[metric].first_against_rest:
        labels, called = (labels > 0).astype(np.int64), (called > 0).astype(np.int64)
    return np.equal(labels, called)


def _called(metric: Metric, predictions: Predictions, scores: Mapping[str, ScoreValue]) -> Labels | None:
    if METRIC_FACTS[metric].output is OutputKind.LOGITS:
        return called_classes(predictions)
    thresholds = [score.details["threshold"] for score in scores.values() if "threshold" in score.details]
    return (predictions[:, 0] >= thresholds[0]).astype(np.int64) if thresholds else None


def _shares(names: Iterable[str], right: NDArray[np.bool_]) -> dict[str, Share]:
    found, part = np.unique(np.array(list(names), dtype=np.str_), return_inverse=True)
    if len(found) > MAX_PARTS:
        return {}
    samples = np.bincount(part, minlength=len(found)).tolist()
    correct = np.bincount(part[right[: len(part)]], minlength=len(found)).tolist()
    shares = zip(found.tolist(), samples, correct, strict=True)
    return {name: Share(samples=n, correct=c, accuracy=c / n) for name, n, c in sorted(shares, key=_by_name)}


def _by_name(share: tuple[str, int, int]) -> tuple[int, str]:
    """Order labels as numbers, and groups as words."""
    return (int(share[0]) if share[0].isdecimal() else 0, share[0])


def _confusion(labels: Labels, called: Labels, classes: int) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(row) for row in count_pairs(labels, called, None, classes).tolist())
