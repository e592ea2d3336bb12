"""Times best F1 on ten million scores against np.argsort of them and scikit-learn's curve.

Each label has to stay with its score, so whoever begins by sorting needs the order, and not sorted values alone:
np.sort, which moves these by AVX-512 where a processor has it, does less than any way of finding the threshold.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np
from sklearn.metrics import precision_recall_curve

from scoring.contracts import Metric
from scoring.metrics import score
from tests.benchmarks.figures import Figure
from tests.benchmarks.timing import medians, processor_s

SAMPLES: Final = 10_000_000
ROUNDS: Final = 7
ROUNDS_OF_CURVE: Final = 3


def bench() -> Iterator[Figure]:
    """Yield both ratios of medians."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, SAMPLES)
    scores = (random.standard_normal(SAMPLES) + labels).astype(np.float32)
    ours, order = medians(
        partial(processor_s, lambda: score(Metric.BEST_F1, (), labels, scores[:, None])),
        partial(processor_s, lambda: np.argsort(scores)),
        rounds=ROUNDS,
    )
    yield Figure(
        name="best F1 of 10 million scores, to np.argsort",
        value=ours / order,
        at_most=1.0,
        rounds=ROUNDS,
        note=f"{ours:.2f} s and {order:.2f} s of processor time",
    )
    (curve,) = medians(
        partial(processor_s, lambda: precision_recall_curve(labels, scores)), rounds=ROUNDS_OF_CURVE
    )
    yield Figure(
        name="scikit-learn's precision_recall_curve, to best F1",
        value=curve / ours,
        at_least=3.0,
        rounds=ROUNDS_OF_CURVE,
        note=f"{curve:.2f} s and {ours:.2f} s of processor time",
    )
