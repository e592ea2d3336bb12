"""Predicts planned samples chunk by chunk, each chunk a run of whole batches in the sandbox.

A chunk's inputs and seed follow from the plan alone, so a chunk predicted after a crash returns the
bits that it would have returned before it, random numbers included.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scoring.benchmark.checkpoint import open_checkpoint
from scoring.benchmark.plan import SamplePlan
from scoring.flow import pipeline
from scoring.flow.pipeline import Examination


@dataclass(frozen=True, kw_only=True)
class Pass:
    """One pass over samples: `rows[i]` is where sample i lies in the array file `inputs`.

    `name` keeps the seeds of two passes of one plan apart.
    """

    name: str
    inputs: Path
    rows: Sequence[int]
    chunk_samples: int

    def seed(self, plan: SamplePlan, number: int) -> int:
        """Return the seed of a chunk, which follows from the plan alone."""
        return plan.seed_of("chunk", self.name, number)


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """What a pass predicted, one row a sample, and what it took.

    `sample_ms` shares the wall time of a chunk's run evenly among its samples, the start of the
    model included. Finished chunks keep theirs.
    """

    predictions: NDArray[np.float32]
    cpu_s: float
    sample_ms: NDArray[np.float64]


def whole_batches(samples: int, *, batch_size: int) -> int:
    """Return how many samples a chunk of about `samples` holds: the next multiple of the batch size."""
    return -(-samples // batch_size) * batch_size


def predict_in_chunks(
    work: Pass,
    plan: SamplePlan,
    examination: Examination,
    *,
    checkpoint: Path,
    run: Mapping[str, object],
    workdir: Path,
) -> Predicted:
    """Return one row for each sample of the pass, going on after the chunks that are finished already."""
    starts = range(0, len(work.rows), work.chunk_samples)
    width = examination.model.track.output.width
    parts = []
    with open_checkpoint(checkpoint, run=run, chunks=len(starts)) as finished:
        for number, start in enumerate(starts):
            rows = work.rows[start : start + work.chunk_samples]
            part = finished.next_finished(rows=len(rows), width=width)
            if part is None:
                inputs = cut(work.inputs, rows, workdir / "chunk.npy")
                seed = work.seed(plan, number)
                part = pipeline.predict_part(examination, inputs, samples=len(rows), seed=seed)
                finished.append(part)
            parts.append(part)
    samples = [len(part.predictions) for part in parts]
    ms = [1_000 * part.wall_s / len(part.predictions) for part in parts]
    return Predicted(
        predictions=np.concatenate([part.predictions for part in parts]),
        cpu_s=sum(part.cpu_s for part in parts),
        sample_ms=np.repeat(ms, samples),
    )


def cut(inputs: Path, rows: Sequence[int], target: Path) -> Path:
    """Write the rows as an array file of their own; never more than one of them is in memory."""
    # Read and not mapped: pages of a mapping would count as memory until the whole chunk is written.
    with inputs.open("rb") as source, target.open("wb") as chunk:
        np.lib.format.read_magic(source)
        (_, *sides), _, dtype = np.lib.format.read_array_header_1_0(source)
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False}
        np.lib.format.write_array_header_1_0(chunk, {**header, "shape": (len(rows), *sides)})
        start, row_bytes = source.tell(), math.prod(sides) * dtype.itemsize
        for row in rows:
            source.seek(start + row * row_bytes)
            chunk.write(source.read(row_bytes))
    return target
