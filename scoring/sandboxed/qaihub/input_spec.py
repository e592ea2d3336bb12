"""`InputSpec`: each input's name with its shape and element type."""

from __future__ import annotations

import torch

__all__ = ["InputSpec", "get_batch_size", "make_torch_inputs", "str_to_torch_dtype"]

InputType = tuple[tuple[int, ...], str]
InputSpec = dict[str, InputType]

_DTYPES = {"float32": torch.float32, "int32": torch.int32, "int64": torch.int64}


def get_batch_size(input_spec: InputSpec) -> int:
    """Return the first side of the first input."""
    return next(iter(input_spec.values()))[0][0]


def str_to_torch_dtype(name: str) -> torch.dtype:
    """Return the torch type of a spec's type."""
    return _DTYPES[name]


def make_torch_inputs(spec: InputSpec, seed: int | None = 42) -> list[torch.Tensor]:
    """Return random inputs that fit the spec, the same ones for the same seed."""
    generator = torch.Generator()
    if seed is not None:
        generator.manual_seed(seed)
    return [
        torch.rand(shape, generator=generator).to(str_to_torch_dtype(dtype)) for shape, dtype in spec.values()
    ]
