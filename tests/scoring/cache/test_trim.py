"""A cache that grows too large forgets what was used longest ago, and nothing that is in use."""

import multiprocessing
import os
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO

import pytest

from scoring.cache.build import lock_of, obtain, seal_of
from scoring.cache.holds import hold, holding, mark_of, note_use
from scoring.cache.locks import at_once, exclusive, shared
from scoring.cache.trim import trim

SPAWN = multiprocessing.get_context("spawn")
SIZE = 1_000


def nothing() -> None:
    pass


def writing(stream: BinaryIO) -> None:
    stream.write(bytes(SIZE))


def arrays(root: Path, letter: str, *, used_at: float) -> Path:
    """Build an array file as a reader does, last used at a time."""
    path = obtain(root / f"{letter * 40}.npy", writing, tick=nothing)
    note_use(mark_of(path), at=used_at)
    return path


def dataset(root: Path, letter: str, *, used_at: float) -> Path:
    """Unpack a dataset of two files as the worker does, last used at a time."""
    path = root / "datasets" / (letter * 64)
    (path / "files").mkdir(parents=True)
    (path / "labels.csv").write_bytes(bytes(SIZE // 4))
    (path / "files" / "a.png").write_bytes(bytes(SIZE - SIZE // 4))
    note_use(mark_of(path), at=used_at)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def names(root: Path) -> set[str]:
    return {path.name for path in root.rglob("*") if path.is_file()} - {"trim.lock"}


def test_a_cache_that_fits_is_left_alone(root: Path) -> None:
    paths = [arrays(root, "a", used_at=1), dataset(root, "b", used_at=2)]

    trimmed = trim(root, max_bytes=2 * SIZE)

    assert (trimmed.kept_bytes, trimmed.freed_bytes, trimmed.removed) == (2 * SIZE, 0, ())
    assert all(path.exists() for path in paths)


def test_what_was_used_longest_ago_goes_first_and_no_more_than_needed(root: Path) -> None:
    newest = arrays(root, "a", used_at=30)
    oldest = arrays(root, "b", used_at=10)
    middle = arrays(root, "c", used_at=20)

    trimmed = trim(root, max_bytes=2 * SIZE)

    assert (trimmed.kept_bytes, trimmed.freed_bytes, trimmed.removed) == (2 * SIZE, SIZE, (oldest.name,))
    assert (newest.exists(), middle.exists(), oldest.exists()) == (True, True, False)


def test_one_byte_too_many_removes_one(root: Path) -> None:
    arrays(root, "a", used_at=1)
    arrays(root, "b", used_at=2)

    assert len(trim(root, max_bytes=2 * SIZE - 1).removed) == 1


def test_datasets_and_arrays_are_compared_with_each_other(root: Path) -> None:
    data = dataset(root, "d", used_at=1)
    kept = arrays(root, "a", used_at=2)

    trimmed = trim(root, max_bytes=SIZE)

    assert trimmed.removed == (f"datasets/{'d' * 64}",)
    assert not data.exists()
    assert kept.exists()


def test_of_a_removed_item_nothing_stays(root: Path) -> None:
    arrays(root, "a", used_at=1)
    dataset(root, "b", used_at=2)

    trim(root, max_bytes=0)

    assert names(root) == set()


def test_masks_beside_arrays_are_an_item_of_their_own(root: Path) -> None:
    inputs = arrays(root, "a", used_at=2)
    masks = obtain(inputs.with_suffix(".masks.npy"), writing, tick=nothing)
    note_use(mark_of(masks), at=1)

    trim(root, max_bytes=SIZE)

    assert (inputs.exists(), masks.exists()) == (True, False)


def test_a_removed_file_is_built_again(root: Path) -> None:
    path = arrays(root, "a", used_at=1)
    trim(root, max_bytes=0)

    assert obtain(path, writing, tick=nothing).stat().st_size == SIZE


def test_use_counts_and_not_the_time_of_building(root: Path) -> None:
    first = arrays(root, "a", used_at=10)
    second = arrays(root, "b", used_at=20)
    obtain(first, writing, tick=nothing)

    trim(root, max_bytes=SIZE)

    assert (first.exists(), second.exists()) == (True, False)


def test_what_was_built_before_uses_were_recorded_is_as_old_as_its_file(root: Path) -> None:
    old = arrays(root, "a", used_at=99)
    mark_of(old).unlink()
    os.utime(old, (1, 1))
    kept = arrays(root, "b", used_at=2)

    trim(root, max_bytes=SIZE)

    assert (old.exists(), kept.exists()) == (False, True)


def test_what_is_held_stays_though_it_is_the_oldest_and_nothing_fits(root: Path) -> None:
    held = arrays(root, "a", used_at=1)
    data = dataset(root, "b", used_at=2)
    other = arrays(root, "c", used_at=3)

    with holding():
        hold(held, tick=nothing)
        hold(data, tick=nothing)
        trimmed = trim(root, max_bytes=0)

    assert (held.exists(), data.exists(), other.exists()) == (True, True, False)
    assert trimmed.kept_bytes == 2 * SIZE


def test_what_was_held_may_go_afterwards(root: Path) -> None:
    path = arrays(root, "a", used_at=1)
    with suppress(RuntimeError), holding():
        hold(path, tick=nothing)
        raise RuntimeError

    trim(root, max_bytes=0)

    assert not path.exists()


def test_a_hold_inside_another_ends_first(root: Path) -> None:
    outer, inner = arrays(root, "a", used_at=1), arrays(root, "b", used_at=2)
    with holding():
        hold(outer, tick=nothing)
        with holding():
            hold(inner, tick=nothing)
        trim(root, max_bytes=0)

    assert (outer.exists(), inner.exists()) == (True, False)


def test_what_is_being_built_stays(root: Path) -> None:
    path = arrays(root, "a", used_at=1)

    with exclusive(lock_of(path), tick=nothing):
        trim(root, max_bytes=0)

    assert path.exists()


def hold_until_told(path: Path, held: object, may_end: object) -> None:
    with holding():
        hold(path, tick=nothing)
        held.set()  # type: ignore[attr-defined]
        may_end.wait()  # type: ignore[attr-defined]


def test_what_another_process_uses_stays_until_that_is_dead(root: Path) -> None:
    path = arrays(root, "a", used_at=1)
    held, may_end = SPAWN.Event(), SPAWN.Event()
    other = SPAWN.Process(target=hold_until_told, args=(path, held, may_end))
    other.start()
    assert held.wait(30)

    trim(root, max_bytes=0)
    while_used = path.exists()
    other.kill()
    other.join(30)
    trim(root, max_bytes=0)

    assert (while_used, path.exists()) == (True, False)


def test_who_asks_while_it_is_removed_waits_and_builds_it_again(root: Path) -> None:
    path = arrays(root, "a", used_at=1)
    remover = ExitStack()
    remover.enter_context(at_once(mark_of(path)))

    def build_again(stream: BinaryIO) -> None:
        stream.write(b"again")

    def finish_removing() -> None:
        for gone in (seal_of(path), path, mark_of(path)):
            gone.unlink()
        remover.close()

    with holding():
        obtain(path, build_again, tick=finish_removing)
        trimmed = trim(root, max_bytes=0)

    assert path.read_bytes() == b"again"
    assert trimmed.removed == ()


def test_only_one_trims_at_a_time(root: Path) -> None:
    path = arrays(root, "a", used_at=1)

    with shared(root / "trim.lock", tick=nothing):
        trimmed = trim(root, max_bytes=0)

    assert (path.exists(), trimmed.kept_bytes, trimmed.removed) == (True, SIZE, ())


def test_names_that_are_not_ours_are_left_alone(root: Path) -> None:
    ours = arrays(root, "a", used_at=1)
    foreign = [
        root / "notes.npy",
        root / f"{'A' * 40}.npy",
        root / "datasets" / "mine" / "labels.csv",
        root / "digests" / "readme",
        root / "other" / f"{'a' * 40}.npy",
    ]
    for path in foreign:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(SIZE))

    trim(root, max_bytes=0)

    assert not ours.exists()
    assert all(path.exists() for path in foreign)


def test_remembered_digests_are_forgotten_too_the_oldest_first(root: Path) -> None:
    (root / "digests").mkdir(parents=True)
    old, new = (root / "digests" / (letter * 64) for letter in "ab")
    for path, at in ((new, 2), (old, 1)):
        path.write_bytes(bytes(71))
        os.utime(path, (at, at))

    trim(root, max_bytes=71)

    assert (old.exists(), new.exists()) == (False, True)


LEFTOVERS: dict[str, Callable[[Path], Path]] = {
    "a builder's": lambda root: root / f"{'a' * 40}.npy.4711.partial",
    "a builder's of masks": lambda root: root / f"{'a' * 40}.masks.npy.4711.partial",
    "a sealer's": lambda root: root / f"{'a' * 40}.npy.seal.4711.partial",
    "an unpacker's": lambda root: root / "datasets" / f".{'a' * 64}-x7g" / "archive.zip",
    "a remover's": lambda root: root / "datasets" / f".{'a' * 64}-leaving" / "labels.csv",
}


@pytest.mark.parametrize("whose", LEFTOVERS)
def test_what_killed_processes_left_is_removed_however_small_the_cache(root: Path, whose: str) -> None:
    path = LEFTOVERS[whose](root)
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(SIZE))

    trim(root, max_bytes=10 * SIZE)

    assert not path.exists()


def test_what_is_being_unpacked_is_no_leftover(root: Path) -> None:
    unfinished = root / "datasets" / f".{'a' * 64}-x7g"
    unfinished.mkdir(parents=True)

    with exclusive(lock_of(root / "datasets" / ("a" * 64)), tick=nothing):
        trim(root, max_bytes=0)

    assert unfinished.exists()


def test_without_a_cache_there_is_nothing_to_do(root: Path) -> None:
    assert trim(root, max_bytes=0).kept_bytes == 0
    assert not root.exists()
