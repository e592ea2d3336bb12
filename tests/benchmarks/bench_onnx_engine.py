"""ONNX entries: images a second against a bare ONNX Runtime loop on batches that are already in memory."""

from __future__ import annotations

import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from tests.benchmarks.models import (
    measured_in_child,
    paired_medians,
    sandboxed_rate,
    say,
    write_images,
    write_onnx_entry,
)

MODULE = "tests.benchmarks.bench_onnx_engine"
BOUND = 0.90
LENGTHS = {"resnet50": (32, 224), "mobilenet_v3_small": (128, 2_048)}
THREADS = 2


def main() -> int:
    """Print both ratios; return 1 if one is below the bound."""
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, (few, many) in LENGTHS.items():
            for samples in (few, many):
                write_images(root / name / str(samples), samples)
            entry = write_onnx_entry(root / f"{name}.onnx", name)
            peer, ours = paired_medians(
                partial(measured_in_child, MODULE, entry, many),
                partial(sandboxed_rate, entry, root / name, root / "cache", few=few, many=many),
            )
            ratios.append(ours / peer)
            say(
                model=name,
                bare=round(peer, 1),
                podium=round(ours, 1),
                ratio=round(ours / peer, 2),
                bound=BOUND,
            )
    return int(min(ratios) < BOUND)


def bare_loop(path: str, samples: int) -> float:
    """Return images a second of ONNX Runtime alone, with as many threads as the track grants."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    batches = np.random.default_rng(0).random((8, 32, 3, 224, 224), dtype=np.float32)
    session.run(None, {"x": batches[0]})
    started = time.perf_counter()
    for number in range(samples // 32):
        session.run(None, {"x": batches[number % 8]})
    return samples // 32 * 32 / (time.perf_counter() - started)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(bare_loop(sys.argv[1], int(sys.argv[2])))
        sys.exit()
    sys.exit(main())
