"""Classification metrics beyond accuracy: from the confusion matrix, and from the probabilities."""

from __future__ import annotations

from collections.abc import Callable

from scoring.metrics import confusion, guesses, resampling
from scoring.metrics.confusion import Counts
from scoring.metrics.formula import Labels, MetricResult, Predictions, Weights
from scoring.metrics.intervals import exact_mean
from scoring.metrics.resampling import Draws, Floats


def mcc(labels: Labels, predictions: Predictions, weights: Weights | None) -> MetricResult:
    """Score the correlation of labels and called classes."""
    return _from_counts(confusion.correlation, resampling.correlations, labels, predictions, weights)


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
    value = statistic(confusion.confusion_matrix(labels, called, weights, classes))
    draws = resampling.draw(labels, called, weights, classes=classes)
    return MetricResult(value=value, ci=resampling.interval(value, statistics, draws))


def _mean_loss(loss: Floats, baseline: float, weights: Weights | None) -> MetricResult:
    value = exact_mean(loss, weights)
    draws = resampling.draw_losses(loss, weights, baseline=baseline)
    return MetricResult(value=value, ci=resampling.interval(value, resampling.mean_losses, draws))
