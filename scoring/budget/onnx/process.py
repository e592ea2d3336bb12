"""Runs the ONNX counter in a child process under limits and reads its answer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from scoring.contracts import Package, StaticCounts, TrackSpec
from scoring.errors import reject

TIMEOUT_S: Final = 180.0
MODULE: Final = "scoring.budget.onnx.counter"
# Each value is made from others or read to make them: one that fills the memory cannot be of use.
MEMORY_OF_ONE_VALUE: Final = 2
SOURCE_ROOT: Final = Path(__file__).resolve().parents[3]


def count(package: Package, track: TrackSpec) -> StaticCounts:
    """Count an ONNX package; raise `Rejected` when its shapes cannot be worked out within limits."""
    counts = _count(package, track)
    return StaticCounts(
        parameters=int(counts["parameters"]),
        macs=int(counts["macs"]),
        uncounted_ops=tuple(str(name) for name in counts["uncounted_ops"]),
    )


def share_in_bits(package: Package, track: TrackSpec, bits: int) -> float:
    """Return the share of an ONNX package's MACs whose factors both have 8 bits, or at most 16; raise as `count`."""
    return float(_count(package, track)[f"share_in_{bits}_bits"])


def _count(package: Package, track: TrackSpec) -> dict[str, Any]:
    limits = track.run_limits
    command = [sys.executable, "-m", MODULE, str(package.root / package.main)]
    command += [str(limits.max_memory_bytes // MEMORY_OF_ONE_VALUE), f"{limits.batch_size},1"]
    command += [str(size) for size in track.input.sides()]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=True,
            env={"PYTHONPATH": str(SOURCE_ROOT), "OPENBLAS_NUM_THREADS": "1"},
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as exc:
        why = "its shapes could not be computed within the limits on time and memory"
        raise reject("unsupported_onnx", path=package.main, why=why) from exc
    counts: dict[str, Any] = json.loads(done.stdout)
    if "why" in counts:
        raise reject("unsupported_onnx", path=package.main, why=counts["why"])
    return counts
