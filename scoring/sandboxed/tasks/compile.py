"""Compiles a captured graph with ONNX Runtime for the processor it runs on, and shows that both agree.

The graph is written as ONNX, and ONNX Runtime rewrites that: folds constants, fuses operators. It stops
before the rewrites that fit one processor's registers only, which it does again wherever the file is
loaded, so that the file runs on every processor of its architecture.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from scoring.contracts import Outcome, Request
from scoring.sandboxed import differences
from scoring.sandboxed.channel import Channel, Reply
from scoring.sandboxed.failures import entry_failures
from scoring.sandboxed.inputs import Pixels, pad
from scoring.sandboxed.loaders import captured
from scoring.sandboxed.onnx_writing import OPSET, compare, write
from scoring.sandboxed.outputs import to_rows

MAX_TIMED_RUNS: Final = 9
MAX_TIMED_S: Final = 5.0
_ERRORS_ONLY: Final = 3


def run(request: Request, package: Path, pixels: Pixels, channel: Channel) -> Reply:
    """Append the compiled model to the outputs; return the reply."""
    with entry_failures(Outcome.LOAD_FAILED, request.task):
        graph = captured.load(package, request)
    with tempfile.TemporaryDirectory() as folder, entry_failures(Outcome.EXPORT_FAILED, request.task):
        written, compiled = Path(folder) / "graph.onnx", Path(folder) / "compiled.onnx"
        write(graph, pixels, written)
        _optimise(written, compiled)
        compared = compare(graph, compiled, request, pixels)
        graph_bytes = written.stat().st_size
        channel.append_bytes(compiled.read_bytes())
    expected, found = (_rows(answers, request) for answers in (compared.expected, compared.found))
    one = pad(pixels[:1], graph.fixed_batch or 1)
    return {
        "outcome": Outcome.OK,
        "opset": OPSET,
        "batch": graph.fixed_batch,
        "samples": len(pixels),
        "graph_bytes": graph_bytes,
        "largest_difference": compared.difference,
        "largest_output": differences.largest(compared.expected),
        "numbers": expected.size,
        "differing": differences.differing(expected, found),
        "torch_ms": _median_ms(graph.raw, one),
        "compiled_ms": _median_ms(compared.model.raw, one),
    }


def _optimise(graph: Path, target: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(target)
    options.log_severity_level = _ERRORS_ONLY
    onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])


def _rows(answers: NDArray[Any], request: Request) -> NDArray[np.float32]:
    return to_rows(answers, batch=len(answers), request=request)


def _median_ms(run: Callable[[Pixels], object], batch: Pixels) -> float:
    """Return the median time of one sample; of few runs where they take long."""
    run(batch)
    times: list[float] = []
    while len(times) < MAX_TIMED_RUNS and sum(times) < MAX_TIMED_S:
        started = time.perf_counter()
        run(batch)
        times.append(time.perf_counter() - started)
    return median(times) * 1000 / len(batch)
