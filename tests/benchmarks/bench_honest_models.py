"""Count honest models by every counter and capture them: all of torchvision, and timm up to 30 M parameters.

Each runs at its published input with random weights. The exact count is that of torch's own FlopCounterMode,
halved; parameters are the sum over parameters and floating buffers. With an argument like 2/5, does the
second of five parts; lines of several runs can be given to `--table` together.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import statistics
import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from scoring.contracts import FREE_SHARE
from scoring.sandboxed.counters import by_module, by_trace, dispatch
from scoring.sandboxed.counters.left_alive import LeftAlive
from scoring.sandboxed.counters.parameters import count_parameters
from scoring.sandboxed.graph.capture import EXAMPLES, NotCaptured, capture
from scoring.sandboxed.graph.module import GraphModule
from scoring.sandboxed.graph.work import count_work
from scoring.sandboxed.torchvision_ops import declare_missing_operators

MAX_PARAMETERS: Final = 30_000_000
A_MODULE: Final = 3
"""How many models of each of timm's modules: the first by name that are small enough."""
TRIED: Final = 12
MAX_OFF: Final = 0.005
MIN_CAPTURED: Final = 0.97
FAR: Final = 0.02
CAPTURE_S: Final = 300


def main() -> int:
    """Print one line for each model, then what they come to; return 1 if a bound is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("part", nargs="?", default="1/1")
    parser.add_argument("--lines", type=Path, help="append the lines to this file as well")
    parser.add_argument("--table", type=Path, nargs="+", help="print what lines of earlier runs come to")
    arguments = parser.parse_args()
    if arguments.table:
        return summary([json.loads(line) for path in arguments.table for line in path.open()])
    declare_missing_operators()
    torch.set_num_threads(1)
    by_module.prepare()
    part, parts = map(int, arguments.part.split("/"))
    found = []
    for line in measured_all(part, parts):
        found.append(line)
        print(json.dumps(line), flush=True)
        if arguments.lines:
            with arguments.lines.open("a") as lines:
                lines.write(json.dumps(line) + "\n")
    return summary(found)


def measured_all(part: int, parts: int) -> Iterator[dict[str, Any]]:
    """Yield a line for every model of this part, torchvision's last and the largest of those at the end."""
    import timm
    import torchvision

    for module in timm.list_modules()[part - 1 :: parts]:
        small = 0
        for plain in timm.list_models(module=module)[:TRIED]:
            if small < A_MODULE and parameters_of(f"timm:{plain}") <= MAX_PARAMETERS:
                small += 1
                yield measured(f"timm:{plain}")
    for plain in sorted(torchvision.models.list_models(module=torchvision.models), key=_gmacs)[
        part - 1 :: parts
    ]:
        yield measured(f"torchvision:{plain}")


def _gmacs(plain: str) -> float:
    import torchvision

    return float(torchvision.models.get_model_weights(plain).DEFAULT.meta["_ops"])


def parameters_of(name: str) -> int:
    """Return how many there are, without making them."""
    try:
        with torch.device("meta"):
            return sum(parameter.numel() for parameter in build(name).parameters())
    except (RuntimeError, NotImplementedError, AssertionError):
        # Some models compute with their first weights.
        return sum(parameter.numel() for parameter in build(name).parameters())


def measured(name: str) -> dict[str, Any]:
    """Return everything about one model; "error" says why there is nothing."""
    started = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            line = _measured(name)
    except Exception as exc:  # whatever a model or a library raises is its line in the table
        line = {"error": f"{type(exc).__name__}: {exc}"[:200]}
    gc.collect()
    return {"model": name, **line, "s": round(time.perf_counter() - started, 2)}


def _measured(name: str) -> dict[str, Any]:
    # torch's own counter stumbles over parameters that go from module to module and want gradients.
    model = build(name).eval().requires_grad_(requires_grad=False)
    sample = torch.rand(1, *input_size(name, model))
    counter = dispatch.count(lambda: model(sample.clone()))
    return {
        "parameters": count_parameters(model, LeftAlive([], 0)).total,
        "true_parameters": sum(each.numel() for each in (*model.parameters(), *_floating(model))),
        "dispatch": counter.macs,
        "share_of_values": round(counter.values / max(counter.products, 1), 4),
        "uncounted": sorted(counter.uncounted),
        **_second_opinions(model, sample),
        **_published(name, sample),
        **captured(model, sample),
    }


def _floating(model: nn.Module) -> list[torch.Tensor]:
    return [each for each in model.buffers() if each.is_floating_point()]


def _second_opinions(model: nn.Module, sample: torch.Tensor) -> dict[str, int | None]:
    """Count once by torch's own counter, and by the two others."""
    exact = FlopCounterMode(display=False)
    with torch.no_grad(), dispatch.spelled_out(), exact:
        model(sample.clone())
    try:
        traced: int | None = by_trace.count(model, sample)
    except Exception:  # fvcore gives up on what cannot be traced, each time in its own way
        traced = None
    with torch.no_grad():
        hooked = by_module.count(model, sample)
    return {"exact": exact.get_total_flops() // 2, "ptflops": hooked, "fvcore": traced}


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


def captured(model: nn.Module, sample: torch.Tensor) -> dict[str, Any]:
    """Capture the model, count its graph and compare its answer; "not_captured" says why there is no graph."""
    example = torch.cat([sample] * EXAMPLES)
    try:
        graph = capture(model, example, sample, seconds=CAPTURE_S)
    except NotCaptured as exc:
        return {"not_captured": str(exc)[:200]}
    with torch.no_grad(), dispatch.spelled_out():
        expected, found = model(sample.clone()), GraphModule(graph)(sample.clone())
    return {
        "graph": count_work(graph, sample, (1,)).macs,
        "any_batch": graph.batch is None,
        "farthest": float((found - expected).abs().max()),
    }


def summary(lines: list[dict[str, Any]]) -> int:
    """Print what the lines come to; return 1 if a bound is missed."""
    counted = [line for line in lines if "dispatch" in line]
    for line in lines:
        if "error" in line:
            print(f"{line['model']}: {line['error']}")
    off = [abs(line["dispatch"] / line["exact"] - 1) for line in counted]
    wrong = [line["model"] for line in counted if line["parameters"] != line["true_parameters"]]
    print(f"{len(counted)} models; {sum('error' in line for line in lines)} could not be run")
    print(f"parameters exact: {len(counted) - len(wrong)} of {len(counted)} {wrong}")
    print(f"exact / dispatch, farthest: {max(off):.2%} (at most {MAX_OFF:.1%})")
    published = [line for line in counted if line.get("published_gmacs")]
    far = [line["model"] for line in published if not _as_published(line)]
    print(f"as published by torchvision: {len(published) - len(far)} of {len(published)} {far}")
    shares = sorted(counted, key=lambda line: -line["share_of_values"])
    print(
        f"work on values / products: median {statistics.median(line['share_of_values'] for line in counted):.3f},"
        f" most {shares[0]['share_of_values']:.3f} ({shares[0]['model']}), free up to {FREE_SHARE}"
    )
    for other in ("ptflops", "fvcore"):
        _say_opinion(counted, other)
    _say_captured(counted)
    return int(max(off) > MAX_OFF or bool(wrong) or _share_captured(counted) < MIN_CAPTURED)


def _as_published(line: dict[str, Any]) -> bool:
    """Compare with a number that is rounded to thousandths of a GMAC."""
    found, published = line["dispatch"] / 1e9, line["published_gmacs"]
    return bool(abs(found - published) <= max(MAX_OFF * published, 0.0005))


def _say_opinion(counted: list[dict[str, Any]], other: str) -> None:
    known = [line for line in counted if line.get(other) is not None]
    ratios = {line["model"]: line[other] / line["exact"] - 1 for line in known}
    above = {name: ratio for name, ratio in ratios.items() if ratio > FAR}
    below = {name: ratio for name, ratio in ratios.items() if ratio < -FAR}
    print(
        f"{other}: counted {len(known)}, {len(above)} above by more than {FAR:.0%}, {len(below)} below;"
        f" farthest {', '.join(f'{name} {ratio:+.1%}' for name, ratio in _farthest(ratios))}"
    )


def _farthest(ratios: dict[str, float]) -> Iterable[tuple[str, float]]:
    ordered = sorted(ratios.items(), key=lambda item: item[1])
    return [*ordered[:3], *reversed(ordered[-3:])]


def _share_captured(counted: list[dict[str, Any]]) -> float:
    tried = [line for line in counted if "graph" in line or "not_captured" in line]
    return sum("graph" in line for line in tried) / len(tried) if tried else 1.0


def _say_captured(counted: list[dict[str, Any]]) -> None:
    tried = [line for line in counted if "graph" in line or "not_captured" in line]
    graphs = [line for line in tried if "graph" in line]
    print(
        f"captured: {len(graphs)} of {len(tried)}, {_share_captured(counted):.1%} (at least {MIN_CAPTURED:.0%})"
    )
    for line in tried:
        if "not_captured" in line:
            print(f"  {line['model']}: {line['not_captured']}")
    fixed = [line["model"] for line in graphs if not line["any_batch"]]
    print(f"of a fixed batch: {len(fixed)} {fixed}")
    print(f"answers equal to the bit: {sum(line['farthest'] == 0 for line in graphs)} of {len(graphs)}")
    other = [line["model"] for line in graphs if line["graph"] != line["dispatch"]]
    print(f"count of the graph = count of the run: {len(graphs) - len(other)} of {len(graphs)} {other}")


if __name__ == "__main__":
    logging.disable(logging.ERROR)
    sys.exit(main())
