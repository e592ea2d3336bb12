"""Asks an entry a second time for some answers, in another order and in batches of another size.

An answer is about its sample alone. A model that looks at the rest of a batch, or remembers what came
before, would be scored on the company that a sample happens to be in. The second run begins anew, so
an answer that an entry keeps for a sample that it knows already is not there.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import OutputKind
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


def ask_again(model: Loadable, prepared: PreparedData, answers: Answers, tools: Tools) -> None:
    """Predict some samples once more in other batches; raise `Rejected` where that changes the answers."""
    rows = repeated_rows(prepared.samples)
    if not len(rows):
        return
    inputs = write_repeated(prepared.inputs, rows, model, tools.workdir)
    again = stages.predict(in_other_batches(model), inputs, len(rows), tools, bounded=False)
    refuse_dependence(again, answers, rows, model.track.output.kind)


def repeated_rows(samples: int) -> NDArray[np.intp]:
    """Return which samples run twice, in the order of the second run: none of a handful."""
    if samples < FEWEST:
        return np.arange(0)
    count = min(samples, max(FEWEST, min(MOST, round(SHARE * samples))))
    return np.random.default_rng(0).permutation(np.arange(count) * samples // count)


def in_other_batches(model: Loadable) -> Loadable:
    """Return the model as it runs in batches of another size: smaller ones, which take no more memory."""
    limits = model.track.run_limits
    other = replace(limits, batch_size=max(1, 2 * limits.batch_size // 3))
    return replace(model, track=replace(model.track, run_limits=other))


def write_repeated(inputs: Path, rows: NDArray[np.intp], model: Loadable, folder: Path) -> Path:
    """Write the samples of these rows to a file of their own; return its path."""
    samples = np.load(inputs, mmap_mode="r", allow_pickle=False)
    path = folder / "repeated.npy"
    return write_samples(path, model.track.input, (samples[row] for row in rows), count=len(rows))


def refuse_dependence(again: Answers, answers: Answers, rows: NDArray[np.intp], kind: OutputKind) -> None:
    """Raise `Rejected` if too many samples got another answer in other company."""
    first = answers.predictions[rows]
    off = count_off(again.predictions, first, kind)
    if off > MAX_SHARE_OFF * len(rows):
        raise _dependent(again.predictions, first, off)


def _dependent(again: NDArray[np.float32], first: NDArray[np.float32], off: int) -> Rejected:
    """Tell the usual difference, as a share of how far answers lie apart: one digit carries no sample out."""
    difference = float(np.abs(again.astype(np.float64) - first).mean())
    spread = float(first.std(dtype=np.float64))
    percent = MOST_PERCENT if spread == 0 else min(MOST_PERCENT, 100 * difference / spread)
    return reject(
        "batch_dependent_output", found=off, total=len(first), percent_difference=float(f"{percent:.0e}")
    )
