"""Chunks on disk: what is whole comes back bit for bit, and what is not is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from scoring.benchmark.checkpoint import CheckpointProblem, open_checkpoint
from scoring.flow.found import Answers

RUN = {"plan": "sha256:1", "entry": "sha256:2"}


def part(value: float) -> Answers:
    return Answers(predictions=np.full((3, 2), value, np.float32), cpu_s=1.5, wall_s=2.5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two finished chunks of three."""
    with open_checkpoint(tmp_path, run=RUN, chunks=3) as checkpoint:
        checkpoint.append(part(1.1))
        checkpoint.append(part(2.2))
    return tmp_path


def read_all(
    folder: Path, *, run=RUN, chunks: int = 3, rows: int = 3, width: int = 2
) -> list[Answers | None]:
    with open_checkpoint(folder, run=run, chunks=chunks) as checkpoint:
        return [checkpoint.next_finished(rows=rows, width=width) for _ in range(3)]


def test_finished_chunks_come_back_and_the_next_is_open(folder: Path) -> None:
    first, second, third = read_all(folder)

    assert first is not None
    assert second is not None
    assert first.predictions.tobytes() == part(1.1).predictions.tobytes()
    assert second.predictions.tobytes() == part(2.2).predictions.tobytes()
    assert (second.cpu_s, second.wall_s) == (1.5, 2.5)
    assert third is None


def test_rows_without_their_sidecar_count_as_not_begun(folder: Path) -> None:
    (folder / "chunk-000001.json").unlink()

    assert read_all(folder)[1] is None


@pytest.mark.parametrize("position", [0, 11, 23])
def test_a_changed_byte_is_noticed(folder: Path, position: int) -> None:
    rows = folder / "chunk-000001.f32"
    content = bytearray(rows.read_bytes())
    content[position] ^= 1
    rows.write_bytes(bytes(content))

    with pytest.raises(CheckpointProblem, match="chunk 1"):
        read_all(folder)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b"\xff", b'{"previous": 1}'])
def test_a_damaged_sidecar_is_refused(folder: Path, content: bytes) -> None:
    (folder / "chunk-000000.json").write_bytes(content)

    with pytest.raises(CheckpointProblem):
        read_all(folder)


def test_rows_that_vanished_are_noticed(folder: Path) -> None:
    (folder / "chunk-000000.f32").unlink()

    with pytest.raises(CheckpointProblem, match="chunk 0"):
        read_all(folder)


def test_a_chunk_changed_together_with_its_sidecar_breaks_the_chain(folder: Path, tmp_path: Path) -> None:
    sidecar = folder / "chunk-000000.json"
    facts = json.loads(sidecar.read_bytes())
    sidecar.write_text(json.dumps(facts | {"cpu_s": 0.0}, sort_keys=True))

    with pytest.raises(CheckpointProblem, match="chunk 1"):
        read_all(folder)


def test_two_chunks_that_changed_places_are_noticed(folder: Path) -> None:
    for suffix in ("f32", "json"):
        one, other = folder / f"chunk-000000.{suffix}", folder / f"chunk-000001.{suffix}"
        swapped = one.read_bytes(), other.read_bytes()
        other.write_bytes(swapped[0])
        one.write_bytes(swapped[1])

    with pytest.raises(CheckpointProblem):
        read_all(folder)


def test_a_missing_first_chunk_is_noticed(folder: Path) -> None:
    (folder / "chunk-000000.json").unlink()

    with pytest.raises(CheckpointProblem, match="missing"):
        read_all(folder)


def test_more_chunks_than_the_plan_has_are_refused(folder: Path) -> None:
    with pytest.raises(CheckpointProblem, match="too many"):
        read_all(folder, chunks=1)


@pytest.mark.parametrize(("rows", "width"), [(4, 2), (3, 3), (2, 3)])
def test_a_chunk_of_another_size_is_refused(folder: Path, rows: int, width: int) -> None:
    with pytest.raises(CheckpointProblem):
        read_all(folder, rows=rows, width=width)


@pytest.mark.parametrize("run", [{"plan": "sha256:1"}, {**RUN, "entry": "x"}, {**RUN, "more": 1}])
def test_another_run_is_refused(folder: Path, run: dict[str, object]) -> None:
    with pytest.raises(CheckpointProblem, match="differs in"):
        read_all(folder, run=run)


@pytest.mark.parametrize("head", [b"", b"[]", b"nonsense"])
def test_a_damaged_head_is_refused(folder: Path, head: bytes) -> None:
    (folder / "head.json").write_bytes(head)

    with pytest.raises(CheckpointProblem, match="head"):
        read_all(folder)


def test_two_processes_cannot_share_a_folder(folder: Path) -> None:
    with (
        open_checkpoint(folder, run=RUN, chunks=3),
        pytest.raises(CheckpointProblem, match="another run"),
        open_checkpoint(folder, run=RUN, chunks=3),
    ):
        pass
