"""Builds a torchvision or timm architecture by its name and fills it with a state dict that fits exactly."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import timm
import torch
import torchvision
from torch import nn

from scoring.sandboxed.refusal import load_failed

MAX_NAMED_KEYS: Final = 2
MAX_NAMED_CHARACTERS: Final = 80
MAX_WHY_LENGTH: Final = 300
NAME: Final = re.compile(r"[A-Za-z0-9_.]{1,100}")
# How DataParallel and DistributedDataParallel name what is the model's own.
WRAPPED: Final = "module."
Build = Callable[[], nn.Module]


def build(name: str, classes: int | None, state: Mapping[str, torch.Tensor]) -> nn.Module:
    """Return the first architecture of this name that takes all of the state; refuse if none does."""
    misfits = []
    for library, construct in _candidates(name, classes, state):
        module = construct()
        misfit = _misfit(module.state_dict(), state)
        if not misfit:
            module.load_state_dict(dict(state), strict=True)
            return module
        misfits.append(f"{library}'s {name} {misfit}")
    if not misfits:
        shown = ascii(name[:MAX_NAMED_CHARACTERS])[1:-1]
        raise load_failed(
            f"neither torchvision nor timm has an architecture “{shown}”; their names hold only letters, "
            "digits, “_” and “.”, as in resnet18. Name one of theirs, or save the model with torch.jit.trace"
        )
    if state and all(key.startswith(WRAPPED) for key in state):
        raise load_failed(
            f"all keys of the state dict start with “{WRAPPED}”, as DataParallel writes them; "
            "save model.module.state_dict()"
        )
    raise load_failed(f"the state dict does not fit: {'; '.join(misfits)}"[:MAX_WHY_LENGTH])


def _candidates(
    name: str, classes: int | None, state: Mapping[str, torch.Tensor]
) -> Iterator[tuple[str, Build]]:
    # It comes from a document of the entry, and libraries take addresses of model hubs for names as well.
    if not NAME.fullmatch(name):
        return
    counted: dict[str, Any] = {} if classes is None else {"num_classes": classes}
    models = torchvision.models
    # Listed names only: others are addresses of model hubs. Without `weights`, nothing is downloaded.
    if name in models.list_models(module=models):
        yield "torchvision", lambda: models.get_model(name, weights=None, **counted)
    if name in models.list_models(module=models.segmentation):
        auxiliary = any(key.startswith("aux_classifier.") for key in state)
        options: dict[str, Any] = {"weights": None, "weights_backbone": None, "aux_loss": auxiliary}
        yield "torchvision", lambda: models.get_model(name, **options, **counted)
    if timm.is_model(name):
        yield "timm", lambda: timm.create_model(name, pretrained=False, **counted)


def _misfit(wanted: Mapping[str, torch.Tensor], state: Mapping[str, torch.Tensor]) -> str:
    """Say how the state differs from what the architecture needs, with counts and the first few names."""
    shared = [key for key in wanted if key in state]
    differing = [key for key in shared if wanted[key].shape != state[key].shape]
    # Floats of another size are brought to the model's; integers are values scaled by who knows what.
    rounded = [
        key for key in shared if wanted[key].is_floating_point() and not state[key].is_floating_point()
    ]
    found = {
        "lacks": [key for key in wanted if key not in state],
        "does not know": [key for key in state if key not in wanted],
        "has other shapes for": differing,
        "has non-floating-point values for": rounded,
    }
    return ", ".join(f"{verb} {_named(keys)}" for verb, keys in found.items() if keys)


def _named(keys: list[str]) -> str:
    named = ", ".join(str(key)[:40] for key in keys[:MAX_NAMED_KEYS])
    return f"{len(keys)} keys ({named}{', …' if len(keys) > MAX_NAMED_KEYS else ''})"
