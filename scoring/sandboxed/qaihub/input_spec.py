"""`InputSpec`: each input's name with its shape and element type."""

from __future__ import annotations

import torch

from scoring.sandboxed.qaihub.tensor_spec import (
    BboxFormat,
    BboxMetadata,
    ColorFormat,
    ImageMetadata,
    IoType,
    TensorSpec,
)

__all__ = [
    "BboxFormat",
    "BboxMetadata",
    "ColorFormat",
    "ImageMetadata",
    "InputSpec",
    "IoType",
    "OutputSpec",
    "TensorSpec",
    "get_batch_size",
    "make_torch_inputs",
    "str_to_torch_dtype",
    "to_hub_input_specs",
]

InputType = tuple[tuple[int, ...], str]
InputSpec = dict[str, TensorSpec | InputType]
OutputSpec = dict[str, TensorSpec]

_DTYPES = {"float32": torch.float32, "int32": torch.int32, "int64": torch.int64}


def get_batch_size(input_spec: InputSpec) -> int | None:
    """Return the first side that all inputs have; None if they differ."""
    sizes = {spec[0][0] for spec in input_spec.values()}
    return sizes.pop() if len(sizes) == 1 else None


def str_to_torch_dtype(name: str) -> torch.dtype:
    """Return the torch type of a spec's type."""
    return _DTYPES[name]


def to_hub_input_specs(input_spec: InputSpec) -> dict[str, InputType]:
    """Return the pairs of shape and type alone."""
    return {name: (spec[0], spec[1]) for name, spec in input_spec.items()}


def make_torch_inputs(spec: InputSpec, seed: int | None = 42) -> list[torch.Tensor]:
    """Return random inputs that fit the spec, the same ones for the same seed."""
    generator = torch.Generator()
    if seed is not None:
        generator.manual_seed(seed)
    return [
        torch.rand(shape, generator=generator).to(str_to_torch_dtype(dtype)) for shape, dtype in spec.values()
    ]
