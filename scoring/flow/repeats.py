"""Asks an entry a second time for some answers, in another order and in batches of another size.

An answer is about its sample alone. A model that looks at the rest of a batch, or remembers what came
before, would be scored on the company that a sample happens to be in. The second run of code begins anew,
so an answer that an entry keeps for a sample that it knows already is not there.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import FORMAT_FACTS, OutputKind
from scoring.errors import Rejected, reject
from scoring.flow import stages
from scoring.flow.agreement import count_off
from scoring.flow.found import Answers, Loadable
from scoring.flow.runs import Tools
from scoring.readers import PreparedData
from scoring.readers.arrays import write_samples

FEWEST: Final = 8
MOST: Final = 64
SHARE: Final = 0.1
MAX_SHARE_OFF: Final = 0.1
"""An answer near a threshold inside a model, or in half precision, may fall otherwise in another batch."""
MOST_PERCENT: Final = 1000


def predict(model: Loadable, prepared: PreparedData, tools: Tools) -> Answers:
    """Predict all samples, and some of them once more; raise `Rejected` where other batches change the answers.

    A graph remembers nothing, so it is asked in the same run. Code begins anew in a run of its own.
    """
    rows = repeated_rows(prepared.samples)
    inputs, samples = prepared.inputs, prepared.samples
    if is_graph(model):
        size = other_batch(model)
        answers = stages.predict(model, inputs, samples, tools, again=rows.tolist(), again_batch=size)
        again = answers.again
    else:
        answers = stages.predict(model, inputs, samples, tools)
        again = _predict_again(model, inputs, rows, tools)
    if len(rows):
        refuse_dependence(again, answers.predictions[rows], model.track.output.kind)
    return answers


def is_graph(model: Loadable) -> bool:
    """Say whether what runs is a graph, the entry's own or the one that was captured of it."""
    return model.captured or not FORMAT_FACTS[model.package.format].has_code


def _predict_again(
    model: Loadable, inputs: Path, rows: NDArray[np.intp], tools: Tools
) -> NDArray[np.float32]:
    if not len(rows):
        return np.empty((0, model.track.output.width), np.float32)
    repeated = write_repeated(inputs, rows, model, tools.workdir)
    return stages.predict(in_other_batches(model), repeated, len(rows), tools, bounded=False).predictions


def repeated_rows(samples: int) -> NDArray[np.intp]:
    """Return which samples run twice, in the order of the second run: none of a handful."""
    if samples < FEWEST:
        return np.arange(0)
    count = min(samples, max(FEWEST, min(MOST, round(SHARE * samples))))
    return np.random.default_rng(0).permutation(np.arange(count) * samples // count)


def other_batch(model: Loadable) -> int:
    """Return another size of batches: a smaller one, which takes no more memory."""
    return max(1, 2 * model.track.run_limits.batch_size // 3)


def in_other_batches(model: Loadable) -> Loadable:
    """Return the model as it runs in batches of the other size."""
    limits = replace(model.track.run_limits, batch_size=other_batch(model))
    return replace(model, track=replace(model.track, run_limits=limits))


def write_repeated(inputs: Path, rows: NDArray[np.intp], model: Loadable, folder: Path) -> Path:
    """Write the samples of these rows to a file of their own; return its path."""
    samples = np.load(inputs, mmap_mode="r", allow_pickle=False)
    path = folder / "repeated.npy"
    return write_samples(path, model.track.input, (samples[row] for row in rows), count=len(rows))


def refuse_dependence(again: NDArray[np.float32], first: NDArray[np.float32], kind: OutputKind) -> None:
    """Raise `Rejected` if too many samples got another answer in other company."""
    off = count_off(again, first, kind)
    if off > MAX_SHARE_OFF * len(first):
        raise _dependent(again, first, off)


def _dependent(again: NDArray[np.float32], first: NDArray[np.float32], off: int) -> Rejected:
    """Tell the usual difference, as a share of how far answers lie apart: one digit carries no sample out."""
    difference = float(np.abs(again.astype(np.float64) - first).mean())
    spread = float(first.std(dtype=np.float64))
    percent = MOST_PERCENT if spread == 0 else min(MOST_PERCENT, 100 * difference / spread)
    return reject(
        "batch_dependent_output", found=off, total=len(first), percent_difference=float(f"{percent:.0e}")
    )
