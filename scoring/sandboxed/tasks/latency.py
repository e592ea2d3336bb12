"""Answers samples one at a time, each as soon as the parent has written it into the mapped inputs."""

from __future__ import annotations

from pathlib import Path

from scoring.contracts import Outcome, Request
from scoring.sandboxed.channel import Channel, Reply
from scoring.sandboxed.failures import entry_failures
from scoring.sandboxed.inputs import Pixels, await_samples, shown
from scoring.sandboxed.loaders import load_entry


def run(request: Request, package: Path, pixels: Pixels, channel: Channel) -> Reply:
    """Append one row for each sample as it comes; return the reply."""
    with entry_failures(Outcome.LOAD_FAILED, request.task):
        entry = load_entry(package, request)
    given = shown(pixels)
    with entry_failures(Outcome.CRASHED, request.task):
        # The same samples as in `predict` come first, so the same memory format is chosen.
        entry.prepare(pixels[: max(given, 1)].copy())
    for place in range(request.samples):
        await_samples(pixels, place + 1)
        with entry_failures(Outcome.CRASHED, request.task):
            channel.append_rows(entry.predict(pixels[place : place + 1].copy()))
    return {"outcome": Outcome.OK, "rows": request.samples}
