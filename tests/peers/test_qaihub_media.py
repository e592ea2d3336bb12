"""AI Hub Models' own transform of ImageNet pictures, against the arrays that models get on its preset."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from scoring.readers import image
from scoring.tracks import load_track
from tests.peers.conftest import Run
from tests.peers.pictures import write_pictures


def test_pictures_are_equal_to_the_bit(qaihub: Run, tmp_path: Path) -> None:
    files = write_pictures(tmp_path)

    theirs = qaihub([{"file": str(file)} for file in files])

    contract = load_track("qaihub-classification").spec.input
    different = [
        file.name
        for file, values in zip(files, theirs, strict=True)
        if not np.array_equal(image.decode(file, contract), np.rint(values * 255))
    ]
    assert different == []
