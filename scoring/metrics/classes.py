"""Classification metrics beyond accuracy: from the confusion matrix, and from the probabilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scoring.metrics import confusion, guesses, resampling
from scoring.metrics.confusion import Counts
from scoring.metrics.formula import Labels, MetricResult, Predictions, Weights
from scoring.metrics.intervals import exact_mean
from scoring.metrics.resampling import Draws, Floats


def mcc(labels: Labels, predictions: Predictions, weights: Weights | None) -> MetricResult:
    """Score the correlation of labels and called classes."""
    return _from_counts(confusion.correlation, resampling.correlations, labels, predictions, weights)


def binary_mcc(labels: Labels, predictions: Predictions, weights: Weights | None) -> MetricResult:
    """Score the correlation of “label 0 or not” and “class 0 called or not”."""
    called = (guesses.called_classes(predictions) > 0).astype(np.int64)
    return _of_pairs(
        confusion.correlation, resampling.correlations, (labels > 0).astype(np.int64), called, weights, 2
    )


def gorodkin_mcc(labels: Labels, predictions: Predictions, weights: Weights | None) -> MetricResult:
    """Score the same as `mcc`, under the name that it has beside the binary one."""
    return mcc(labels, predictions, weights)


def macro_f1(labels: Labels, predictions: Predictions, weights: Weights | None) -> MetricResult:
    """Score the mean F1 of the classes."""
    return _from_counts(confusion.macro_f1, resampling.macro_f1s, labels, predictions, weights)


def balanced_accuracy(labels: Labels, predictions: Predictions, weights: Weights | None) -> MetricResult:
    """Score the mean recall of the classes."""
    return _from_counts(
        confusion.balanced_accuracy, resampling.balanced_accuracies, labels, predictions, weights
    )


def brier(labels: Labels, predictions: Predictions, weights: Weights | None) -> MetricResult:
    """Score the squared error of the probabilities."""
    found = guesses.of_classes(labels, predictions)
    return _mean_loss(found.brier, found.brier_baseline, weights)


def binary_brier(labels: Labels, predictions: Predictions, weights: Weights | None) -> MetricResult:
    """Score the squared error of the probability that the label is above 0."""
    found = guesses.of_first_against_rest(labels, predictions)
    scored = _mean_loss(found.brier, found.brier_baseline, weights)
    # Of a sample or two, the interval reaches beyond the largest loss there is.
    return replace(scored, ci=(scored.ci[0], min(1.0, scored.ci[1])))


def multiclass_brier(labels: Labels, predictions: Predictions, weights: Weights | None) -> MetricResult:
    """Score the squared errors of the probabilities of all classes."""
    found = guesses.of_classes(labels, predictions)
    # Of two classes the loss of one column is half of the sum over both.
    sums = 2 if found.classes == 2 else 1
    return _mean_loss(sums * found.brier, sums * found.brier_baseline, weights)


def cross_entropy(labels: Labels, predictions: Predictions, weights: Weights | None) -> MetricResult:
    """Score the negative logarithm of the label's probability."""
    found = guesses.of_classes(labels, predictions)
    return _mean_loss(found.cross_entropy, found.cross_entropy_baseline, weights)


def _from_counts(
    statistic: Callable[[Counts], float],
    statistics: Callable[[Draws], Floats],
    labels: Labels,
    predictions: Predictions,
    weights: Weights | None,
) -> MetricResult:
    classes = max(2, predictions.shape[1])
    called = guesses.called_classes(predictions)
    return _of_pairs(statistic, statistics, labels, called, weights, classes)


def _of_pairs(
    statistic: Callable[[Counts], float],
    statistics: Callable[[Draws], Floats],
    labels: Labels,
    called: Labels,
    weights: Weights | None,
    classes: int,
) -> MetricResult:
    value = statistic(confusion.confusion_matrix(labels, called, weights, classes))
    draws = resampling.draw(labels, called, weights, classes=classes)
    return MetricResult(value=value, ci=resampling.interval(value, statistics, draws))


def _mean_loss(loss: Floats, baseline: float, weights: Weights | None) -> MetricResult:
    value = exact_mean(loss, weights)
    draws = resampling.draw_losses(loss, weights, baseline=baseline)
    return MetricResult(value=value, ci=resampling.interval(value, resampling.mean_losses, draws))
