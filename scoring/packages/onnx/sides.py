"""Which sides of the input an ONNX graph states, where its track leaves them to the package."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from onnx import ModelProto, TensorShapeProto

from scoring.contracts import MAX_FRAMES, Finding, InputContract, Settled, TrackSpec
from scoring.packages.onnx.contract import data_inputs

# gasbench feeds these to a graph whose sides are dynamic.
OPEN_SIDE: Final = 224
OPEN_FRAMES: Final = 16
# Each size costs a copy of the dataset and memory for a batch; without a bound, one entry fills the disk.
MAX_SIDE: Final = 1024
HEIGHT_AND_WIDTH: Final = 2
FRAMES_PLACE: Final = 0
VIDEO_SIDES: Final = 4


def size_problems(model: ModelProto, track: TrackSpec) -> Iterator[str]:
    """Yield the sides that the graph may choose and sets too large."""
    contract = track.input
    for place, stated, graph in _places(contract, _sides_of(model, len(contract.shape))):
        most = MAX_FRAMES if _is_frames(place, contract) else MAX_SIDE
        if stated is None and graph is not None and not 0 < graph <= most:
            yield f"its input's {_name(place, contract)} is {graph:,}; 1 to {most:,} are allowed"


def settle_sides(model: ModelProto, track: TrackSpec) -> Settled:
    """Fill each open side from the graph; say so where the graph leaves height or width open as well."""
    contract = track.input
    sides = list(contract.shape)
    assumed = False
    for place, stated, graph in _places(contract, _sides_of(model, len(contract.shape))):
        if stated is not None:
            continue
        is_frames = _is_frames(place, contract)
        sides[place] = graph or (OPEN_FRAMES if is_frames else OPEN_SIDE)
        assumed = assumed or (graph is None and not is_frames)
    settled = replace(track, input=replace(contract, shape=tuple(sides)))
    size = " x ".join(str(side) for side in sides[-HEIGHT_AND_WIDTH:])
    warnings = (Finding(code="open_input_size", facts={"size": size}),) if assumed else ()
    return Settled(track=settled, warnings=warnings)


def fill_open_sides(contract: InputContract) -> InputContract:
    """Return the contract as a graph that states nothing would meet it."""
    sides = (
        (OPEN_FRAMES if _is_frames(place, contract) else OPEN_SIDE) if side is None else side
        for place, side in enumerate(contract.shape)
    )
    return replace(contract, shape=tuple(sides))


def _places(
    contract: InputContract, graph: tuple[int | None, ...]
) -> Iterator[tuple[int, int | None, int | None]]:
    for place, (stated, found) in enumerate(zip(contract.shape, graph, strict=True)):
        yield place, stated, found


def _is_frames(place: int, contract: InputContract) -> bool:
    return len(contract.shape) == VIDEO_SIDES and place == FRAMES_PLACE


def _name(place: int, contract: InputContract) -> str:
    if _is_frames(place, contract):
        return "frames"
    return "width" if place == len(contract.shape) - 1 else "height"


def _sides_of(model: ModelProto, rank: int) -> tuple[int | None, ...]:
    """Return the sides after the batch; all open where the graph gives no shape, or another rank."""
    tensors = [value.type.tensor_type for value in data_inputs(model)]
    if len(tensors) != 1 or len(tensors[0].shape.dim) != rank + 1:
        return (None,) * rank
    return tuple(_fixed(side) for side in tensors[0].shape.dim[1:])


def _fixed(side: TensorShapeProto.Dimension) -> int | None:
    return side.dim_value if side.HasField("dim_value") else None
