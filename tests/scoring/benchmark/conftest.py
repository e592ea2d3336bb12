import zipfile

import cv2
import numpy as np
import pytest

SAMPLES = 30


@pytest.fixture
def root(tmp_path):
    """A folder with an entry and thirty tiny pictures in three groups."""
    with zipfile.ZipFile(tmp_path / "entry.zip", "w") as archive:
        archive.writestr("model.py", "class Model: ...\n")
    data = tmp_path / "data"
    data.mkdir()
    rows = ["file,label,group,weight"]
    for number in range(SAMPLES):
        cv2.imwrite(str(data / f"{number}.png"), np.full((8, 8, 3), 8 * number, np.uint8))
        rows.append(f"{number}.png,{number % 5},group {number % 3},{1 + number % 2}")
    (data / "labels.csv").write_text("\n".join(rows) + "\n")
    return tmp_path
