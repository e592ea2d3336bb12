"""The side of AI Hub Models: runs its own transform on files and writes what it gives. Run by the peers' Python alone.

    python qaihub_side.py FOLDER

FOLDER holds job.json, a list of steps {"file": …, "to": …}; each writes what `IMAGENET_TRANSFORM` makes of a file
as torchvision's ImageNet data set opens it.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image


def without_operators() -> None:
    """Let torchvision be imported where its compiled operators do not load; its transforms need none."""
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        sys.modules["kept"] = library  # its end would withdraw the operators


def imagenet_transform():
    """Return AI Hub's own transform; its module is run alone, without the library around it."""
    package = importlib.util.find_spec("qai_hub_models").submodule_search_locations[0]
    path = Path(package, "utils", "image_processing.py")
    spec = importlib.util.spec_from_file_location("image_processing", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.IMAGENET_TRANSFORM


def main(folder: Path) -> None:
    without_operators()
    transform = imagenet_transform()
    for step in json.loads((folder / "job.json").read_text()):
        with Image.open(step["file"]) as picture:
            np.save(folder / step["to"], transform(picture.convert("RGB")).numpy())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
