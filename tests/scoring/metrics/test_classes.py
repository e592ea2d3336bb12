import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    balanced_accuracy_score,
    brier_score_loss,
    confusion_matrix,
    f1_score,
    log_loss,
    matthews_corrcoef,
)

from scoring.contracts import Metric
from scoring.errors import Fault
from scoring.metrics import score
from scoring.metrics.confusion import count_pairs

CLASSES = 4


def case(seed):
    """Return labels, each class among them, weights, logits with ties, classes called, probabilities."""
    random = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(CLASSES), random.integers(0, CLASSES, 40)])
    logits = random.integers(-3, 4, (len(labels), CLASSES)).astype(np.float32)
    likely = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return labels, random.uniform(0.5, 2, len(labels)), logits, logits.argmax(axis=1), likely


def value(metric, labels, logits, weights=None):
    return score(metric, (), np.array(labels), np.array(logits, np.float32), weights)[metric].value


@pytest.mark.parametrize(
    ("metric", "reference"),
    [
        (Metric.MCC, matthews_corrcoef),
        (Metric.MACRO_F1, lambda *args, **kw: f1_score(*args, **kw, average="macro")),
        (Metric.BALANCED_ACCURACY, balanced_accuracy_score),
    ],
)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_scores_of_calls_are_scikit_learns(metric, reference, seed):
    labels, weights, logits, called, _ = case(seed)

    assert value(metric, labels, logits) == pytest.approx(reference(labels, called), abs=1e-12)
    expected = reference(labels, called, sample_weight=weights)
    assert value(metric, labels, logits, weights) == pytest.approx(expected, abs=1e-5)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_cross_entropy_is_scikit_learns(seed):
    labels, weights, logits, _, likely = case(seed)
    expected = log_loss(labels, likely, sample_weight=weights)

    assert value(Metric.CROSS_ENTROPY, labels, logits, weights) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("classes", [2, CLASSES])
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_brier_is_scikit_learns_halved_for_two_classes(classes, seed):
    random = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes), random.integers(0, classes, 20)])
    logits = random.normal(size=(len(labels), classes)).astype(np.float32)
    likely = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    summed = np.square(likely - np.eye(classes)[labels]).sum(axis=1).mean()
    expected = brier_score_loss(labels, likely[:, 1]) if classes == 2 else summed

    assert value(Metric.BRIER, labels, logits) == pytest.approx(expected, abs=1e-6)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_binary_metrics_set_the_first_class_against_the_rest_and_multiclass_ones_do_not(seed):
    labels, _, logits, called, likely = case(seed)
    parts = score(
        Metric.SN34_SCORE,
        (
            Metric.SN34_MULTICLASS,
            Metric.BINARY_MCC,
            Metric.GORODKIN_MCC,
            Metric.BINARY_BRIER,
            Metric.MULTICLASS_BRIER,
        ),
        labels,
        logits,
    )

    assert parts["binary_mcc"].value == pytest.approx(matthews_corrcoef(labels > 0, called > 0), abs=1e-12)
    assert parts["gorodkin_mcc"].value == pytest.approx(matthews_corrcoef(labels, called), abs=1e-12)
    assert parts["binary_brier"].value == pytest.approx(
        brier_score_loss(labels > 0, 1 - likely[:, 0]), abs=1e-6
    )
    summed = np.square(likely - np.eye(CLASSES)[labels]).sum(axis=1).mean()
    assert parts["multiclass_brier"].value == pytest.approx(summed, abs=1e-6)
    binary, multiclass = parts["sn34_score"].details, parts["sn34_multiclass"].details
    assert (binary["mcc"], binary["brier"]) == (parts["binary_mcc"].value, parts["binary_brier"].value)
    assert (multiclass["mcc"], multiclass["brier"]) == (
        parts["gorodkin_mcc"].value,
        parts["multiclass_brier"].value,
    )


def test_the_multiclass_brier_of_two_classes_sums_over_both():
    labels, logits = np.array([0, 1, 1]), np.array([[1, 0], [0, 2], [3, 0]], np.float32)

    assert value(Metric.MULTICLASS_BRIER, labels, logits) == 2 * value(Metric.BRIER, labels, logits)


@pytest.mark.parametrize("metric", [Metric.MCC, Metric.BRIER, Metric.CROSS_ENTROPY])
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_one_column_scores_as_two_whose_difference_it_is(metric, seed):
    random = np.random.default_rng(seed)
    labels, logits = random.integers(0, 2, 20), random.normal(size=(20, 1))

    one = value(metric, labels, logits)

    assert one == pytest.approx(value(metric, labels, np.hstack([0 * logits, logits])), abs=1e-6)


@pytest.mark.parametrize("metric", [Metric.MACRO_F1, Metric.BALANCED_ACCURACY, Metric.TOP5_ACCURACY])
def test_one_column_is_a_fault_where_no_threshold_is_agreed(metric):
    with pytest.raises(Fault):
        value(metric, [0, 1], [[0.0], [1.0]])


def test_a_class_that_is_neither_label_nor_called_is_left_out_of_macro_f1():
    assert value(Metric.MACRO_F1, [0, 1], [[1, 0, 0], [0, 1, 0]]) == 1.0


def test_a_class_without_a_label_is_left_out_of_balanced_accuracy():
    # Recall 1 of class 0 and 0 of class 1; class 2 is called and never a label.
    assert value(Metric.BALANCED_ACCURACY, [0, 1], [[1, 0, 0], [0, 0, 1]]) == 0.5


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_the_confusion_matrix_is_scikit_learns(seed):
    labels, _, _, called, _ = case(seed)
    counts = count_pairs(labels, called, None, CLASSES)

    assert counts.tolist() == confusion_matrix(labels, called, labels=range(CLASSES)).tolist()


@pytest.mark.parametrize("metric", [Metric.MCC, Metric.MACRO_F1, Metric.BALANCED_ACCURACY])
def test_the_interval_covers_the_true_score_about_95_times_in_100(metric):
    # Two equally frequent classes, right with chance 0.8: MCC 0.6, F1 and recall 0.8.
    true_score = 0.6 if metric is Metric.MCC else 0.8
    random = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        labels = random.integers(0, 2, 300)
        called = np.where(random.random(300) < 0.8, labels, 1 - labels)
        low, high = score(metric, (), labels, np.eye(2, dtype=np.float32)[called])[metric].ci
        covered += low <= true_score <= high

    assert 180 <= covered <= 198


def test_the_interval_of_a_mean_loss_is_the_normal_one():
    random = np.random.default_rng(0)
    labels, logits = random.integers(0, 2, 5000), random.normal(size=(5000, 2)).astype(np.float32)
    losses = np.log1p(np.exp(-(logits[:, 1] - logits[:, 0]) * (2 * labels - 1)))
    half = 1.96 * losses.std() / np.sqrt(5000)

    found = score(Metric.CROSS_ENTROPY, (), labels, logits)["cross_entropy"]

    assert found.ci == pytest.approx((losses.mean() - half, losses.mean() + half), abs=half / 5)
