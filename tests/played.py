"""Scripts of the runs that capture an entry: what beside its code is written, and what the graph alone answers."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np

from scoring.contracts import ALONE, LENGTH_BYTES, Task
from scoring.flow.runs import PROBE_SAMPLES
from scoring.flow.trials import TRIALS
from scoring.sandbox.fake import Scripted, measured

GRAPH = b"a graph"
SHOWN = PROBE_SAMPLES + TRIALS


def answers(width: int) -> np.ndarray:
    """Return what a model answers to all trials together, and to the last ones alone."""
    return np.random.default_rng(0).normal(size=(SHOWN + ALONE, width)).astype(np.float32)


def captured(
    rows: np.ndarray,
    graph: bytes = GRAPH,
    *,
    parameters: int = 1_000,
    macs: int = 5_000,
    log: str = "said",
    **told: object,
) -> Scripted:
    """Script a measurement beside which a graph is written."""
    script = measured(parameters=parameters, macs=macs)
    return Scripted(
        reply=json.dumps({**json.loads(script.reply), **told}).encode(),
        outputs=len(graph).to_bytes(LENGTH_BYTES, "little") + graph + rows.astype("<f4").tobytes(),
        log=log,
    )


def counted(rows: np.ndarray, *, parameters: int = 1_200, macs: int = 7_000, **told: object) -> Scripted:
    """Script the count of a graph that gives these answers."""
    reply = {
        "outcome": "ok",
        "parameters": parameters,
        "macs": macs,
        "uncounted_ops": [],
        "batch": None,
        **told,
    }
    return Scripted(reply=json.dumps(reply).encode(), outputs=rows.astype("<f4").tobytes())


def captures(width: int, **told: object) -> Mapping[Task, list[Scripted]]:
    """Script how an entry of this output is captured and its graph counted."""
    rows = answers(width)
    return {Task.MEASURE: [captured(rows, **told)], Task.COUNT: [counted(rows)]}
