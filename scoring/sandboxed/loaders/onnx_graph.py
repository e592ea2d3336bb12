"""Loads an ONNX graph into ONNX Runtime: standard operators only, fixed threads, fixed order."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from scoring.contracts import ANSWER, EXACT_ARITHMETIC, INLINED, Dtype, InputContract, Request, stored_dtype
from scoring.sandboxed.inputs import FloatBatches, Pixels, pad
from scoring.sandboxed.outputs import refuse_kind, to_rows
from scoring.sandboxed.refusal import load_failed
from scoring.sandboxed.settle import seed_all

_FLOAT, _UINT8 = "tensor(float)", "tensor(uint8)"
_ERRORS_ONLY = 3
# Where the weights lie that the model keeps in other files, if the model itself comes from memory.
WEIGHTS_FOLDER = "session.model_external_initializers_file_folder_path"


class OnnxEntry:
    """An ONNX Runtime session, how batches reach it, and the place of its answer among its outputs."""

    def __init__(self, session: onnxruntime.InferenceSession, request: Request) -> None:
        self._session = session
        answer = request.options.get(ANSWER)
        self._outputs = None if answer is None else [str(answer)]
        names = [output.name for output in session.get_outputs()]
        self.place = 0 if answer is None else names.index(str(answer))
        self._request = request
        self._input = _single_input(session, request.input)
        self.fixed_batch = self._input.shape[0] if isinstance(self._input.shape[0], int) else None
        self._floats = FloatBatches(request.input)

    def prepare(self, pixels: Pixels) -> None:
        """Do nothing: the graph runs as it is."""

    def predict(self, pixels: Pixels) -> NDArray[np.float32]:
        """Run one batch, in groups of the graph's own batch size if that is fixed."""
        if self.fixed_batch is None or self.fixed_batch == len(pixels):
            return self._run(pixels)
        size = self.fixed_batch
        groups = [pixels[start : start + size] for start in range(0, len(pixels), size)]
        return np.concatenate([self._run(pad(group, size))[: len(group)] for group in groups])

    def feed(self, pixels: Pixels) -> NDArray[np.float32] | Pixels:
        """Return a batch as the graph receives it; valid until the next call."""
        return np.ascontiguousarray(pixels) if self._input.type == _UINT8 else self._floats.convert(pixels)

    def _run(self, pixels: Pixels) -> NDArray[np.float32]:
        return to_rows(self.raw(pixels), batch=len(pixels), request=self._request)

    def raw(self, pixels: Pixels) -> NDArray[Any]:
        """Return the graph's one output for a batch that it takes as a whole."""
        outputs = self._session.run(self._outputs, {self._input.name: self.feed(pixels)})
        if len(outputs) != 1:
            raise refuse_kind(f"{len(outputs)} outputs")
        if not isinstance(outputs[0], np.ndarray):
            raise refuse_kind(f"a value of type {type(outputs[0]).__name__}")
        return outputs[0]


def load(package: Path, request: Request) -> OnnxEntry:
    """Open the graph; custom operators are refused because none is ever registered."""
    seed_all(request.seed)
    return OnnxEntry(open_session(package / request.main, request), request)


def read_graph(path: Path, request: Request) -> bytes | None:
    """Return the graph that was counted, where the file's own has functions; None where it has none."""
    if request.options.get(INLINED) is not True:
        return None
    # Few graphs have functions; the others start without this library.
    model: Any = import_module("onnx").load(path, load_external_data=False)
    return bytes(import_module("onnx.inliner").inline_local_functions(model).SerializeToString())


def open_session(path: Path, request: Request, *, optimise: bool = True) -> onnxruntime.InferenceSession:
    """Open a graph under the request's threads, so that it answers the same in each run."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = request.threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.use_deterministic_compute = True
    options.log_severity_level = _ERRORS_ONLY
    if not optimise:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    if request.options.get(EXACT_ARITHMETIC) is True:
        options.add_session_config_entry("session.disable_quant_qdq", "1")
    graph = read_graph(path, request)
    if graph is not None:
        options.add_session_config_entry(WEIGHTS_FOLDER, str(path.parent))
    source = str(path) if graph is None else graph
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def _single_input(session: onnxruntime.InferenceSession, contract: InputContract) -> onnxruntime.NodeArg:
    inputs = session.get_inputs()
    if len(inputs) != 1:
        raise load_failed(f"the graph has {len(inputs)} inputs; one is allowed")
    found = inputs[0]
    # Sound is stored as floats: there are no bytes to feed.
    if stored_dtype(contract.reader) is Dtype.FLOAT32 and found.type != _FLOAT:
        raise load_failed(f"the graph's input is a {found.type}; float is allowed")
    if found.type not in {_FLOAT, _UINT8}:
        raise load_failed(f"the graph's input is a {found.type}; float and uint8 are allowed")
    sides = found.shape[1:]
    fits = len(sides) == len(contract.shape) and all(
        not isinstance(side, int) or side == needed
        for side, needed in zip(sides, contract.shape, strict=True)
    )
    if not fits:
        raise load_failed(
            f"the graph's input has shape {found.shape}, but samples have shape {list(contract.shape)}"
        )
    return found
