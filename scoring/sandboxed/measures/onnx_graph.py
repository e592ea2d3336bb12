"""Measures an ONNX entry: ONNX Runtime is probed, a conversion to torch gives a second opinion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn

from scoring.contracts import Outcome, Request, Task
from scoring.sandboxed.channel import Channel, Reply
from scoring.sandboxed.counters.graph_parameters import count_graph_parameters
from scoring.sandboxed.counters.macs import NO_COUNTS, MacCounts, count_macs, prepare_counters
from scoring.sandboxed.failures import entry_failures
from scoring.sandboxed.inputs import Pixels, pad
from scoring.sandboxed.loaders import onnx_graph
from scoring.sandboxed.measures import probe
from scoring.sandboxed.measures.conversion import convert
from scoring.sandboxed.refusal import Refusal
from scoring.sandboxed.settle import settle_torch

# Largest difference, in units of the largest output, that is still rounding.
TOLERANCE = 1e-3


def run(request: Request, package: Path, pixels: Pixels, channel: Channel) -> Reply:
    """Return parameters, MACs and warnings of a graph."""
    settle_torch(request.threads)
    prepare_counters()
    with entry_failures(Outcome.LOAD_FAILED, request.task):
        entry = onnx_graph.load(package, request)
        parameters = count_graph_parameters(_graph(package / request.main, request))
    _probe(entry, request, pixels)
    macs, warnings = _second_opinion(entry, request, package / request.main, pixels)
    if not parameters:
        warnings.append({"code": "no_trainable_parameters", "facts": {}})
    return {
        "outcome": Outcome.OK,
        "parameters": parameters,
        "trainable_parameters": parameters,
        "macs_by_counter": macs.by_counter,
        "uncounted_ops": list(macs.uncounted_ops),
        "warnings": warnings,
    }


def _graph(path: Path, request: Request) -> onnx.GraphProto:
    plain = onnx_graph.read_graph(path, request)
    model = onnx.load(path, load_external_data=False) if plain is None else onnx.ModelProto.FromString(plain)
    return model.graph


def _probe(entry: onnx_graph.OnnxEntry, request: Request, pixels: Pixels) -> None:
    """Probe the graph; say so where it answers one sample and not several: its batch is written into it."""
    probe(entry, request, pixels[:1])
    try:
        probe(entry, request, pixels)
    except Refusal as refusal:
        if refusal.outcome is not Outcome.CRASHED:
            raise
        advice = f"it runs with a batch of 1 but not of {len(pixels)}; export with a dynamic batch axis"
        raise Refusal(
            Outcome.CRASHED, **refusal.facts | {"why": f"{refusal.facts['why']}; {advice}"}
        ) from refusal


def _second_opinion(
    entry: onnx_graph.OnnxEntry, request: Request, path: Path, pixels: Pixels
) -> tuple[MacCounts, list[dict[str, object]]]:
    """Count on the converted model and compare its outputs; failing here costs only a warning."""
    size = entry.fixed_batch or 1
    batch = pad(pixels[:size], size)
    try:
        with entry_failures(Outcome.CRASHED, Task.MEASURE):
            module = convert(path)
            difference = _difference(module, entry, batch)
    except Refusal as refusal:
        why = refusal.facts.get("why", refusal.outcome)
        return NO_COUNTS, [{"code": "conversion_unavailable", "facts": {"why": why}}]
    counts = count_macs(module, [torch.from_numpy(entry.feed(batch).copy())])
    if difference <= TOLERANCE:
        return counts, []
    return counts, [{"code": "conversion_mismatch", "facts": {"largest_difference": difference}}]


def _difference(module: nn.Module, entry: onnx_graph.OnnxEntry, batch: Pixels) -> float:
    # As floats: differences of unsigned integers would wrap around.
    expected = entry.raw(batch).astype(np.float32)
    with torch.no_grad():
        answer = module(torch.from_numpy(entry.feed(batch).copy()))
    found = (answer if isinstance(answer, torch.Tensor) else answer[entry.place]).numpy()
    scale = max(float(np.abs(expected).max(initial=0.0)), 1.0)
    # A difference that is not a number must still be reported as one, above the tolerance.
    largest = float(np.nan_to_num(np.abs(expected - found), nan=3e38, posinf=3e38).max(initial=0.0))
    return largest / scale
