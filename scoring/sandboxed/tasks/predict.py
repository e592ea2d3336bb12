"""Predicts all samples in fixed batches, in order; rows go to the file as they come."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from scoring.contracts import Outcome, Request
from scoring.sandboxed.channel import Channel, Reply
from scoring.sandboxed.failures import entry_failures
from scoring.sandboxed.inputs import Pixels, batches, groups, pad
from scoring.sandboxed.loaders import load_entry
from scoring.sandboxed.outputs import count_not_finite
from scoring.sandboxed.refusal import Refusal


def run(request: Request, package: Path, pixels: Pixels, channel: Channel) -> Reply:
    """Append one row for each sample to the outputs, and one for each that is asked again; return the reply."""
    with entry_failures(Outcome.LOAD_FAILED, request.task):
        entry = load_entry(package, request)
    with entry_failures(Outcome.CRASHED, request.task):
        entry.prepare(pixels)
    done = 0
    for batch, size in _in_turn(pixels, request):
        with entry_failures(Outcome.CRASHED, request.task):
            rows = entry.predict(_filled(batch, size, request))[: len(batch)]
        done += len(rows)
        not_finite = count_not_finite(rows)
        if not_finite:
            raise Refusal(Outcome.NOT_FINITE, found=not_finite, total=done * request.output.width)
        channel.append_rows(rows)
    return {"outcome": Outcome.OK, "rows": done}


def _in_turn(pixels: Pixels, request: Request) -> Iterator[tuple[Pixels, int]]:
    """Yield the batches, each with the size of a whole one."""
    yield from ((batch, request.batch_size) for batch in batches(pixels, request.batch_size))
    again = pixels[list(request.again)]
    yield from ((group, request.again_batch) for group in groups(again, request.again_batch))


def _filled(batch: Pixels, size: int, request: Request) -> Pixels:
    """Fill a last batch up for a graph, which was counted at full batches and at one sample."""
    return pad(batch, size) if request.captured and len(batch) > 1 else batch
