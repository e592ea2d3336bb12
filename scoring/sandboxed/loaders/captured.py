"""Loads a captured graph, for whichever format its entry was; nothing else of the entry is there."""

from __future__ import annotations

from pathlib import Path

from scoring.contracts import Request
from scoring.sandboxed.graph.document import InvalidGraph, read
from scoring.sandboxed.graph.module import GraphModule
from scoring.sandboxed.loaders.torch_entry import TorchEntry
from scoring.sandboxed.refusal import load_failed
from scoring.sandboxed.settle import seed_all, settle_torch
from scoring.sandboxed.torchvision_ops import register_operators


def load(package: Path, request: Request) -> TorchEntry:
    """Read the graph, ready to predict; raise `Refusal` for one that calls what it must not."""
    settle_torch(request.threads)
    seed_all(request.seed)
    try:
        graph = read(package / request.main)
        if any(node.operator.startswith("torchvision::") for node in graph.nodes):
            register_operators()
        entry = TorchEntry(lambda: GraphModule(read(package / request.main)).eval(), request)
    except InvalidGraph as exc:
        raise load_failed(str(exc)) from exc
    entry.fixed_batch = graph.batch
    return entry
