"""Counts one honest model by every counter, captures it, and returns all of that as a line of JSON.

It runs at its published input with random weights. The exact count is that of torch's own FlopCounterMode,
halved; parameters are the sum over parameters and floating buffers.
"""

from __future__ import annotations

import time
import warnings
from typing import Any, Final

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from scoring.contracts import RunLimits
from scoring.flow.capturing import SHARE_OF_TIME
from scoring.sandboxed.counters import by_module, by_trace, dispatch
from scoring.sandboxed.counters.left_alive import NOTHING
from scoring.sandboxed.counters.parameters import count_parameters
from scoring.sandboxed.graph.capture import EXAMPLES, NotCaptured, capture
from scoring.sandboxed.graph.module import GraphModule
from scoring.sandboxed.graph.work import count_work
from scoring.sandboxed.torchvision_ops import declare_missing_operators
from scoring.tracks import load_track

CAPTURE_S: Final = SHARE_OF_TIME * RunLimits().measure_timeout_s
"""What a track grants that says nothing of it."""
TRACK: Final = "cvpr2022-track1"
"""Whose limits honest models are held to."""
SMALLEST: Final = "timm:test_vit"
TOO_LARGE: Final = "too_large"
"""Of a model of timm's that has more parameters than the track allows: how many."""


def prepare() -> None:
    """Load what all models need, before processes are forked for each: much is imported by the first capture."""
    declare_missing_operators()
    torch.set_num_threads(1)
    by_module.prepare()
    measured(SMALLEST)


def parameters_of(name: str) -> int:
    """Return how many there are, without making them."""
    try:
        with torch.device("meta"):
            return sum(parameter.numel() for parameter in build(name).parameters())
    except (RuntimeError, NotImplementedError, AssertionError):
        # Some models compute with their first weights.
        return sum(parameter.numel() for parameter in build(name).parameters())


def measured(name: str) -> dict[str, Any]:
    """Return everything about one model, or why there is nothing: `TOO_LARGE`, or "error"."""
    started = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            line = _measured(name)
    except Exception as exc:  # whatever a model or a library raises is its line in the table
        line = {"error": f"{type(exc).__name__}: {exc}"[:200]}
    return {"model": name, **line, "processor_s": round(time.process_time() - started, 2)}


def _measured(name: str) -> dict[str, Any]:
    if name.startswith("timm:"):
        parameters = parameters_of(name)
        if parameters > load_track(TRACK).spec.budgets.max_parameters:
            return {TOO_LARGE: parameters}
    # torch's own counter stumbles over parameters that go from module to module and want gradients.
    model = build(name).eval().requires_grad_(requires_grad=False)
    sample = torch.rand(1, *input_size(name, model))
    counter = dispatch.count(lambda: model(sample.clone()))
    exact, answer = _exact(model, sample)
    return {
        "parameters": count_parameters(model, NOTHING).total,
        "true_parameters": sum(each.numel() for each in (*model.parameters(), *_floating(model))),
        "dispatch": counter.macs,
        "share_of_values": round(counter.values / max(counter.products, 1), 4),
        "uncounted": sorted(counter.uncounted),
        "exact": exact,
        **_second_opinions(model, sample),
        **_published(name, sample),
        **captured(model, sample, answer),
    }


def _floating(model: nn.Module) -> list[torch.Tensor]:
    return [each for each in model.buffers() if each.is_floating_point()]


def _exact(model: nn.Module, sample: torch.Tensor) -> tuple[int, torch.Tensor]:
    """Count by torch's own counter, which knows no recurrent layer unless that is run as matrix products."""
    recurrent = any(isinstance(each, nn.RNNBase) for each in model.modules())
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), torch.backends.mkldnn.flags(enabled=not recurrent), dispatch.spelled_out(), counter:
        answer = model(sample.clone())
    return counter.get_total_flops() // 2, answer


def _second_opinions(model: nn.Module, sample: torch.Tensor) -> dict[str, int | None]:
    try:
        traced: int | None = by_trace.count(model, sample)
    except Exception:  # fvcore gives up on what cannot be traced, each time in its own way
        traced = None
    with torch.no_grad():
        hooked = by_module.count(model, sample)
    return {"ptflops": hooked, "fvcore": traced}


def _published(name: str, sample: torch.Tensor) -> dict[str, float]:
    """Return the GMACs that torchvision publishes with weights for this size of input."""
    import torchvision

    library, _, plain = name.partition(":")
    if library != "torchvision":
        return {}
    weights = torchvision.models.get_model_weights(plain)
    fitting = (each for each in weights if each.transforms().crop_size[0] == sample.shape[-1])
    return {"published_gmacs": next(each.meta["_ops"] for each in fitting)}


def build(name: str) -> nn.Module:
    """Build a model with random weights."""
    import timm
    import torchvision

    library, _, plain = name.partition(":")
    if library == "torchvision":
        of_torchvision: nn.Module = torchvision.models.get_model(plain, weights=None)
        return of_torchvision
    model: nn.Module = timm.create_model(plain, pretrained=False)
    return model


def input_size(name: str, model: Any) -> tuple[int, ...]:
    """Return channels, height and width of the published weights, else of the configuration."""
    import torchvision

    library, _, plain = name.partition(":")
    if library == "timm":
        return tuple(model.default_cfg["input_size"])
    side = getattr(model, "image_size", None)
    crop = torchvision.models.get_model_weights(plain).DEFAULT.transforms().crop_size[0]
    return (3, side or crop, side or crop)


def captured(model: nn.Module, sample: torch.Tensor, expected: torch.Tensor) -> dict[str, Any]:
    """Capture the model, count its graph and compare its answer; "not_captured" says why there is no graph."""
    example = torch.cat([sample] * EXAMPLES)
    try:
        graph = capture(model, example, sample, seconds=CAPTURE_S)
    except NotCaptured as exc:
        return {"not_captured": str(exc)[:200]}
    with torch.no_grad(), dispatch.spelled_out():
        found = GraphModule(graph)(sample.clone())
    return {
        "graph": count_work(graph, sample, (1,)).macs,
        "any_batch": graph.batch is None,
        "farthest": float((found - expected).abs().max()),
    }
