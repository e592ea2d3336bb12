"""Three logits where two classes are told apart, as GASBench reads them: 0 is real, 1 and 2 are not."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, log_loss, matthews_corrcoef

from scoring.contracts import Joining, Metric
from scoring.errors import Fault
from scoring.metrics import score
from scoring.metrics.breakdown import break_down
from scoring.metrics.joining import joined

RANDOM = np.random.default_rng(5)
LABELS = np.concatenate([[0, 1], RANDOM.integers(0, 2, 60)])
LOGITS = RANDOM.normal(0, 2, (len(LABELS), 3)).astype(np.float32)
LIKELY = np.exp(LOGITS.astype(np.float64)) / np.exp(LOGITS.astype(np.float64)).sum(axis=1, keepdims=True)
CHANCE = 1 - LIKELY[:, 0]
CALLED = (LOGITS.argmax(axis=1) > 0).astype(np.int64)
SPLIT_VOTE = np.log([[0.4, 0.3, 0.3]]).astype(np.float32)
"""Real is called, as the highest, though it is less likely than not."""


def value(metric, labels=LABELS, logits=LOGITS):
    return score(metric, (), np.array(labels), logits, classes=2)[metric].value


@pytest.mark.parametrize(
    ("metric", "reference"),
    [
        (Metric.ACCURACY, accuracy_score),
        (Metric.BALANCED_ACCURACY, balanced_accuracy_score),
        (Metric.MACRO_F1, lambda labels, called: f1_score(labels, called, average="macro")),
        (Metric.MCC, matthews_corrcoef),
        (Metric.GORODKIN_MCC, matthews_corrcoef),
        (Metric.BINARY_MCC, matthews_corrcoef),
    ],
)
def test_calls_are_of_real_or_not(metric, reference):
    assert ((CHANCE > 0.5) != CALLED).any()
    assert value(metric) == pytest.approx(reference(LABELS, CALLED), abs=1e-12)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (Metric.BRIER, np.square(CHANCE - LABELS).mean()),
        (Metric.BINARY_BRIER, np.square(CHANCE - LABELS).mean()),
        (Metric.MULTICLASS_BRIER, 2 * np.square(CHANCE - LABELS).mean()),
        (Metric.CROSS_ENTROPY, log_loss(LABELS, CHANCE)),
    ],
)
def test_chances_are_those_of_all_that_is_not_real(metric, expected):
    assert value(metric) == pytest.approx(expected, abs=1e-9)


def test_the_score_is_gasbenchs():
    # Real, called real at a chance of .6 for not real, and wrong; real at .9; synthetic at .9.
    logits = np.log([[0.4, 0.3, 0.3], [0.9, 0.05, 0.05], [0.1, 0.2, 0.7]]).astype(np.float32)

    assert value(Metric.SN34_SCORE, [1, 0, 1], logits) == pytest.approx(0.657308111, abs=1e-6)


def test_the_highest_of_three_is_called_though_the_others_are_likelier_together():
    assert value(Metric.ACCURACY, [0], SPLIT_VOTE) == 1.0
    assert value(Metric.BRIER, [0], SPLIT_VOTE) == pytest.approx(0.36, abs=1e-6)


def test_counts_by_label_have_two_classes():
    told = break_down(Metric.ACCURACY, LABELS, LOGITS, None, {}, classes=2)

    expected = [[int(((row == LABELS) & (column == CALLED)).sum()) for column in (0, 1)] for row in (0, 1)]
    assert told is not None
    assert [list(row) for row in told.confusion] == expected


@pytest.mark.parametrize("classes", [0, 3, 4])
def test_columns_that_are_all_classes_stay(classes):
    assert joined(LOGITS, classes, Joining.CALLS) is LOGITS


def test_a_label_beyond_the_classes_is_our_fault():
    with pytest.raises(Fault, match="a label is not from 0 to 1"):
        value(Metric.ACCURACY, [2], SPLIT_VOTE)
