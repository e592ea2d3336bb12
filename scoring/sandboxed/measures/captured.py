"""Captures an entry as a graph while it is measured, and lets it answer what the graph will be asked too."""

from __future__ import annotations

import resource
from typing import Any, Final

from numpy.typing import NDArray

from scoring.contracts import Outcome, Request
from scoring.sandboxed import differences
from scoring.sandboxed.channel import Channel
from scoring.sandboxed.failures import attempt, entry_failures
from scoring.sandboxed.graph.answers import append_answers
from scoring.sandboxed.graph.capture import EXAMPLES, NotCaptured, capture
from scoring.sandboxed.graph.document import Graph, InvalidGraph, write
from scoring.sandboxed.graph.module import GraphModule
from scoring.sandboxed.inputs import Pixels, await_samples, pad
from scoring.sandboxed.loaders.torch_entry import TorchEntry

SPARE_BYTES: Final = 2**20
"""Room in the outputs file for what else than the graph is written there."""


def capture_entry(entry: TorchEntry, request: Request, paced: Pixels, channel: Channel) -> str:
    """Write the entry's graph and its answers to all samples; return why there is no graph, or nothing.

    `paced` is what `open_paced` mapped: its trials show once the graph is written.
    """
    try:
        graph, content = _graph(entry, request, paced[: request.samples].copy())
    except (NotCaptured, InvalidGraph) as exc:
        channel.append_graph(b"")
        return str(exc)
    finally:
        # It ran on tensors without values, and may have kept some.
        with entry_failures(Outcome.LOAD_FAILED, request.task):
            entry.renew()
    channel.append_graph(content)
    del content
    total = request.samples + request.trials
    await_samples(paced, total)
    entry.fixed_batch = graph.batch or entry.fixed_batch
    with entry_failures(Outcome.CRASHED, request.task):
        append_answers(entry, paced[:total].copy(), channel, batch=graph.batch)
    return ""


def _graph(entry: TorchEntry, request: Request, pixels: Pixels) -> tuple[Graph, bytes]:
    several = pixels[: (entry.fixed_batch or 1) + 1]
    with entry_failures(Outcome.CRASHED, request.task):
        expected = entry.raw(several) if entry.fixed_batch else None
    examples = entry.tensor(pad(pixels[:EXAMPLES], EXAMPLES))
    fixed = entry.tensor(pad(pixels[:1], entry.fixed_batch or request.batch_size))
    graph = capture(entry.one_output(), examples, fixed, seconds=request.capture_s)
    if graph.batch is None and expected is not None and not _answers(graph, several, request, expected):
        # More samples than it was written for are mixed up, and that was captured faithfully.
        graph = capture(entry.one_output(), None, fixed, seconds=request.capture_s)
    content = write(graph)
    allowed = resource.getrlimit(resource.RLIMIT_FSIZE)[0] - SPARE_BYTES
    if 0 < allowed < len(content):
        raise NotCaptured(f"its graph takes {len(content):,} bytes, more than a run may write")
    return graph, content


def _answers(graph: Graph, pixels: Pixels, request: Request, expected: NDArray[Any]) -> bool:
    """Say whether the graph answers the samples together as its entry did in the batches that it was written for."""
    found = attempt(lambda: TorchEntry(lambda: GraphModule(graph).eval(), request).raw(pixels), request.task)
    if found is None:
        return False
    return differences.is_rounding(
        differences.largest_between(expected, found), differences.largest(expected)
    )
