"""ONNX entries: images a second against a bare ONNX Runtime loop on batches that are already in memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.benchmarks.entries import ENGINE_NETS, engine_figures, write_onnx_entry
from tests.benchmarks.figures import Figure

BOUNDS: Final = dict.fromkeys(ENGINE_NETS, 0.90)


def bench() -> Iterator[Figure]:
    """Yield the ratio for each network."""
    yield from engine_figures("ONNX, to ONNX Runtime alone", write_onnx_entry, bare_loop, BOUNDS)


def bare_loop(entry: str, folder: str) -> float:
    """Return images a second of ONNX Runtime alone, with as many threads as the track grants."""
    import numpy as np
    import onnxruntime

    from scoring.contracts import RunLimits

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = RunLimits().threads
    session = onnxruntime.InferenceSession(entry, options, providers=["CPUExecutionProvider"])
    batches = np.random.default_rng(0).random((8, 32, 3, 224, 224), dtype=np.float32)
    session.run(None, {"x": batches[0]})
    rounds = len(list(Path(folder).glob("*.jpg"))) // 32
    started = time.perf_counter()
    for number in range(rounds):
        session.run(None, {"x": batches[number % 8]})
    return rounds * 32 / (time.perf_counter() - started)
