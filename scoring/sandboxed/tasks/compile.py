"""Compiles a torch entry with ONNX Runtime for the processor it runs on, and shows that both agree.

TorchScript or a module becomes an ONNX graph, and ONNX Runtime rewrites that: folds constants, fuses
operators. It stops before the rewrites that fit one processor's registers only, which it does again
wherever the file is loaded, so that the file runs on every processor of its architecture.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray

from scoring.contracts import Outcome, Request
from scoring.sandboxed import trials
from scoring.sandboxed.channel import Channel, Reply
from scoring.sandboxed.failures import entry_failures, one_line
from scoring.sandboxed.graphs import OPSET, OneOutput, without_notes, write_module, write_script
from scoring.sandboxed.inputs import Pixels, groups, pad
from scoring.sandboxed.loaders import load_entry, onnx_graph
from scoring.sandboxed.loaders.torch_entry import TorchEntry
from scoring.sandboxed.outputs import count_not_finite
from scoring.sandboxed.refusal import Refusal
from scoring.sandboxed.settle import seed_all

GRAPH, COMPILED = "graph.onnx", "compiled.onnx"
MAX_TIMED_RUNS: Final = 9
MAX_TIMED_S: Final = 5.0
_ERRORS_ONLY: Final = 3


@dataclass(frozen=True, kw_only=True)
class _Original:
    """The entry's model, the batch it was written for, and what it answers to the pictures."""

    entry: TorchEntry
    batch: int
    pictures: Pixels
    answers: NDArray[Any]
    rows: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class _Compiled:
    """The compiled model; `batch` is None where it takes any."""

    content: bytes
    graph_bytes: int
    batch: int | None
    model: onnx_graph.OnnxEntry
    answers: NDArray[Any]
    difference: float


def run(request: Request, package: Path, pixels: Pixels, channel: Channel) -> Reply:
    """Append the compiled model to the outputs; return the reply."""
    with entry_failures(Outcome.LOAD_FAILED, request.task):
        entry = load_entry(package, request)
    if not isinstance(entry, TorchEntry):
        raise _failed("packages of this format do not contain a torch module")
    original = _original(entry, request, pixels)
    with tempfile.TemporaryDirectory() as folder:
        compiled = _compile(original, request, Path(folder))
    channel.append_bytes(compiled.content)
    rows = _rows(entry, compiled.answers)
    return {
        "outcome": Outcome.OK,
        "opset": OPSET,
        "batch": compiled.batch,
        "samples": len(original.pictures),
        "graph_bytes": compiled.graph_bytes,
        "largest_difference": compiled.difference,
        "largest_output": trials.largest(original.answers),
        "numbers": rows.size,
        "differing": trials.differing(original.rows, rows),
        "torch_ms": _median_ms(entry.raw, pad(pixels[:1], original.batch)),
        "compiled_ms": _median_ms(compiled.model.raw, pad(pixels[:1], compiled.batch or original.batch)),
    }


def _original(entry: TorchEntry, request: Request, pixels: Pixels) -> _Original:
    stated = request.options.get("batch")
    batch = stated if isinstance(stated, int) else 1
    pictures = trials.trials(pixels)
    seed_all(request.seed)
    with entry_failures(Outcome.CRASHED, request.task):
        answers = trials.answers(entry, pictures, batch)
        rows = _rows(entry, answers)
    not_finite = count_not_finite(rows[: len(pixels)])
    if not_finite:
        raise Refusal(Outcome.NOT_FINITE, found=not_finite, total=rows[: len(pixels)].size)
    return _Original(entry=entry, batch=batch, pictures=pictures, answers=answers, rows=rows)


def _compile(original: _Original, request: Request, folder: Path) -> _Compiled:
    """Compile for any batch; for the stated one where the model only works for that."""
    try:
        return _compile_for(None, original, request, folder)
    except Refusal as refusal:
        try:
            return _compile_for(original.batch, original, request, folder)
        except Refusal:
            # How it fails for any batch says more: both fail alike for most models.
            raise refusal from None


def _compile_for(batch: int | None, original: _Original, request: Request, folder: Path) -> _Compiled:
    graph, target = folder / GRAPH, folder / COMPILED
    try:
        _write_graph(original, batch, graph)
    # The exporter runs the entry's code, which raises what it likes.
    except Exception as exc:
        raise _failed(one_line(exc.__cause__ or exc)) from exc
    graph.write_bytes(without_notes(onnx.load(graph)))
    try:
        _optimise(graph, target)
        model = onnx_graph.load(folder, replace(request, main=COMPILED))
        answers, difference = _compare(original, model, batch)
    except Refusal:
        raise
    # ONNX Runtime's exceptions share no class.
    except Exception as exc:
        raise _failed(f"ONNX Runtime cannot run the graph: {one_line(exc)}") from exc
    return _Compiled(
        content=target.read_bytes(),
        graph_bytes=graph.stat().st_size,
        batch=batch,
        model=model,
        answers=answers,
        difference=difference,
    )


def _write_graph(original: _Original, batch: int | None, path: Path) -> None:
    entry, module = original.entry, original.entry.module
    # torch.export takes a batch of one for a constant.
    example = entry.tensor(pad(original.pictures[:1], batch or max(original.batch, 2)))
    if isinstance(module, torch.jit.ScriptModule):
        write_script(module, example, path, dynamic=batch is None)
    else:
        write_module(OneOutput(module, entry.chosen), example, path, dynamic=batch is None)


def _optimise(graph: Path, target: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(target)
    options.log_severity_level = _ERRORS_ONLY
    onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])


def _compare(
    original: _Original, model: onnx_graph.OnnxEntry, batch: int | None
) -> tuple[NDArray[Any], float]:
    """Run the compiled model on the pictures one by one, in pairs and together; return the worst."""
    sizes = (1, 2, len(original.pictures)) if batch is None else (batch,)
    found = [
        np.concatenate(
            [
                model.raw(group if batch is None else pad(group, batch))[: len(group)]
                for group in groups(original.pictures, size)
            ]
        )
        for size in sizes
    ]
    scale = trials.largest(original.answers)
    worst = max(trials.difference(original.answers, answers) for answers in found)
    if not trials.is_rounding(worst, scale):
        raise _failed(f"its outputs differ from the model's by up to {worst:.3g} (largest {scale:.3g})")
    return found[0], worst


def _rows(entry: TorchEntry, answers: NDArray[Any]) -> NDArray[np.float32]:
    return np.concatenate([entry.rows_of(answers[at : at + 1]) for at in range(len(answers))])


def _median_ms(run: Callable[[Pixels], object], batch: Pixels) -> float:
    """Return the median time of one sample; of few runs where they take long."""
    run(batch)
    times: list[float] = []
    while len(times) < MAX_TIMED_RUNS and sum(times) < MAX_TIMED_S:
        started = time.perf_counter()
        run(batch)
        times.append(time.perf_counter() - started)
    return median(times) * 1000 / len(batch)


def _failed(why: str) -> Refusal:
    return Refusal(Outcome.EXPORT_FAILED, why=why)
