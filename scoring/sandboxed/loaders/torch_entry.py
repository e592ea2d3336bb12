"""Runs a torch module on batches, in the memory format that is fastest and changes nothing.

Convolutions run up to twice as fast on channels-last tensors, but some models call `.view` on a
feature map, which then raises, and noise drawn for such a tensor falls on other pixels. So two
samples are run both ways before the first batch: channels-last is used only where it neither
raises nor changes the outputs beyond rounding. The choice depends on nothing but entry, inputs
and seed, so it is the same in each run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from scoring.contracts import Dtype, Outcome, Request
from scoring.sandboxed.failures import entry_failures
from scoring.sandboxed.inputs import Pixels, channel_values, groups, pad
from scoring.sandboxed.outputs import accepts_integers, refuse_kind, to_rows
from scoring.sandboxed.refusal import Refusal
from scoring.sandboxed.settle import seed_all
from scoring.sandboxed.unwrap import unwrapped

PROBE_SAMPLES = 2
ROUNDING = 1e-3
_INTEGERS = frozenset({torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64})
_FORMATS = {True: torch.channels_last, False: torch.contiguous_format}


class OneOutput(nn.Module):
    """Has one named input and one output, whatever the entry's own forward() takes and answers."""

    def __init__(self, model: nn.Module, output_of: Callable[[Any], Any]) -> None:
        super().__init__()
        self.model = model
        self._output_of = output_of

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the output tensor."""
        output: torch.Tensor = self._output_of(self.model(images))
        return output


class TorchEntry:
    """A torch module, how batches reach it, and `output_of`: what its format takes for the output in an answer."""

    def __init__(
        self,
        build: Callable[[], nn.Module],
        request: Request,
        *,
        output_of: Callable[[Any], Any] = lambda answer: answer,
    ) -> None:
        self.fixed_batch: int | None = None
        self.warnings: list[Mapping[str, object]] = []
        self._build = lambda: unwrapped(build())
        self._output_of = output_of
        self._request = request
        self.module = self._build()
        self._memory_format = torch.contiguous_format

    def prepare(self, pixels: Pixels) -> None:
        """Choose the memory format on a few samples, then start from seeded generators."""
        if len(self._request.input.shape) == 3 and _has_convolution(self.module):
            self._choose_memory_format(pixels[:PROBE_SAMPLES])
        seed_all(self._request.seed)

    def predict(self, pixels: Pixels) -> NDArray[np.float32]:
        """Run one batch without gradients and check what comes back."""
        return to_rows(self.raw(pixels), batch=len(pixels), request=self._request)

    def tensor(self, pixels: Pixels) -> torch.Tensor:
        """Return a batch as the model receives it; a fresh tensor, which the model may change."""
        contract = self._request.input
        source = self._laid_out(torch.from_numpy(np.ascontiguousarray(pixels)))
        # Sound is stored as the model receives it.
        if contract.dtype is Dtype.UINT8 or source.dtype is torch.float32:
            return source
        floats = source.to(torch.float32).div_(255)
        if contract.high - contract.low != 1:
            floats.mul_(contract.high - contract.low)
        if contract.low != 0:
            floats.add_(contract.low)
        if contract.mean is not None and contract.std is not None:
            mean, std = (channel_values(values, contract) for values in (contract.mean, contract.std))
            floats.sub_(torch.from_numpy(mean)).div_(torch.from_numpy(std))
        return floats

    def renew(self) -> None:
        """Build the model once more: what was done with it has left marks, or may have."""
        self._use_fresh(self._memory_format)
        seed_all(self._request.seed)

    def raw(self, pixels: Pixels) -> NDArray[Any]:
        """Return the numbers of the output, which no rows are made of yet.

        Runs the samples together, or in groups of the one batch that the model takes.
        """
        size = self.fixed_batch
        if size is None or size == len(pixels):
            return self._together(pixels)
        parts = [self._together(pad(group, size))[: len(group)] for group in groups(pixels, size)]
        return np.concatenate(parts)

    def one_output(self) -> nn.Module:
        """Return a module that answers with the output alone."""
        return OneOutput(self.module, self._output_of).eval()

    def _laid_out(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return a copy in the chosen memory format; plane by plane takes half the time of a conversion."""
        if self._memory_format is not torch.channels_last:
            return pixels.clone()
        samples, planes, height, width = pixels.shape
        copy = torch.empty((samples, height, width, planes), dtype=pixels.dtype)
        for plane in range(planes):
            copy[..., plane] = pixels[:, plane]
        return copy.permute(0, 3, 1, 2)

    def _together(self, pixels: Pixels) -> NDArray[Any]:
        with torch.no_grad():
            return self._numbers(self._output_of(self.module(self.tensor(pixels))))

    def _numbers(self, output: Any) -> NDArray[Any]:
        if not isinstance(output, torch.Tensor):
            raise refuse_kind(_kind(output))
        if accepts_integers(self._request) and output.dtype in _INTEGERS:
            numbers: NDArray[Any] = output.detach().resolve_neg().numpy()
            return numbers
        if not output.is_floating_point():
            raise refuse_kind(f"a tensor of {output.dtype}")
        rows: NDArray[Any] = output.detach().to(torch.float32).resolve_neg().numpy()
        return rows

    def _choose_memory_format(self, pixels: Pixels) -> None:
        before = _state(self.module)
        expected = self._try(pixels, torch.contiguous_format)
        if expected is None:
            # It fails either way: the first batch will say how.
            self._use_fresh(torch.contiguous_format)
            return
        found = self._try(pixels, torch.channels_last)
        same = found is not None and _agree(expected, found)
        if not same or _state(self.module) != before:
            # The trial left its marks, or half a batch's: predictions start from a new model.
            self._use_fresh(_FORMATS[same])

    def _try(self, pixels: Pixels, memory_format: torch.memory_format) -> NDArray[Any] | None:
        self._use(memory_format)
        seed_all(self._request.seed)
        try:
            with entry_failures(Outcome.CRASHED, self._request.task):
                return self.raw(pixels)
        except Refusal:
            # What an entry does here is not a verdict; at worst the entry loses the faster format.
            return None

    def _use_fresh(self, memory_format: torch.memory_format) -> None:
        del self.module
        self.module = self._build()
        self._use(memory_format)

    def _use(self, memory_format: torch.memory_format) -> None:
        self._memory_format = memory_format
        self.module = self.module.to(memory_format=memory_format)  # type: ignore[call-overload]  # not in its stubs


def _kind(output: object) -> str:
    """Name the type of something that is not a tensor, and a container's number of values."""
    count = f" of {len(output)} values" if isinstance(output, tuple | list | dict) else ""
    return f"a {type(output).__name__}{count}"


def _has_convolution(module: nn.Module) -> bool:
    return any(parameter.dim() == 4 for parameter in module.parameters())


def _state(module: nn.Module) -> list[object]:
    """Return what shows whether a run changed the model: tensor versions and plain attributes."""
    tensors = [*module.parameters(), *module.buffers()]
    versions: list[object] = [tensor._version for tensor in tensors]
    plain = (bool, int, float, str, type(None))
    for part in module.modules():
        versions.extend((name, value) for name, value in vars(part).items() if isinstance(value, plain))
    return versions


def _agree(expected: NDArray[Any], found: NDArray[Any]) -> bool:
    if expected.shape != found.shape or not np.isfinite(expected).all():
        return False
    scale = float(np.abs(expected).max(initial=0.0))
    return bool(np.abs(expected - found).max(initial=0.0) <= ROUNDING * max(scale, 1e-6))
