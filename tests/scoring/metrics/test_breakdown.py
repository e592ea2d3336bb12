import numpy as np
import pytest

from scoring.contracts import Metric, Share
from scoring.metrics import score
from scoring.metrics.breakdown import MAX_CONFUSION_CLASSES, MAX_PARTS, break_down


def found(metric, labels, predictions, groups=None, extra=()):
    labels, predictions = np.array(labels), np.array(predictions, np.float32)
    scores = score(metric, extra, labels, predictions)
    return break_down(metric, labels, predictions, groups, scores)


def test_it_counts_by_label_and_by_group():
    told = found(Metric.ACCURACY, [0, 1, 1, 2], np.eye(3)[[0, 1, 2, 2]], ["b", "a", "a", "a"])

    assert told.by_label == {
        "0": Share(samples=1, correct=1, accuracy=1.0),
        "1": Share(samples=2, correct=1, accuracy=0.5),
        "2": Share(samples=1, correct=1, accuracy=1.0),
    }
    assert told.by_group == {
        "a": Share(samples=3, correct=2, accuracy=2 / 3),
        "b": Share(samples=1, correct=1, accuracy=1.0),
    }


def test_rows_of_the_confusion_are_labels_and_columns_what_was_called():
    told = found(Metric.ACCURACY, [0, 1, 1, 2], np.eye(3)[[0, 1, 2, 2]])

    assert told.confusion == ((1, 0, 0), (0, 1, 1), (0, 0, 1))


def test_labels_stand_in_the_order_of_their_numbers():
    told = found(Metric.ACCURACY, [10, 9, 2], np.eye(11)[[10, 9, 2]])

    assert list(told.by_label) == ["2", "9", "10"]


def test_for_sn34_calling_any_kind_of_fake_is_right():
    told = found(Metric.SN34_SCORE, [0, 1, 2, 2], np.eye(3)[[0, 2, 1, 0]])

    assert [told.by_label[label].correct for label in "012"] == [1, 1, 1]
    assert told.confusion == ((1, 0, 0), (0, 0, 1), (1, 1, 0))


def test_for_multiclass_sn34_it_is_not():
    told = found(Metric.SN34_MULTICLASS, [0, 1, 2, 2], np.eye(3)[[0, 2, 1, 0]])

    assert [told.by_label[label].correct for label in "012"] == [1, 0, 0]


@pytest.mark.parametrize("extra", [(), (Metric.AUROC,)])
def test_a_confidence_is_called_at_the_threshold_that_a_metric_reports(extra):
    told = found(Metric.BEST_F1, [1, 1, 0, 0], [[9], [7], [8], [1]], extra=extra)

    # The best threshold is 7.
    assert told.confusion == ((1, 1), (0, 2))


def test_a_threshold_of_an_extra_metric_serves_too():
    told = found(Metric.AUROC, [1, 0], [[9], [7]], extra=(Metric.BEST_F1,))

    assert told.confusion == ((1, 0), (0, 1))


def test_without_a_threshold_nothing_is_called():
    assert found(Metric.AUROC, [1, 0], [[9], [7]]) is None


def test_tables_that_nobody_reads_are_left_out():
    classes = MAX_CONFUSION_CLASSES + 1
    many = [str(number) for number in range(MAX_PARTS + 1)]

    told = found(Metric.ACCURACY, [0] * len(many), np.ones((len(many), classes)), many)

    assert (told.confusion, told.by_group) == ((), {})
    assert told.by_label == {"0": Share(samples=len(many), correct=len(many), accuracy=1.0)}


def test_of_class_maps_nothing_is_counted_by_sample():
    masks, predictions = np.zeros((2, 3, 3), np.uint8), np.zeros((2, 9), np.float32)
    scores = score(Metric.MIOU, (), masks, predictions, classes=2)

    assert break_down(Metric.MIOU, masks, predictions, None, scores) is None
