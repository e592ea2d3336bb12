"""Chunks cut out of a dataset's array file: the rows that were asked for, one at a time."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scoring.benchmark.chunks import cut

ROOT = Path(__file__).parents[3]
BOUNDED = """
import sys
from pathlib import Path
from scoring.benchmark.chunks import cut
from tests.limited import allow_no_more_than

allow_no_more_than(30_000_000)
print(cut(Path(sys.argv[1]), range(256), Path(sys.argv[2])).stat().st_size)
"""


@pytest.mark.parametrize(("dtype", "sides"), [(np.uint8, (3, 4, 5)), (np.float32, (7,))])
def test_a_chunk_holds_the_rows_in_the_order_asked_for(tmp_path: Path, dtype: type, sides: tuple) -> None:
    rows = np.random.default_rng(0).integers(0, 256, (10, *sides)).astype(dtype)
    np.save(tmp_path / "all.npy", rows)

    chunk = np.load(cut(tmp_path / "all.npy", [3, 0, 9], tmp_path / "chunk.npy"))

    assert chunk.dtype == rows.dtype
    assert chunk.tobytes() == rows[[3, 0, 9]].tobytes()


def test_a_chunk_may_be_larger_than_the_memory_there_is(tmp_path: Path) -> None:
    np.lib.format.open_memmap(tmp_path / "all.npy", mode="w+", dtype=np.uint8, shape=(256, 1_000_000))

    ended = subprocess.run(
        [sys.executable, "-c", BOUNDED, tmp_path / "all.npy", tmp_path / "chunk.npy"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert int(ended.stdout) > 256_000_000
