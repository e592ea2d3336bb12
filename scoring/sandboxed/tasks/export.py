"""Exports a captured graph to ONNX: fixed sides, a dynamic batch if it can be, a comparison on the samples."""

from __future__ import annotations

import tempfile
from pathlib import Path

from scoring.contracts import Outcome, Request
from scoring.sandboxed import differences
from scoring.sandboxed.channel import Channel, Reply
from scoring.sandboxed.failures import entry_failures
from scoring.sandboxed.inputs import Pixels
from scoring.sandboxed.loaders import captured
from scoring.sandboxed.onnx_writing import OPSET, compare, write


def run(request: Request, package: Path, pixels: Pixels, channel: Channel) -> Reply:
    """Append the ONNX model to the outputs; return the reply."""
    with entry_failures(Outcome.LOAD_FAILED, request.task):
        graph = captured.load(package, request)
    with tempfile.TemporaryDirectory() as folder, entry_failures(Outcome.EXPORT_FAILED, request.task):
        path = Path(folder) / "model.onnx"
        write(graph, pixels, path)
        compared = compare(graph, path, request, pixels)
        channel.append_bytes(path.read_bytes())
    return {
        "outcome": Outcome.OK,
        "opset": OPSET,
        "samples": len(pixels),
        "largest_difference": compared.difference,
        "largest_output": differences.largest(compared.expected),
    }
