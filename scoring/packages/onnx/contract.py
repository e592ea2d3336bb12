"""Whether an ONNX model takes the track's input and has an output that can be the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from onnx import ModelProto, TensorProto, TypeProto, ValueInfoProto

from scoring.contracts import Dtype, InputContract, TrackSpec, stored_dtype
from scoring.packages.onnx.outputs import answer_of
from scoring.packages.onnx.walk import shown

INPUT_TYPES: Final[Mapping[int, str]] = {TensorProto.FLOAT: "float32", TensorProto.UINT8: "uint8"}
# Channels, height and width; video has frames before them, sound none of these.
PICTURE_SIDES: Final = 3


def contract_problems(model: ModelProto, track: TrackSpec) -> Iterator[str]:
    """Yield how the model's inputs and outputs break the track's contract."""
    inputs = data_inputs(model)
    if len(inputs) == 1:
        yield from _input_problems(inputs[0], track.input)
    else:
        yield f"it has {len(inputs)} inputs{_names(inputs)}; it must have exactly one"
    if not model.graph.output:
        yield "it has no outputs; it must have one"
    elif len(model.graph.output) > 1:
        answer = answer_of(model, track.output)
        if isinstance(answer, str):
            yield answer


def data_inputs(model: ModelProto) -> list[ValueInfoProto]:
    """Return the graph's inputs without those that only name a weight."""
    weights = {tensor.name for tensor in model.graph.initializer}
    weights |= {sparse.values.name for sparse in model.graph.sparse_initializer}
    return [value for value in model.graph.input if value.name not in weights]


def _names(values: list[ValueInfoProto]) -> str:
    return f" ({', '.join(shown(value.name) for value in values[:10])})" if values else ""


def _input_problems(value: ValueInfoProto, contract: InputContract) -> Iterator[str]:
    if value.type.WhichOneof("value") != "tensor_type":
        yield "its input is not a tensor"
        return
    tensor, shape, accepted = value.type.tensor_type, contract.shape, _accepted_types(contract)
    if tensor.elem_type not in accepted:
        found = _type_name(tensor.elem_type)
        yield f"its input is {found}; {' or '.join(accepted.values())} is accepted (cast inside the model)"
    if tensor.HasField("shape") and not _fits(tensor, shape):
        wanted = ", ".join("?" if size is None else str(size) for size in shape)
        order = ", channels first" if len(shape) >= PICTURE_SIDES else ""
        yield f"its input has shape {_shape_text(tensor)}; this track feeds (N, {wanted}){order}"


def _accepted_types(contract: InputContract) -> Mapping[int, str]:
    if stored_dtype(contract.reader) is Dtype.FLOAT32:
        return {TensorProto.FLOAT: INPUT_TYPES[TensorProto.FLOAT]}
    return INPUT_TYPES


def _fits(tensor: TypeProto.Tensor, shape: tuple[int | None, ...]) -> bool:
    batch, *rest = [*tensor.shape.dim] or [None]
    if batch is None or len(rest) != len(shape):
        return False
    is_batch_open = not batch.HasField("dim_value") or batch.dim_value > 0
    return is_batch_open and all(
        size is None or not dim.HasField("dim_value") or dim.dim_value == size
        for dim, size in zip(rest, shape, strict=True)
    )


def _shape_text(tensor: TypeProto.Tensor) -> str:
    sizes = [str(dim.dim_value) if dim.HasField("dim_value") else "?" for dim in tensor.shape.dim]
    return f"({', '.join(sizes[:10])})"


def _type_name(element_type: int) -> str:
    known = element_type in TensorProto.DataType.values()
    return TensorProto.DataType.Name(element_type).lower() if known else f"type {element_type}"
