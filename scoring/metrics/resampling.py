"""Percentile bootstrap intervals from counts: 1,000 draws with a fixed seed, 200 where pairs are many.

Each draw is a confusion matrix of as many samples (with weights: as many as Kish's effective
number) from the shares that were seen. A mean loss is drawn with it: given how many samples fall
into a cell, the loss is normal with the cell's mean and variance.

Before drawing, one sample that knows nothing is added for each class that is a label: half of it is
called right, half as the other class that is called most often, at the loss of calling all classes
equally likely. Without it a flawless prediction of ten samples would get an interval of no width.
Samples are put into an order that depends on their values alone, so theirs cannot change a draw.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.metrics.formula import Labels, Weights
from scoring.metrics.intervals import effective_samples

DRAWS: Final = 1_000
# A thousand classes called at random make fifty thousand cells: their draws would take ten seconds.
FEW_DRAWS: Final = 200
MANY_CELLS: Final = 5_000
SEED: Final = 0
# Bounds the temporary arrays where many classes make many cells.
CELLS_AT_ONCE: Final = 2_000_000

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Draws:
    """One row a draw: hits, labels and calls of each class, and the mean loss."""

    hits: Floats
    labels: Floats
    calls: Floats
    loss: Floats


@dataclass(frozen=True, kw_only=True)
class _Cells:
    """The pairs of label and called class that occur, with their share, mean loss and its variance."""

    truth: Labels
    called: Labels
    share: Floats
    mean: Floats
    variance: Floats
    samples: int


def draw(
    truth: Labels,
    called: Labels,
    weights: Weights | None,
    *,
    classes: int,
    loss: Floats | None = None,
    baseline: float = 0.0,
) -> Draws:
    """Draw confusion matrices and mean losses; `baseline` is the loss of a guess that knows nothing."""
    losses = np.zeros(len(truth)) if loss is None else loss
    cells = _cells(truth, called, weights, losses, classes=classes, baseline=baseline)
    random = np.random.default_rng(SEED)
    parts = []
    step = max(1, CELLS_AT_ONCE // len(cells.share))
    total = DRAWS if len(cells.share) <= MANY_CELLS else FEW_DRAWS
    for start in range(0, total, step):
        counts = random.multinomial(cells.samples, cells.share, size=min(step, total - start))
        parts.append(_draws(counts.astype(np.float64), cells, classes, random))
    return Draws(
        hits=np.concatenate([part.hits for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
        calls=np.concatenate([part.calls for part in parts]),
        loss=np.concatenate([part.loss for part in parts]),
    )


def draw_losses(loss: Floats, weights: Weights | None, *, baseline: float) -> Draws:
    """Draw mean losses alone: all samples lie in one cell."""
    nowhere = np.zeros(len(loss), dtype=np.int64)
    return draw(nowhere, nowhere, weights, classes=2, loss=loss, baseline=baseline)


def interval(value: float, statistic: Callable[[Draws], Floats], draws: Draws) -> tuple[float, float]:
    """Return where the middle 95% of the draws lie, widened to hold the value itself."""
    low, high = np.percentile(statistic(draws), [2.5, 97.5])
    return min(value, float(low)), max(value, float(high))


def correlations(draws: Draws) -> Floats:
    """Return R_K of each draw, 0 where it is undefined."""
    samples = draws.labels.sum(axis=1)
    covariance = draws.hits.sum(axis=1) * samples - (draws.labels * draws.calls).sum(axis=1)
    called = samples**2 - np.square(draws.calls).sum(axis=1)
    labelled = samples**2 - np.square(draws.labels).sum(axis=1)
    return np.clip(_ratio(covariance, np.sqrt(called * labelled)), -1, 1)


def macro_f1s(draws: Draws) -> Floats:
    """Return the mean F1 of the classes that occur in each draw."""
    seen = draws.labels + draws.calls
    return np.asarray(_ratio(2 * draws.hits, seen).sum(axis=1) / (seen > 0).sum(axis=1))


def balanced_accuracies(draws: Draws) -> Floats:
    """Return the mean recall of the labels that occur in each draw."""
    recalls = _ratio(draws.hits, draws.labels)
    return np.asarray(recalls.sum(axis=1) / (draws.labels > 0).sum(axis=1))


def mean_losses(draws: Draws) -> Floats:
    """Return the mean loss of each draw."""
    return draws.loss


def _cells(
    truth: Labels, called: Labels, weights: Weights | None, loss: Floats, *, classes: int, baseline: float
) -> _Cells:
    given = np.ones(len(truth)) if weights is None else weights
    order = np.lexsort((given, loss, called, truth))
    truth, called, given, loss = truth[order], called[order], given[order], loss[order]
    samples = effective_samples(given)
    given = given * (samples / given.sum())
    added_truth, added_called = _know_nothing(truth, called, classes)
    halves = np.full(len(added_truth), 0.5)
    keys = np.concatenate([truth * classes + called, added_truth * classes + added_called])
    given, loss = np.concatenate([given, halves]), np.concatenate([loss, 2 * baseline * halves])
    cells, of_cell = np.unique(keys, return_inverse=True)
    total = np.bincount(of_cell, given)
    mean = np.bincount(of_cell, given * loss) / total
    variance = np.bincount(of_cell, given * np.square(loss - mean[of_cell])) / total
    return _Cells(
        truth=cells // classes,
        called=cells % classes,
        share=total / total.sum(),
        mean=mean,
        variance=variance,
        samples=max(1, round(samples)),
    )


def _know_nothing(truth: Labels, called: Labels, classes: int) -> tuple[Labels, Labels]:
    """Return label and called class of the half samples that are added."""
    present = np.unique(truth)
    by_calls = np.argsort(-np.bincount(called, minlength=classes), kind="stable")
    other = np.where(present == by_calls[0], by_calls[1], by_calls[0])
    return np.concatenate([present, present]), np.concatenate([present, other])


def _draws(counts: Floats, cells: _Cells, classes: int, random: np.random.Generator) -> Draws:
    right = cells.truth == cells.called
    noise = np.sqrt(counts @ cells.variance) * random.standard_normal(len(counts))
    return Draws(
        hits=_sums(counts[:, right], cells.truth[right], classes),
        labels=_sums(counts, cells.truth, classes),
        calls=_sums(counts, cells.called, classes),
        loss=np.maximum(0, (counts @ cells.mean + noise) / cells.samples),
    )


def _sums(counts: Floats, keys: Labels, classes: int) -> Floats:
    """Add up the columns that have the same key."""
    sums = np.zeros((len(counts), classes))
    order = np.argsort(keys, kind="stable")
    present, starts = np.unique(keys[order], return_index=True)
    sums[:, present] = np.add.reduceat(counts[:, order], starts, axis=1)
    return sums


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)
