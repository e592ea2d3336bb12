"""The reader's memory does not grow with the dataset: measured and bounded in fresh processes."""

import shutil
import subprocess
import sys
from pathlib import Path

import cv2
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

BOUNDED = """
import sys
from pathlib import Path
from scoring.contracts import InputContract, Reader
from scoring.readers import READERS
from tests.limited import allow_no_more_than

reader = Reader(sys.argv[1])
shape = {Reader.IMAGE: (3, 1024, 1024), Reader.VIDEO: (16, 3, 224, 224), Reader.AUDIO: (600_000,)}[reader]
contract = InputContract(reader=reader, shape=shape)
for name in ("few", "many"):
    folder = Path(sys.argv[2]) / name
    inputs = READERS[reader].prepare(folder, contract=contract, cache=folder / "cache").inputs
    print(inputs.stat().st_size)
    if name == "few":
        allow_no_more_than(150_000_000)
"""


def write_copies(folder, source, count):
    folder.mkdir(parents=True)
    names = [f"{number}{source.suffix}" for number in range(count)]
    for name in names:
        shutil.copyfile(source, folder / name)
    write_labels(folder, names)


def write_picture(folder):
    cv2.imwrite(str(folder / "a.png"), np.zeros((32, 32, 3), np.uint8))
    return folder / "a.png"


WRITERS = {
    "image": write_picture,
    "video": lambda folder: write_video(folder / "a.mp4", grey_frames(range(0, 160, 10))),
    "audio": lambda folder: write_sound(folder / "a.wav", sine(440, seconds=10, rate=48_000), rate=48_000),
}


def run_program(program, *arguments):
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )


@pytest.mark.slow
@pytest.mark.parametrize("reader", ["video", "audio"])
def test_sixteen_times_the_samples_take_no_more_memory(reader, tmp_path):
    write_copies(tmp_path / "few", WRITERS[reader](tmp_path), FEW)
    write_copies(tmp_path / "many", WRITERS[reader](tmp_path), MANY)

    ended = run_program(PROGRAM, reader, tmp_path)

    (few_peak, few_bytes), (many_peak, many_bytes) = np.fromstring(
        ended.stdout.replace("\n", " "), sep=" "
    ).reshape(2, 2)

    assert many_bytes > 15 * few_bytes
    assert many_bytes > 150e6
    assert many_peak - few_peak < 50e6


@pytest.mark.parametrize("reader", ["image", "video", "audio"])
def test_a_dataset_several_times_the_memory_there_is_gets_prepared(reader, tmp_path):
    write_copies(tmp_path / "few", WRITERS[reader](tmp_path), FEW)
    write_copies(tmp_path / "many", WRITERS[reader](tmp_path), 2 * MANY)

    ended = run_program(BOUNDED, reader, tmp_path)

    assert int(ended.stdout.split()[1]) > 300e6
