"""Makes the members of a BYOM package from an outline: a sound package, and what a case changes in it."""

from __future__ import annotations

import copy
import io
import json
import warnings
from collections.abc import Mapping
from typing import Any

import yaml

SIDE = 32
CLASSES = 10
SHAPE = [1, 3, SIDE, SIDE]
MODEL = "export_artifacts/model.pt"
STAGE = {"type": "classification", "input_shape": SHAPE, "output_shape": [1, CLASSES], "num_classes": CLASSES}
DOCUMENTS: dict[str, Any] = {
    "config.yaml": {"dataset": {"image_width": SIDE, "image_height": SIDE, "num_classes": CLASSES}},
    "mochi.json": {"stages": [STAGE], "model_info": {"name": "golden", "framework": "pytorch"}},
    "export_artifacts/manifest.json": {
        "model_graph": {"stages": [{"type": "classification", "input_shape": SHAPE}]},
        "input_shape": SHAPE,
        "compilable_models": [
            {"filename": "model.pt", "data_input_config": {"input": SHAPE}, "framework": "PYTORCH"}
        ],
        "preprocessing": {
            "resize": [SIDE, SIDE],
            "normalize": {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]},
            "channel_order": "RGB",
        },
        "postprocessing": {"type": "softmax", "threshold": 0.5},
    },
}


def byom_files(outline: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the package's files; `set` changes fields, `text` whole files, `leave_out` drops files.

    A field is named by its path, as in "stages.0.type"; the value `null` stays in the document.
    """
    documents = copy.deepcopy(DOCUMENTS)
    for name, changes in outline.get("set", {}).items():
        for path, value in changes.items():
            _set(documents[name], path.split("."), value)
    files = {name: _dump(name, content) for name, content in documents.items()}
    files[MODEL] = model_bytes(outline.get("model"))
    files |= {name: text.encode() for name, text in outline.get("text", {}).items()}
    kept = {name: raw for name, raw in files.items() if name not in outline.get("leave_out", [])}
    return {outline.get("prefix", "") + name: raw for name, raw in kept.items()}


def model_bytes(kind: str | Mapping[str, Any] | None) -> bytes:
    """Return a .pt file; None is one that begins like a .pt, for cases that never load it.

    A mapping is a script that answers the same for every picture: `shape`, `value`, perhaps `type`, or `rows`.
    """
    if kind is None:
        return b"PK\x03\x04, and no more"
    import torch

    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        if not isinstance(kind, str):
            torch.jit.save(_constant(kind), buffer)
        elif kind in {"traced", "scripted"}:
            torch.jit.save(_script(kind), buffer)
        else:
            torch.save(_state(kind), buffer)
    return buffer.getvalue()


def _script(kind: str) -> Any:
    import torch

    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(4, CLASSES),
    )
    if kind == "scripted":
        return torch.jit.script(model.eval())
    return torch.jit.trace(model.eval(), torch.rand(SHAPE))


def _constant(outline: Mapping[str, Any]) -> Any:
    import torch

    kind = getattr(torch, outline.get("type", "float32"))
    answer = (
        torch.tensor(outline["rows"], dtype=kind)
        if "rows" in outline
        else torch.full(outline["shape"], outline["value"], dtype=kind)
    )

    class Constant(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.answer = torch.nn.Parameter(answer, requires_grad=answer.is_floating_point())

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.stack([self.answer] * x.shape[0])

    return torch.jit.script(Constant().eval())


def _state(kind: str) -> Any:
    import torch

    from scoring.sandboxed.torchvision_ops import declare_missing_operators

    declare_missing_operators()
    import timm

    torch.manual_seed(0)
    model = timm.create_model("resnet10t", num_classes=CLASSES)
    return model if kind == "pickled" else model.state_dict()


def _set(document: Any, path: list[str], value: object) -> None:
    *parents, last = path
    for name in parents:
        document = document[int(name) if isinstance(document, list) else name]
    document[int(last) if isinstance(document, list) else last] = value


def _dump(name: str, content: object) -> bytes:
    return (yaml.safe_dump(content) if name.endswith(".yaml") else json.dumps(content)).encode()
