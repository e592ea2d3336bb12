"""Lets entries import torchvision and timm where torchvision's compiled operators do not load.

A torchvision wheel built for CUDA on a CPU build of torch fails with "operator torchvision::nms
does not exist", because its Python half registers shapes for operators that its compiled half,
not loadable without the CUDA runtime, would have declared. Declaring the two schemas mends it;
calling them still fails, as it must.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch

from scoring.sandboxed.lean_import import hollow

_NMS = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_declared: list[torch.library.Library] = []


def declare_missing_operators() -> None:
    """Declare torchvision's nms and qnms unless its compiled operators load."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None or _declared:
        return
    if _compiled_operators_load(Path(spec.origin).parent):
        return
    # The library object must live as long as the process: its end withdraws the operators.
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms" + _NMS)
    library.define("qnms" + _NMS)
    _declared.append(library)


def register_operators() -> None:
    """Let torchvision's operators be called by name, on tensors without values too.

    Of torchvision this loads what registers them alone: models, datasets and transforms take longer
    to import than torch.
    """
    declare_missing_operators()
    with hollow("torchvision"):
        import torchvision._autograd_registrations
        import torchvision._meta_registrations
        import torchvision.extension  # noqa: F401


def _compiled_operators_load(package: Path) -> bool:
    compiled = next(package.glob("_C.*"), None)
    if compiled is None:
        return False
    try:
        torch.ops.load_library(compiled)
    except OSError:
        return False
    return True
