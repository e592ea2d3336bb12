"""Finished chunks of a run on disk, so that a run cut short goes on where it was, bit for bit.

A chunk is two files: its raw rows, and a sidecar, written last, that holds their digest and that of
the sidecar before it. The head says which run the chunks belong to. Whatever does not fit is an
error and never repaired: a score of two runs mixed would look like any other.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from scoring.cache.atomic import write_bytes_atomically
from scoring.errors import Fault
from scoring.flow.found import Answers

HEAD: Final = "head.json"
LOCK: Final = "lock"
FIRST: Final = "0" * 64
START_ANEW: Final = "choose another --results-dir, or remove this one to start again"


class CheckpointProblem(Fault):
    """The folder holds another run's chunks, or damaged ones."""


@dataclass(kw_only=True)
class Checkpoint:
    """The chunks of one run, appended in order. Obtain it by `open_checkpoint`."""

    folder: Path
    last: str = FIRST
    chunks: int = 0

    def next_finished(self, *, rows: int, width: int) -> Answers | None:
        """Return the next chunk if it was finished earlier; raise `CheckpointProblem` if it is damaged."""
        sidecar = self._sidecar(self.chunks)
        if not sidecar.exists():
            return None
        content = sidecar.read_bytes()
        try:
            facts = json.loads(content)
            part = self._read(facts, rows, width)
        except (OSError, ValueError, TypeError, KeyError) as exc:
            raise self._damaged() from exc
        self._advance(content)
        return part

    def append(self, part: Answers) -> None:
        """Write the next chunk; after a power cut it is either wholly there or not at all."""
        raw = np.ascontiguousarray(part.predictions, dtype="<f4").tobytes()
        facts = {
            "previous": self.last,
            "sha256": hashlib.sha256(raw).hexdigest(),
            "rows": len(part.predictions),
            "cpu_s": part.cpu_s,
            "wall_s": part.wall_s,
        }
        content = json.dumps(facts, sort_keys=True).encode()
        write_bytes_atomically(self._rows(self.chunks), raw)
        write_bytes_atomically(self._sidecar(self.chunks), content)
        self._advance(content)

    def _read(self, facts: Mapping[str, Any], rows: int, width: int) -> Answers:
        raw = self._rows(self.chunks).read_bytes()
        expected = {"previous": self.last, "sha256": hashlib.sha256(raw).hexdigest(), "rows": rows}
        if any(facts[name] != value for name, value in expected.items()) or len(raw) != rows * width * 4:
            raise self._damaged()
        predictions = np.frombuffer(raw, dtype="<f4").reshape(rows, width).astype(np.float32)
        return Answers(predictions=predictions, cpu_s=float(facts["cpu_s"]), wall_s=float(facts["wall_s"]))

    def _advance(self, sidecar: bytes) -> None:
        self.last = hashlib.sha256(sidecar).hexdigest()
        self.chunks += 1

    def _damaged(self) -> CheckpointProblem:
        return CheckpointProblem(f"chunk {self.chunks} of the checkpoint is damaged; {START_ANEW}")

    def _rows(self, number: int) -> Path:
        return self.folder / f"chunk-{number:06}.f32"

    def _sidecar(self, number: int) -> Path:
        return self.folder / f"chunk-{number:06}.json"

    def check_no_gap(self, chunks: int) -> Self:
        """Raise `CheckpointProblem` unless the finished chunks are the first ones of `chunks`."""
        found = {path.name for path in self.folder.glob("chunk-*.json")}
        if found != {self._sidecar(number).name for number in range(len(found))} or len(found) > chunks:
            raise CheckpointProblem(f"the checkpoint has a chunk missing or too many; {START_ANEW}")
        return self


@contextmanager
def open_checkpoint(folder: Path, *, run: Mapping[str, object], chunks: int) -> Iterator[Checkpoint]:
    """Open the checkpoint of the run that `run` describes, or begin one; one process at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise CheckpointProblem("another run is writing into this --results-dir") from exc
        _check_head(folder, run)
        yield Checkpoint(folder=folder).check_no_gap(chunks)


def _check_head(folder: Path, run: Mapping[str, object]) -> None:
    """Compare the run with the one that the chunks belong to; name what differs."""
    head = folder / HEAD
    if not head.exists():
        write_bytes_atomically(head, json.dumps(run, sort_keys=True, indent=1).encode())
        return
    try:
        written = json.loads(head.read_bytes())
        differing = sorted(name for name in {*run, *written} if written.get(name) != run.get(name))
    except (ValueError, TypeError, AttributeError) as exc:
        raise CheckpointProblem(f"the head of the checkpoint is damaged; {START_ANEW}") from exc
    if differing:
        raise CheckpointProblem(
            f"the --results-dir has results of a run that differs in {', '.join(differing)}; {START_ANEW}"
        )
