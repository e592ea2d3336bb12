"""Loads a .pt file: TorchScript as it is, or a state dict into the architecture that the package names.

Nothing is unpickled but tensors: state dicts are read by `weights_only`, and what TorchScript holds
runs in its own interpreter.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError  # noqa: TID251  only the name of an error
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from scoring.contracts import OutputKind, Request
from scoring.sandboxed.failures import attempt
from scoring.sandboxed.inputs import Pixels
from scoring.sandboxed.loaders.torch_entry import ROUNDING, TorchEntry
from scoring.sandboxed.outputs import refuse_kind
from scoring.sandboxed.refusal import load_failed
from scoring.sandboxed.settle import seed_all, settle_torch
from scoring.sandboxed.torchvision_ops import register_operators

register_operators()  # TorchScript models may call them
TWO_COLUMNS: Final = 2
MAX_NAME_LENGTH: Final = 60
NOT_TENSORS: Final = (
    "it contains pickled Python objects, which are never loaded; save model.state_dict(), "
    "or save the model with torch.jit.trace or torch.jit.script"
)


class ByomEntry(TorchEntry):
    """A .pt model; TorchScript runs in groups of the batch that it was written for, unless any will do."""

    def prepare(self, pixels: Pixels) -> None:
        """Choose memory format and group size on a few samples, then start from seeded generators."""
        super().prepare(pixels)
        if self.fixed_batch is not None and self._takes_more(pixels[: self.fixed_batch + 1]):
            self.fixed_batch = None
        seed_all(self._request.seed)

    def _takes_more(self, pixels: Pixels) -> bool:
        """Say whether one sample more than the stated batch gives the same as groups do.

        A trace can hold its batch size in a reshape, and then raise or mix samples up.
        """
        if self.fixed_batch is None or len(pixels) <= self.fixed_batch:
            return False
        seed_all(self._request.seed)
        grouped = attempt(lambda: self.raw(pixels), self._request.task)
        seed_all(self._request.seed)
        together = attempt(lambda: self._together(pixels), self._request.task)
        # What the trial may have changed in the model must not reach the predictions.
        self._use_fresh(self._memory_format)
        if grouped is None or together is None or grouped.shape != together.shape:
            return False
        return bool(np.allclose(grouped, together, rtol=ROUNDING, atol=ROUNDING * _scale(grouped)))


def load(package: Path, request: Request) -> ByomEntry:
    """Load the package's .pt file, ready to predict."""
    settle_torch(request.threads)
    seed_all(request.seed)
    path = package / request.main
    is_script = is_torchscript(path)

    def build() -> nn.Module:
        seed_all(request.seed)
        module: nn.Module = (
            torch.jit.load(path, map_location="cpu") if is_script else _from_state(path, request.options)
        )
        settle_torch(request.threads)
        return module.eval()

    entry = ByomEntry(build, request, output_of=lambda answer: _finished(_tensor(answer), request))
    batch = request.options.get("batch")
    if is_script and isinstance(batch, int):
        entry.fixed_batch = batch
    return entry


def is_torchscript(path: Path) -> bool:
    """Say whether torch.jit.save wrote the file: it stores code and constants beside the tensors."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _from_state(path: Path, options: Mapping[str, object]) -> nn.Module:
    name, classes = options.get("architecture"), options.get("num_classes")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as exc:
        raise load_failed(NOT_TENSORS) from exc
    _require_state_dict(state)
    if not isinstance(name, str):
        raise load_failed(
            "the .pt is a state dict, so mochi.json must name the model in 'model_info.architecture', "
            "or the model be saved by torch.jit.trace or torch.jit.script"
        )
    # timm takes seconds to import, and TorchScript needs none of it; no code of the entry runs before.
    from scoring.sandboxed.loaders import architectures

    return architectures.build(name, classes if isinstance(classes, int) else None, state)


def _require_state_dict(state: Any) -> None:
    if not isinstance(state, Mapping):
        raise load_failed(f"the .pt is not a plain state dict, but of type {type(state).__name__}")
    names = [name for name in state if not isinstance(name, str)]
    if names:
        raise load_failed(
            f"the .pt is not a plain state dict: a name in it is of type {type(names[0]).__name__}, not text"
        )
    others = [name for name, value in state.items() if not isinstance(value, torch.Tensor)]
    inner = [name for name in others if isinstance(state[name], Mapping)]
    if inner:
        raise load_failed(
            "the .pt is not a plain state dict, but a dict around one; save only the inner one: "
            f"torch.save(checkpoint[{_shown(inner[0])}], …)"
        )
    if others:
        kind = type(state[others[0]]).__name__
        raise load_failed(f"the .pt is not a plain state dict: {_shown(others[0])} is of type {kind}")


def _shown(name: str) -> str:
    return ascii(name[:MAX_NAME_LENGTH])


def _tensor(answer: Any) -> Any:
    """Return the tensor in an answer; torchvision's segmentation models answer with a dict."""
    return answer["out"] if isinstance(answer, Mapping) and "out" in answer else answer


def _finished(chosen: Any, request: Request) -> Any:
    """Return what the track asks for: of two columns, how likely the second is."""
    if request.output.kind is not OutputKind.CONFIDENCE or request.options.get("columns") != TWO_COLUMNS:
        return chosen
    if not isinstance(chosen, torch.Tensor) or not chosen.is_floating_point():
        return chosen
    if chosen.dim() != TWO_COLUMNS or chosen.shape[1] != TWO_COLUMNS:
        raise refuse_kind(f"shape {tuple(chosen.shape)}, but the package states 2 numbers per picture")
    if request.options.get("postprocessing") == "sigmoid":
        return chosen.float().sigmoid()[:, 1:]
    return chosen.float().softmax(dim=1)[:, 1:]


def _scale(rows: NDArray[Any]) -> float:
    return float(np.abs(rows).max(initial=0.0))
