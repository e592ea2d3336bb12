"""Measures the memory of the process that prepares a dataset of 20,000 images, and the time it takes."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.benchmarks.figures import Figure
from tests.benchmarks.timing import in_child, peak_mb, wall_s

SAMPLES: Final = 20_000
TEMPLATES: Final = 50


def bench() -> Iterator[Figure]:
    """Yield the peak of a fresh process, and how much less the second evaluation on the same data takes."""
    with tempfile.TemporaryDirectory() as folder:
        dataset = Path(folder) / "dataset"
        _write_dataset(dataset)
        first_mb, first_s = in_child(prepare, dataset, Path(folder) / "cache")
        second_mb, second_s = in_child(prepare, dataset, Path(folder) / "cache")
    yield Figure(
        name="memory of preparing 20,000 images",
        value=first_mb,
        unit="MB",
        at_most=400,
        note=f"{first_s:.1f} s",
    )
    yield Figure(
        name="preparing them again for the next entry, to the first time",
        value=second_s / first_s,
        note=f"{second_s:.2f} s, {second_mb:.0f} MB",
    )


def prepare(dataset: str, cache: str) -> tuple[float, float]:
    """Prepare the dataset; return the peak in megabytes, and seconds."""
    from scoring.contracts import InputContract
    from scoring.readers import image

    contract = InputContract()
    seconds = wall_s(lambda: image.prepare(Path(dataset), contract=contract, cache=Path(cache)))
    return peak_mb(), seconds


def _write_dataset(folder: Path) -> None:
    """Write JPEGs that differ by a trailing number only, which decoders skip: cheap and distinct."""
    import cv2
    import numpy as np

    folder.mkdir()
    random = np.random.default_rng(0)
    templates = []
    for _ in range(TEMPLATES):
        coarse = random.integers(0, 256, (24, 32, 3), dtype=np.uint8)
        picture = cv2.resize(coarse, (320, 240), interpolation=cv2.INTER_CUBIC)
        templates.append(cv2.imencode(".jpg", picture)[1].tobytes())
    with (folder / "labels.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["file", "label"])
        for number in range(SAMPLES):
            name = f"{number:05}.jpg"
            (folder / name).write_bytes(templates[number % TEMPLATES] + number.to_bytes(4))
            table.writerow([name, number % 2])
