"""The package formats, and what is declared of each.

Modules stand here by name, so that each half imports its own alone: the site none, the trusted side
`rules` and `counter`, the child in the sandbox `loader` and `measure`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Format(StrEnum):
    """Package formats; each has a row in `FORMAT_FACTS` and a folder in `scoring.packages`."""

    CVPR_ZIP = "cvpr-zip"
    ONNX = "onnx"
    QAIHUB = "qaihub"
    BYOM = "byom"
    GASBENCH = "gasbench"


@dataclass(frozen=True, kw_only=True)
class FormatFacts:
    """What a package format declares.

    For pages: `title` heads it, `summary` follows its name in a list to choose from, `layout` explains
    what an entry holds. `suffixes` are the file name endings that the upload form offers; `packed_as` is
    the ending of what `podium pack` makes of an entry's folder. `has_code` says that an entry may load or
    compute more than its files show. `narrows` are formats whose every mark this one's entries may bear too,
    beside marks of their own: an entry that matches both is of this one.

    For each half, a module: `rules` has `match`, `check` and `settle` (see `PackageFormat`); `counter`,
    for formats that can be counted without running anything, has `count`; `loader` has `load` and
    `measure` has `run`. Formats may share the last two.
    """

    title: str
    summary: str
    layout: str
    suffixes: tuple[str, ...]
    packed_as: str = ".zip"
    has_code: bool = True
    narrows: tuple[Format, ...] = ()
    rules: str
    counter: str | None = None
    loader: str
    measure: str


FORMAT_FACTS: Final[Mapping[Format, FormatFacts]] = {
    Format.CVPR_ZIP: FormatFacts(
        title="Zip with model.py",
        summary="a zip with model.py that defines class Model",
        layout="A zip archive with model.py at its root that defines class Model, a torch.nn.Module that takes no "
        "arguments. Put weights and other modules next to it.",
        suffixes=(".zip",),
        rules="scoring.packages.cvpr_zip",
        loader="scoring.sandboxed.loaders.cvpr_zip",
        measure="scoring.sandboxed.measures.torch_entry",
    ),
    Format.ONNX: FormatFacts(
        title="ONNX model",
        summary="one .onnx file, or a zip that holds exactly one",
        layout="One .onnx file, or a zip with exactly one. One input, one output; the batch may be dynamic "
        "or fixed.",
        suffixes=(".onnx", ".zip"),
        has_code=False,
        rules="scoring.packages.onnx",
        counter="scoring.budget.onnx.process",
        loader="scoring.sandboxed.loaders.onnx_graph",
        measure="scoring.sandboxed.measures.onnx_graph",
    ),
    Format.QAIHUB: FormatFacts(
        title="AI Hub model folder",
        summary="a model folder of Qualcomm AI Hub Models",
        layout="A zip of one model folder of Qualcomm AI Hub Models: model.py with one BaseModel subclass, its "
        "weights, info.yaml and requirements.txt. It runs on the CPU, without the qai_hub_models package.",
        suffixes=(".zip",),
        narrows=(Format.CVPR_ZIP,),
        rules="scoring.packages.qaihub",
        loader="scoring.sandboxed.loaders.qaihub",
        measure="scoring.sandboxed.measures.torch_entry",
    ),
    Format.BYOM: FormatFacts(
        title="BYOM package",
        summary="a .tar.gz with config.yaml, mochi.json, a manifest and one .pt file",
        layout="A .tar.gz with config.yaml, mochi.json, export_artifacts/manifest.json and exactly one .pt file: "
        "TorchScript, or the state dict of a torchvision or timm model.",
        suffixes=(".tar.gz", ".gz", ".tar", ".bz2", ".xz", ".zip"),
        packed_as=".tar.gz",
        narrows=(Format.CVPR_ZIP,),
        rules="scoring.packages.byom",
        loader="scoring.sandboxed.loaders.byom",
        measure="scoring.sandboxed.measures.byom",
    ),
    Format.GASBENCH: FormatFacts(
        title="Safetensors package (gasbench)",
        summary="a zip with model_config.yaml, model.py and safetensors weights",
        layout="A zip with model_config.yaml, model.py that defines load_model(weights_path, num_classes), and the "
        "weights as a .safetensors file.",
        suffixes=(".zip",),
        narrows=(Format.CVPR_ZIP,),
        rules="scoring.packages.gasbench",
        loader="scoring.sandboxed.loaders.gasbench",
        measure="scoring.sandboxed.measures.torch_entry",
    ),
}
