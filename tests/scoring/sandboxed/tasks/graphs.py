"""Graphs for the tasks that write one in another form."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnxruntime
import torch
from torch import nn

from scoring.contracts import Task
from scoring.sandboxed.graph.capture import capture
from scoring.sandboxed.graph.document import write
from tests.scoring.sandboxed.conftest import Child, Finished
from tests.scoring.sandboxed.graph.modules import PATIENCE_S, Answering

GRAPH = "graph.safetensors"
Forward = Callable[[nn.Module, torch.Tensor], torch.Tensor]


def run_on_graph(child: Child, task: Task, forward: Forward, *parts: nn.Module, **asked: object) -> Finished:
    """Capture what answers so to the child's samples, and let the child do its task on the graph."""
    examples = torch.from_numpy(child.pixels[:2])
    examples = examples if asked.get("dtype") == "uint8" else examples.float() / 255
    module = Answering(forward, **{f"part_{place}": part for place, part in enumerate(parts)}).eval()
    graph = capture(module, examples, examples[:1], seconds=PATIENCE_S)
    (child.package / GRAPH).write_bytes(write(graph))
    return child.run(task, main=GRAPH, captured=True, **asked)  # type: ignore[arg-type]


def answer(ended: Finished, images: np.ndarray) -> np.ndarray:
    """Return what the ONNX model that was written answers."""
    assert ended.reply is not None
    assert ended.reply["outcome"] == "ok", ended.log
    session = onnxruntime.InferenceSession(ended.outputs, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"input": images})
    return np.asarray(found)
