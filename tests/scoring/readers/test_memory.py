"""The reader's memory does not grow with the dataset: measured in a fresh process."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.media_files import grey_frames, sine, write_labels, write_sound, write_video

ROOT = Path(__file__).parents[3]
FEW, MANY = 4, 64
PROGRAM = """
import resource, sys
from pathlib import Path
from scoring.contracts import InputContract, Reader
from scoring.readers import READERS

reader = Reader(sys.argv[1])
shape = (16, 3, 224, 224) if reader is Reader.VIDEO else (600_000,)
prepare = READERS[reader].prepare
for name in ("few", "many"):
    folder = Path(sys.argv[2]) / name
    inputs = prepare(folder, contract=InputContract(reader=reader, shape=shape), cache=folder / "cache").inputs
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, inputs.stat().st_size)
"""


def write_copies(folder, source, count):
    folder.mkdir()
    names = [f"{number}{source.suffix}" for number in range(count)]
    for name in names:
        shutil.copyfile(source, folder / name)
    write_labels(folder, names)


@pytest.mark.parametrize("reader", ["video", "audio"])
def test_sixteen_times_the_samples_take_no_more_memory(reader, tmp_path):
    if reader == "video":
        source = write_video(tmp_path / "a.mp4", grey_frames(range(0, 160, 10)))
    else:
        source = write_sound(tmp_path / "a.wav", sine(440, seconds=10, rate=48_000), rate=48_000)
    write_copies(tmp_path / "few", source, FEW)
    write_copies(tmp_path / "many", source, MANY)

    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, reader, tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    (few_peak, few_bytes), (many_peak, many_bytes) = np.fromstring(
        ended.stdout.replace("\n", " "), sep=" "
    ).reshape(2, 2)

    assert many_bytes > 15 * few_bytes
    assert many_bytes > 150e6
    assert many_peak - few_peak < 50e6
