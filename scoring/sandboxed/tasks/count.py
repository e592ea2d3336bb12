"""Counts a captured graph, and lets it answer the samples that its entry answered too."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from scoring.contracts import Outcome, Request
from scoring.sandboxed.channel import Channel, Reply
from scoring.sandboxed.failures import entry_failures
from scoring.sandboxed.graph.answers import append_answers
from scoring.sandboxed.graph.document import read
from scoring.sandboxed.graph.module import GraphModule
from scoring.sandboxed.graph.values import count_values, unpacking
from scoring.sandboxed.graph.work import count_work, sizes, steady
from scoring.sandboxed.inputs import Pixels, pad
from scoring.sandboxed.loaders import captured


def run(request: Request, package: Path, pixels: Pixels, channel: Channel) -> Reply:
    """Append the graph's answers to the outputs; return its values, and its MACs at every batch that will run."""
    with entry_failures(Outcome.LOAD_FAILED, request.task):
        entry = captured.load(package, request)
    with entry_failures(Outcome.CRASHED, request.task):
        append_answers(entry, pixels, channel, batch=entry.fixed_batch)
        graph = read(package / request.main)
        batches = {1, request.batch_size} if graph.batch is None else {graph.batch}
        size = graph.batch or 1
        examples = [entry.tensor(pad(pixels[place : place + 1], size)) for place in range(len(pixels))]
        work = count_work(graph, examples[0], batches)
        module = cast(GraphModule, entry.module)
        unpacked = steady(module, examples, unpacking(graph))
        parameters = count_values(graph, sizes(graph, examples[0]), unpacked)
    return {
        "outcome": Outcome.OK,
        "parameters": parameters,
        "macs": work.macs,
        "uncounted_ops": sorted(work.uncounted),
        "batch": graph.batch,
    }
