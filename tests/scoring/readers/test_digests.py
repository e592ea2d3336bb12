import os

import pytest

from scoring.data.dataset import dataset_digest
from scoring.data.labels import read_labels
from scoring.readers.digests import files_state, remembered_digest


@pytest.fixture
def table(dataset):
    return read_labels(dataset)


def test_the_first_call_hashes_the_files(dataset, table, tmp_path):
    found = remembered_digest(dataset, table, cache=tmp_path, state="some-state")

    assert found == dataset_digest(dataset, table)


def test_the_same_state_is_not_hashed_again(dataset, table, tmp_path):
    digest = remembered_digest(dataset, table, cache=tmp_path, state="some-state")
    (dataset / "images" / "00.png").unlink()

    assert remembered_digest(dataset, table, cache=tmp_path, state="some-state") == digest


def test_a_memory_that_is_used_counts_as_young(dataset, table, tmp_path):
    """Else the cache would forget it first: it removes what was used longest ago."""
    remembered_digest(dataset, table, cache=tmp_path, state="some-state")
    memory = tmp_path / "digests" / "some-state"
    os.utime(memory, (0, 0))

    remembered_digest(dataset, table, cache=tmp_path, state="some-state")

    assert memory.stat().st_mtime > 0


@pytest.mark.parametrize("memory", [b"", b"sha256:", b"\xff" * 71, b"x" * 71])
def test_a_damaged_memory_is_not_believed(dataset, table, tmp_path, memory):
    digest = remembered_digest(dataset, table, cache=tmp_path, state="some-state")
    (tmp_path / "digests" / "some-state").write_bytes(memory)

    assert remembered_digest(dataset, table, cache=tmp_path, state="some-state") == digest


def test_the_state_stays_while_nothing_changes(dataset, table):
    assert files_state(dataset, table) == files_state(dataset, table)


def test_a_change_that_hides_its_modification_time_changes_the_state(dataset, table):
    path = dataset / "images" / "00.png"
    before, state = path.stat(), files_state(dataset, table)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert files_state(dataset, table) != state


def test_another_folder_has_another_state(dataset, table, tmp_path):
    state = files_state(dataset, table)
    dataset.rename(tmp_path / "moved")

    assert files_state(tmp_path / "moved", table) != state
