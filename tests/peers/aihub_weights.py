"""Checkpoints under the names that AI Hub's classifiers download, with random weights in the place of the real ones.

What decides whether a folder is taken is how its model is built and loaded, not what it has learnt.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import torch
from safetensors.torch import save_model

# A network of each class that is loaded from Hugging Face, as its repository configures it.
TRANSFORMERS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "microsoft/beit-base-patch16-224": ("Beit", {"use_relative_position_bias": True}),
    "facebook/convnextv2-base-22k-224": (
        "ConvNextV2",
        {"hidden_sizes": [128, 256, 512, 1024], "depths": [3, 3, 27, 3]},
    ),
    "facebook/levit-128S": ("Levit", {}),
    "apple/mobilevit-small": ("MobileViT", {}),
}
CLASSES = 1000


def write(asked: str, folder: Path, to: Path) -> bool:
    """Write what the model in a folder asks for, as far as we can; say whether we could."""
    maker = _maker(asked, folder)
    if maker is None:
        return False
    to.parent.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    maker(to)
    return True


def _maker(asked: str, folder: Path) -> Callable[[Path], object] | None:
    name = asked.rpartition("/")[2]
    repository = "/".join(asked.split("/")[:2])
    if asked.startswith("download.pytorch.org/"):
        return lambda to: torch.save(_torchvision(name).state_dict(), to)
    if asked.startswith("timm/"):
        return lambda to: _save(_timm(repository), to)
    if repository in TRANSFORMERS:
        return lambda to: _transformer(repository, to)
    own = OWN.get(folder.name, {}).get(name)
    return None if own is None else lambda to: own(folder, to)


def _torchvision(file: str) -> torch.nn.Module:
    from torchvision import models

    for name in models.list_models(models):
        weights = models.get_model_weights(name)
        if any(urlsplit(each.url).path.endswith(f"/{file}") for each in weights):
            # Some networks come with a second head, which their weights have as well.
            extra = (
                {"aux_logits": True, "init_weights": True} if name in {"googlenet", "inception_v3"} else {}
            )
            return models.get_model(name, weights=None, **extra)
    raise LookupError(f"torchvision has no {file}")


def _save(net: torch.nn.Module, to: Path) -> None:
    if to.suffix == ".safetensors":
        save_model(net, str(to))
    else:
        torch.save(net.state_dict(), to)


def _timm(repository: str) -> torch.nn.Module:
    import timm

    return timm.create_model(repository.partition("/")[2], pretrained=False)


def _transformer(repository: str, to: Path) -> None:
    import transformers

    name, options = TRANSFORMERS[repository]
    config = getattr(transformers, f"{name}Config")(num_labels=CLASSES, **options)
    if to.name == "config.json":
        config.architectures = [f"{name}ForImageClassification"]
        to.write_text(config.to_json_string(use_diff=False))
        return
    getattr(transformers, f"{name}ForImageClassification")(config).save_pretrained(to.parent)


@contextmanager
def _root(folder: Path) -> Iterator[None]:
    """Let modules be imported from a clone's root; those of others that are called alike are set aside."""
    names = {path.stem for path in folder.iterdir()}
    aside = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in names}
    for name in aside:
        del sys.modules[name]
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        sys.modules.update(aside)


def _from_clone(clone: str, module: str, build: Callable[[Any], torch.nn.Module], key: str = "") -> Any:
    """Return what writes the state dict of a network that a folder's clone defines."""

    def make(folder: Path, to: Path) -> None:
        with _root(folder / clone):
            state = build(importlib.import_module(module)).state_dict()
        torch.save({key: state} if key else state, to)

    return make


def _mobilenet_v2_config(folder: Path, to: Path) -> None:
    to.write_text(json.dumps({"model_args": {"num_classes": CLASSES, "input_size": 224, "width_mult": 1}}))


def _mobilenet_v4(folder: Path, to: Path) -> None:
    with _root(folder / "external_repos" / "MobileNetV4_pytorch"):
        net = importlib.import_module("mobilenet.mobilenetv4").MobileNetV4("MobileNetV4ConvMedium")
    head = torch.nn.Linear(1280, CLASSES)
    state = {f"backbone.{name}": value for name, value in net.state_dict().items()}
    torch.save(state | {"linear.weight": head.weight.data, "linear.bias": head.bias.data}, to)


def _internimage(folder: Path, to: Path) -> None:
    # Loaded with strict=False: what is missing stays as it was drawn.
    torch.save({"model": {}}, to)


def _gpunet(folder: Path) -> None:
    # Its own code downloads into the clone, where what is there is not downloaded again.
    clone, place = folder / "external_repos" / "deeplearningexamples", "PyTorch.Classification.GPUNet"
    config = clone.joinpath(*place.split("."), "configs", "batch1", "GV100", "0.65ms.json")
    with _root(clone):
        builder = importlib.import_module(f"{place}.models.gpunet_builder").GPUNet_Builder()
    torch.save(
        {"state_dict": builder.get_model(json.loads(config.read_text())).state_dict()},
        config.with_suffix(".pth.tar"),
    )


_EFFICIENTVIT = "qai_hub_models/models/templates/efficientvit/external_repos/efficientvit"
OWN: Mapping[str, Mapping[str, Callable[[Path, Path], None]]] = {
    "efficientformer": {
        "efficientformer_l1_300d.pth": _from_clone(
            "external_repos/efficientformer",
            "models.efficientformer",
            lambda module: module.efficientformer_l1(),
            "model",
        )
    },
    "efficientnet_lite4": {
        "efficientnet_lite4.pth": _from_clone(
            "external_repos/efficientnet_lite4",
            "efficientnet_lite",
            lambda module: module.build_efficientnet_lite("efficientnet_lite4", CLASSES),
        )
    },
    "efficientvit_b2_cls": {
        "b2-r288.pt": _from_clone(
            _EFFICIENTVIT, "efficientvit.models.efficientvit", lambda module: module.efficientvit_cls_b2()
        )
    },
    "efficientvit_l2_cls": {
        "l2-r384.pt": _from_clone(
            _EFFICIENTVIT, "efficientvit.models.efficientvit", lambda module: module.efficientvit_cls_l2()
        )
    },
    "internimage": {"internimage_t_1k_224.pth": _internimage},
    "mobilenet_v2": {
        "mobilenetv2_w8a8.json": _mobilenet_v2_config,
        "mobilenet_v2.pth.tar": _from_clone(
            "external_repos/pytorch_mobilenet_v2",
            "MobileNetV2",
            lambda module: module.MobileNetV2(n_class=CLASSES),
        ),
    },
    "mobilenet_v4": {"MobileNetV4ConvMedium.pth": _mobilenet_v4},
    "repvit": {
        "repvit_m2_3_distill_300e.pth": _from_clone(
            "external_repos/repvit",
            "model.repvit",
            lambda module: module.repvit_m2_3(pretrained=False, num_classes=CLASSES, distillation=False),
            "model",
        )
    },
}
"""Files of models that are built from a repository's code, by folder and by the file's name."""
IN_CLONES: Final[Mapping[str, Callable[[Path], None]]] = {"gpunet": _gpunet}
"""What writes files into a folder's clones, which their own code downloads without a library."""
