"""The demonstration's clips and sounds: whole datasets that the readers take, the same for one seed."""

import numpy as np
import pytest

from competition.demo.media import make_clip, make_sound, write_audio_dataset, write_video_dataset
from scoring.contracts import InputContract, Reader
from scoring.data.dataset import count_labels, dataset_digest
from scoring.readers import READERS
from tests.folders import checked, split_sizes

CONTRACTS = {
    Reader.VIDEO: InputContract(reader=Reader.VIDEO, shape=(16, 3, 64, 64)),
    Reader.AUDIO: InputContract(reader=Reader.AUDIO, shape=(96_000,), low=-1.0),
}
WRITERS = {Reader.VIDEO: write_video_dataset, Reader.AUDIO: write_audio_dataset}
MEDIA = [Reader.VIDEO, Reader.AUDIO]


def restlessness(clip):
    """Return how unevenly the picture changes: nothing for a camera that moves evenly."""
    changes = np.abs(np.diff(clip.astype(float), axis=0)).mean(axis=(1, 2, 3))
    return changes.std() / changes.mean()


def buzz(sound):
    """Return how much of the sound comes in equal steps of the vocoder's hop."""
    spectrum = np.abs(np.fft.rfft(sound)) ** 2
    line = round(16_000 / 128 * 6)
    around = spectrum.reshape(-1)[: line * 60]
    on_lines = sum(around[number * line - 2 : number * line + 3].sum() for number in range(1, 60))
    return on_lines / around.sum()


@pytest.mark.parametrize("reader", MEDIA)
def test_a_dataset_is_whole_balanced_and_half_private(reader, tmp_path):
    WRITERS[reader](tmp_path, 8, 1)

    table = checked(tmp_path, reader)

    assert count_labels(table, table.rows) == {0: 4, 1: 4}
    assert split_sizes(table) == (4, 4)


def test_clips_may_be_semisynthetic_too(tmp_path):
    write_video_dataset(tmp_path, 6, 1, classes=3)

    table = checked(tmp_path, Reader.VIDEO)

    assert count_labels(table, table.rows) == {0: 2, 1: 2, 2: 2}


def test_a_semisynthetic_clip_is_the_real_one_but_for_a_part_of_the_picture():
    real, mixed = (make_clip(label, np.random.default_rng(3)) for label in (0, 2))
    changed = (real != mixed).any(axis=(0, 3))

    assert 0 < changed.mean() <= 0.25


def test_sounds_may_be_shorter(tmp_path):
    write_audio_dataset(tmp_path / "long", 1, 1)
    write_audio_dataset(tmp_path / "short", 1, 1, seconds=1.5)
    contract = InputContract(reader=Reader.AUDIO, shape=(24_000,), low=-1.0)

    found = READERS[Reader.AUDIO].prepare(tmp_path / "short", contract=contract, cache=tmp_path / "cache")

    assert (np.load(found.inputs)[0, -1_000:] != 0).any()
    assert (tmp_path / "short/sounds/00000.flac").stat().st_size < (
        tmp_path / "long/sounds/00000.flac"
    ).stat().st_size / 2


@pytest.mark.parametrize("reader", MEDIA)
def test_a_dataset_is_prepared_by_its_reader(reader, tmp_path):
    WRITERS[reader](tmp_path, 4, 1)

    found = READERS[reader].prepare(tmp_path, contract=CONTRACTS[reader], cache=tmp_path / "cache")
    arrays = np.load(found.inputs)

    assert arrays.shape == (4, *CONTRACTS[reader].shape)
    assert (arrays.reshape(4, -1).std(axis=1) > 0.01).all()


@pytest.mark.parametrize("reader", MEDIA)
def test_one_seed_gives_the_same_bytes_and_another_seed_others(reader, tmp_path):
    digests = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        WRITERS[reader](tmp_path / name, 2, seed)
        digests.append(dataset_digest(tmp_path / name, checked(tmp_path / name, reader)))

    assert digests[0] == digests[1] != digests[2]


def test_synthetic_clips_move_less_evenly_than_real_ones():
    real, synthetic = (
        np.median([restlessness(make_clip(label, np.random.default_rng([label, i]))) for i in range(12)])
        for label in (0, 1)
    )

    assert synthetic > 1.5 * real


def test_synthetic_sounds_buzz_more_than_real_ones():
    real, synthetic = (
        np.median([buzz(make_sound(label, np.random.default_rng([label, i]))) for i in range(6)])
        for label in (0, 1)
    )

    assert synthetic > 2 * real
