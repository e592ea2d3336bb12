import csv

import cv2
import numpy as np
import pytest

from scoring.contracts import InputContract

HEIGHT, WIDTH = 8, 12


@pytest.fixture
def contract():
    return InputContract(shape=(3, HEIGHT, WIDTH))


@pytest.fixture
def pictures():
    """Return twenty BGR pictures of the contract's size; every value of picture i is unlike the others'."""
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8) for _ in range(20)]


@pytest.fixture
def dataset(tmp_path, pictures):
    """Write the pictures as PNG, sorted by label as organisers do, with every column."""
    folder = tmp_path / "dataset"
    (folder / "images").mkdir(parents=True)
    with (folder / "labels.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["file", "label", "split", "weight", "group"])
        for number, picture in enumerate(pictures):
            name = f"images/{number:02}.png"
            cv2.imwrite(str(folder / name), picture)
            split = "private" if number % 2 else "public"
            table.writerow([name, number, split, number + 1, f"group {number % 3}"])
    return folder
