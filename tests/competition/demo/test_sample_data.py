"""The sample data of each starter kit: what the generator writes, whole, small and good for its track."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from competition.demo.sample_data import KITS, write_sample_data
from scoring.contracts import TRUTH_BY_OUTPUT, TruthKind
from scoring.data.labels import read_labels
from scoring.tracks import load_track, presets
from tests.folders import checked, split_sizes

MAX_BYTES = 500_000
# One JPEG decoder may round otherwise than another.
TOLERANCE = 3
LOSSLESS = {".csv", ".json", ".png", ".txt"}
WITH_CLASSES = [
    preset for preset in presets() if read_labels(KITS / preset / "sample-data").truth is TruthKind.CLASSES
]


def files_below(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("preset", presets())
def test_the_sample_data_is_a_dataset_that_fits_its_track(preset):
    spec = load_track(preset).spec

    table = checked(KITS / preset / "sample-data", spec.input.reader)

    assert table.truth is TRUTH_BY_OUTPUT[spec.output.kind]
    assert split_sizes(table)[0] >= 4


@pytest.mark.parametrize("preset", WITH_CLASSES)
def test_each_split_of_the_sample_data_has_two_classes(preset):
    rows = read_labels(KITS / preset / "sample-data").rows

    for split in {row.private for row in rows}:
        assert len({row.label for row in rows if row.private is split}) >= 2


@pytest.mark.parametrize("kit", sorted(path.name for path in KITS.iterdir() if path.is_dir()))
def test_the_sample_data_is_small(kit):
    folder = KITS / kit / "sample-data"

    assert sum((folder / file).stat().st_size for file in files_below(folder)) < MAX_BYTES


@pytest.mark.parametrize("preset", presets())
def test_the_generator_writes_the_sample_data_that_lies_in_the_docs(preset, tmp_path):
    write_sample_data(tmp_path, preset)

    kept = KITS / preset / "sample-data"
    assert files_below(tmp_path) == files_below(kept)
    for file in files_below(kept):
        if file.suffix in LOSSLESS:
            assert (tmp_path / file).read_bytes() == (kept / file).read_bytes()
        if file.suffix == ".jpg":
            made, lying = (cv2.imread(str(folder / file)).astype(int) for folder in (tmp_path, kept))
            assert np.abs(made - lying).mean() < TOLERANCE
