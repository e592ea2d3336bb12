"""Quantises an ONNX graph statically: weights by channel, activations in ranges from the samples.

No code of an entry runs here, but the graph may be hostile, and the samples are hidden ones.
"""

from __future__ import annotations

import logging
import math
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, version_converter
from onnx.inliner import inline_local_functions
from onnxruntime.quantization import (
    CalibrationDataReader,
    MinMaxCalibrater,
    QuantFormat,
    QuantType,
    qdq_loss_debug,
    quant_pre_process,
    quantize_static,
    save_tensors_data,
)
from onnxruntime.quantization.execution_providers.qnn.mixed_precision_overrides_utils import (
    MixedPrecisionTensorQuantOverridesFixer,
)
from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry
from onnxruntime.quantization.tensor_quant_overrides import TensorQuantOverridesHelper

from scoring.contracts import EXACT_ARITHMETIC, PRECISION, SENSITIVE_PERCENT, Outcome, Precision, Request
from scoring.sandboxed.channel import Channel, Reply
from scoring.sandboxed.failures import entry_failures
from scoring.sandboxed.inputs import Pixels, batches, pad
from scoring.sandboxed.loaders import onnx_graph
from scoring.sandboxed.loaders.onnx_graph import OnnxEntry

# Scales by channel came into QuantizeLinear with it.
FIRST_WITH_CHANNELS: Final = 13
# What ONNX Runtime quantises unless told otherwise, in an order that does not hang on a set's.
OPERATORS: Final = sorted({*QDQRegistry, *QLinearOpsRegistry})
LAYERS: Final = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
BOUNDS: Final = frozenset({"Clip", "Relu"})
# Every activation of a batch is alive at once while the ranges are taken: 15 GB for a ViT-B/16 and 32 samples.
SAMPLES_AT_ONCE: Final = 1
FLOAT, PREPARED, AUGMENTED, RANGES, QUANTISED = (
    "float.onnx",
    "prepared.onnx",
    "augmented.onnx",
    "ranges.json",
    "quantised.onnx",
)


class _Samples(CalibrationDataReader):
    """Hands the samples to the graph's one input."""

    def __init__(self, name: str, fed: Iterator[NDArray[np.float32] | Pixels]) -> None:
        self._name = name
        self._fed = fed

    def get_next(self) -> dict[str, NDArray[np.float32] | Pixels] | None:
        """Return what the graph is fed next, or None at the end."""
        batch = next(self._fed, None)
        return None if batch is None else {self._name: batch}


def run(request: Request, package: Path, pixels: Pixels, channel: Channel) -> Reply:
    """Append the quantised graph to the outputs; return the reply."""
    # It warns of every weight without a channel axis, and a long log ends the run.
    logging.disable(logging.ERROR)
    with (
        tempfile.TemporaryDirectory() as name,
        entry_failures(Outcome.QUANTISATION_FAILED, request.task),
    ):
        folder = Path(name)
        _prepare(package / request.main, folder)
        _take_ranges(request, folder, pixels)
        _write(request, folder, pixels)
        _try(request, folder, pixels)
        content = (folder / QUANTISED).read_bytes()
    channel.append_bytes(content)
    return {"outcome": Outcome.OK}


def _prepare(source: Path, folder: Path) -> None:
    """Fold what can be folded, such as normalisation into convolutions, and infer every type."""
    # External weights come into the one file that the quantiser reads.
    model = onnx.load(source)
    model = inline_local_functions(model) if model.functions else model
    if _opset(model) < FIRST_WITH_CHANNELS:
        model = version_converter.convert_version(model, FIRST_WITH_CHANNELS)
    onnx.save(model, folder / FLOAT)
    quant_pre_process(folder / FLOAT, folder / PREPARED, skip_symbolic_shape=True)
    (folder / FLOAT).unlink()


def _opset(model: onnx.ModelProto) -> int:
    return max((opset.version for opset in model.opset_import if opset.domain in {"", "ai.onnx"}), default=0)


def _take_ranges(request: Request, folder: Path, pixels: Pixels) -> None:
    """Write down the least and greatest value of each activation, under our threads and not ORT's own."""
    calibrater = MinMaxCalibrater(folder / PREPARED, OPERATORS, augmented_model_path=str(folder / AUGMENTED))
    calibrater.augment_graph()
    session = onnx_graph.open_session(folder / AUGMENTED, request, optimise=False)
    calibrater.infer_session = session
    entry = OnnxEntry(session, request)
    calibrater.collect_data(_Samples(session.get_inputs()[0].name, _fed(entry, pixels)))
    save_tensors_data(calibrater.compute_data(), folder / RANGES)
    (folder / AUGMENTED).unlink()


def _fed(entry: OnnxEntry, pixels: Pixels) -> Iterator[NDArray[np.float32] | Pixels]:
    size = entry.fixed_batch or SAMPLES_AT_ONCE
    for group in batches(pixels, size):
        yield entry.feed(pad(group, size))


def _write(request: Request, folder: Path, pixels: Pixels) -> None:
    precision = Precision(str(request.options.get(PRECISION, Precision.W8A8)))
    if precision is Precision.W8A16:
        _quantise(folder, activations=QuantType.QUInt16)
        return
    _quantise(folder)
    if precision is Precision.W8A8_MIXED_INT16:
        share = cast(float, request.options[SENSITIVE_PERCENT]) / 100
        _quantise(
            folder, wider=_wider(folder, sensitive_layers(folder, share, _first(request, folder, pixels)))
        )


def _quantise(
    folder: Path, *, activations: QuantType = QuantType.QUInt8, wider: Mapping[str, Any] | None = None
) -> None:
    quantize_static(
        folder / PREPARED,
        folder / QUANTISED,
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=OPERATORS,
        per_channel=True,
        activation_type=activations,
        weight_type=QuantType.QInt8,
        calibration_cache_path=folder / RANGES,
        extra_options={} if wider is None else {"TensorQuantOverrides": wider},
    )


def _first(request: Request, folder: Path, pixels: Pixels) -> CalibrationDataReader:
    """Return what hands out the first sample alone: every activation of it is kept."""
    session = onnx_graph.open_session(folder / PREPARED, request, optimise=False)
    entry = OnnxEntry(session, request)
    return _Samples(session.get_inputs()[0].name, _fed(entry, pixels[:1]))


def sensitive_layers(folder: Path, share: float, sample: CalibrationDataReader) -> list[NodeProto]:
    """Return that share of the layers, at least one: those whose outputs 8 bits disturb most.

    How much, ONNX Runtime's own comparison tells: the ratio of signal to noise of a layer's output before and
    after it is rounded.
    """
    nodes = onnx.load(folder / PREPARED).graph.node
    layers = [node for node in nodes if node.op_type in LAYERS]
    # A layer and the bound after it are rounded once, after the bound.
    bounded = {node.input[0]: node.output[0] for node in nodes if node.op_type in BOUNDS}
    augmented = folder / AUGMENTED
    qdq_loss_debug.modify_model_output_intermediate_tensors(str(folder / QUANTISED), str(augmented))
    found = qdq_loss_debug.collect_activations(str(augmented), sample)
    augmented.unlink()
    ratios = {
        name: qdq_loss_debug.compute_signal_to_quantization_noice_ratio(each["pre_qdq"], each["post_qdq"])
        for name, each in qdq_loss_debug.create_activation_matching(found).items()
    }

    def ratio(layer: NodeProto) -> float:
        names = (layer.output[0], bounded.get(layer.output[0], ""))
        return min(float(ratios[name]) if name in ratios else math.inf for name in names)

    noisy = sorted(layers, key=ratio)
    return noisy[: max(1, round(share * len(layers)))]


def _wider(folder: Path, layers: list[NodeProto]) -> Mapping[str, Any]:
    """Return what keeps the weights and outputs of these layers in 16 bits, and what that asks of their neighbours."""
    model = onnx.load(folder / PREPARED)
    stored = {tensor.name for tensor in model.graph.initializer}
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"node {number}"  # what follows tells nodes apart by their names
    asked: dict[str, Any] = {}
    for node in layers:
        asked[node.output[0]] = [{"quant_type": QuantType.QUInt16}]
        asked |= {name: [{"quant_type": QuantType.QInt16}] for name in node.input[1:2] if name in stored}
    overrides = TensorQuantOverridesHelper(asked)
    fixer = MixedPrecisionTensorQuantOverridesFixer.create_from_model(overrides, model, QuantType.QUInt8)
    fixer.apply(QuantType.QUInt8, default_activation_symmetric=False)
    wider: Mapping[str, Any] = overrides.get_dict()
    return wider


def _try(request: Request, folder: Path, pixels: Pixels) -> None:
    """Answer a sample, so that a graph that does not run is told of here."""
    asked = replace(request, main=QUANTISED, options={**request.options, EXACT_ARITHMETIC: True})
    onnx_graph.load(folder, asked).predict(pixels[:1])
