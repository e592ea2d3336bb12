"""Time best F1 on ten million scores against np.sort of them and scikit-learn's curve."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from sklearn.metrics import precision_recall_curve

from scoring.contracts import Metric
from scoring.metrics import score

SAMPLES = 10_000_000
MAX_TIMES_SORT = 2.5
MIN_TIMES_FASTER = 3.0


def main() -> int:
    """Print the ratios of medians; return 1 if one misses its bound."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, SAMPLES)
    scores = (random.standard_normal(SAMPLES) + labels).astype(np.float32)
    ours, sort = _medians(
        lambda: score(Metric.BEST_F1, (), labels, scores[:, None]), lambda: np.sort(scores), rounds=7
    )
    (curve,) = _medians(lambda: precision_recall_curve(labels, scores), rounds=3)
    times_sort, times_faster = ours / sort, curve / ours
    print(f"best_f1 {ours:.2f} s, np.sort {sort:.2f} s, precision_recall_curve {curve:.2f} s")
    print(f"best_f1 / np.sort: {times_sort:.2f} (at most {MAX_TIMES_SORT})")
    print(f"precision_recall_curve / best_f1: {times_faster:.2f} (at least {MIN_TIMES_FASTER})")
    return int(times_sort > MAX_TIMES_SORT or times_faster < MIN_TIMES_FASTER)


def _medians(*works: Callable[[], object], rounds: int) -> list[float]:
    """Time the works in turn, so that a busy moment of the machine hits all of them."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, taken in zip(works, times, strict=True):
            start = time.perf_counter()
            work()
            taken.append(time.perf_counter() - start)
    return [statistics.median(taken) for taken in times]


if __name__ == "__main__":
    sys.exit(main())
