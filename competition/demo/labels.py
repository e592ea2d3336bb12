"""`labels.csv` of a generated dataset, half of it private."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path


def halves(keys: Iterable[Hashable]) -> list[str]:
    """Return the split of each sample: of samples with the same key, every second one is private."""
    seen: Counter[Hashable] = Counter()
    splits = []
    for key in keys:
        seen[key] += 1
        splits.append("public" if seen[key] % 2 else "private")
    return splits


def write_labels(folder: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write the table; written last, it says that the dataset is whole."""
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(columns)
        table.writerows(rows)
