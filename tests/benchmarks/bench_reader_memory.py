"""Measure the memory of the process that prepares a dataset of 20,000 images, and the time it takes."""

from __future__ import annotations

import csv
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MAX_MEGABYTES = 400
SAMPLES = 20_000
TEMPLATES = 50


def main() -> int:
    """Print the peak of a fresh process; return 1 if it is over the bound."""
    with tempfile.TemporaryDirectory() as folder:
        dataset = Path(folder) / "dataset"
        _write_dataset(dataset)
        first = _prepare_in_child(dataset, Path(folder) / "cache")
        second = _prepare_in_child(dataset, Path(folder) / "cache")
    print(f"reader, {SAMPLES:,} images: peak {first[0]:.0f} MB of {MAX_MEGABYTES} MB, {first[1]:.1f} s")
    print(f"second evaluation on the same data: peak {second[0]:.0f} MB, {second[1]:.1f} s")
    print(f"peak / bound: {first[0] / MAX_MEGABYTES:.2f} (at most 1.00)")
    return int(first[0] > MAX_MEGABYTES)


def _prepare_in_child(dataset: Path, cache: Path) -> tuple[float, float]:
    """Return peak megabytes and seconds."""
    command = [sys.executable, __file__, str(dataset), str(cache)]
    megabytes, seconds = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(megabytes), float(seconds)


def child(dataset: Path, cache: Path) -> None:
    """Prepare the dataset and print what that took."""
    from scoring.contracts import InputContract
    from scoring.readers.image import prepare

    start = time.perf_counter()
    prepare(dataset, contract=InputContract(), cache=cache)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(peak / 10**6, seconds)


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


if __name__ == "__main__":
    if len(sys.argv) > 1:
        child(Path(sys.argv[1]), Path(sys.argv[2]))
        sys.exit()
    sys.exit(main())
