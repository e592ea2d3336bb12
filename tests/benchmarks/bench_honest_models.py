"""Counts and captures honest models: all of torchvision's that classify, and 160 of timm's up to 30 M parameters.

A run that was broken off goes on where it was: the lines of models that are done are in var/bench, under a name
that stands for the code that counts.
"""

from __future__ import annotations

import hashlib
import json
import os
import statistics
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, Final

from scoring.contracts import FREE_SHARE
from scoring.tracks import load_track
from tests.benchmarks import honest
from tests.benchmarks.figures import Figure
from tests.benchmarks.forks import Ended, in_forks
from tests.benchmarks.machine import ROOT
from tests.benchmarks.timing import say

OF_TIMM: Final = 160
"""How many of timm's, taken from its modules in turn."""
LEAST: Final = {"torchvision": 80, "timm": 150}
MAX_OFF: Final = 0.5
"""Percent by which the count that binds may differ from the exact one."""
MIN_CAPTURED: Final = 97.0
FAR: Final = 0.02
Line = dict[str, Any]


def bench() -> Iterator[Figure]:
    """Yield what the lines of all models come to."""
    honest.prepare()
    path = ROOT / "var" / "bench" / f"honest-{_digest()}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = read(path)
    if lines:
        say(f"{len(lines)} models were done before")
    with path.open("a", encoding="utf-8") as kept:
        for name, found in in_forks(honest.measured, _names(lines), jobs=len(os.sched_getaffinity(0))):
            lines.append({"model": name, "error": str(found)} if isinstance(found, Ended) else found)
            print(json.dumps(lines[-1]), file=kept, flush=True)
            say(f"{len(lines)}: {name}{_aside(lines[-1])}")
    yield from figures(lines)
    path.replace(path.with_suffix(".done.jsonl"))


def _aside(line: Line) -> str:
    asides = (str(line[key]) for key in ("error", "not_captured") if key in line)
    return "".join(f": {aside}" for aside in asides) + (": too large" if honest.TOO_LARGE in line else "")


def _digest() -> str:
    """Return a name for the code and the packages that counts depend on."""
    sources = [
        *sorted((ROOT / "scoring" / "sandboxed").rglob("*.py")),
        ROOT / "env.txt",
        Path(honest.__file__),
    ]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()[:12]


def read(path: Path) -> list[Line]:
    """Return the lines of models that are done; a last one that was cut short is none."""
    if not path.exists():
        return []
    whole, _, _ = path.read_text("utf-8").rpartition("\n")
    return [json.loads(line) for line in whole.splitlines()]


def in_turn(
    lines: Sequence[Line], modules: Sequence[Sequence[str]], of_torchvision: Sequence[str]
) -> Iterator[str]:
    """Yield every model that has no line yet; `lines` grows meanwhile.

    First one of each of timm's modules, then a second of each, and so on, until there are enough.
    """
    known = {line["model"] for line in lines}
    for plain in filter(None, chain.from_iterable(zip_longest(*modules))):
        small = sum(line["model"].startswith("timm:") and honest.TOO_LARGE not in line for line in lines)
        if small >= OF_TIMM:
            break
        if f"timm:{plain}" not in known:
            yield f"timm:{plain}"
    yield from (name for name in map("torchvision:{}".format, of_torchvision) if name not in known)


def _names(lines: Sequence[Line]) -> Iterator[str]:
    """Yield all models to measure, the largest at the end."""
    import timm
    import torchvision

    modules = [timm.list_models(module=module) for module in timm.list_modules()]
    return in_turn(lines, modules, sorted(torchvision.models.list_models(torchvision.models), key=_gmacs))


def _gmacs(plain: str) -> float:
    import torchvision

    return float(torchvision.models.get_model_weights(plain).DEFAULT.meta["_ops"])


def figures(lines: Sequence[Line]) -> Iterator[Figure]:
    """Yield what the lines come to."""
    counted = [line for line in lines if "dispatch" in line]
    for library, least in LEAST.items():
        of_it = [line for line in counted if line["model"].startswith(f"{library}:")]
        yield Figure(name=f"models of {library} that were run", value=len(of_it), unit="", at_least=least)
    yield _named("models that could not be run", lines, lambda line: str(line.get("error", "")), at_most=0)
    yield _named(
        "models with another number of parameters",
        counted,
        lambda line: _other(line, "parameters"),
        at_most=0,
    )
    off = {line["model"]: 100 * abs(_binding(line) / line["exact"] - 1) for line in counted}
    worst = max(off, key=lambda name: off[name])
    yield Figure(
        name="MACs that bind, off the exact count: farthest",
        value=off[worst],
        unit="%",
        at_most=MAX_OFF,
        note=f"{worst}; equal for {sum(each == 0 for each in off.values())} of {len(off)}",
    )
    yield _named("models refused that are below their limits", counted, _refused, at_most=0)
    yield _named("models counted otherwise than torchvision publishes", counted, _unlike_published, at_most=0)
    yield from _of_values(counted)
    yield from _of_graphs(counted)
    for other in ("ptflops", "fvcore"):
        yield _opinion(counted, other)


def _named(
    name: str, lines: Sequence[Line], why: Callable[[Line], str], at_most: float | None = None
) -> Figure:
    """Return how many lines something is to be said of, and what."""
    said = {line["model"]: why(line) for line in lines if why(line)}
    note = "; ".join(f"{model}: {text}" for model, text in said.items())
    return Figure(name=name, value=len(said), unit="", at_most=at_most, note=note)


def _other(line: Line, key: str) -> str:
    found, true = line[key], line[f"true_{key}"]
    return "" if found == true else f"{found:,} and not {true:,}"


def _binding(line: Line) -> int:
    return int(line.get("graph", line["dispatch"]))


def _refused(line: Line) -> str:
    """Say by what a model is refused that keeps the limits of the track."""
    budgets = load_track(honest.TRACK).spec.budgets
    if line["exact"] >= budgets.max_macs or line["true_parameters"] > budgets.max_parameters:
        return ""
    if _binding(line) >= budgets.max_macs:
        return f"{_binding(line):,} MACs and not {line['exact']:,}"
    return _other(line, "parameters") if line["parameters"] > budgets.max_parameters else ""


def _unlike_published(line: Line) -> str:
    """Compare with a number that is rounded to thousandths of a GMAC."""
    if not line.get("published_gmacs"):
        return ""
    found, published = line["dispatch"] / 1e9, line["published_gmacs"]
    near = abs(found - published) <= max(MAX_OFF / 100 * published, 0.0005)
    return "" if near else f"{found:.3f} and not {published:.3f} GMACs"


def _of_values(counted: Sequence[Line]) -> Iterator[Figure]:
    shares = {line["model"]: line["share_of_values"] for line in counted}
    most = max(shares, key=lambda name: shares[name])
    yield Figure(
        name="work on each value, as a share of the products: most",
        value=shares[most],
        unit="",
        at_most=FREE_SHARE,
        note=f"{most}; median {statistics.median(shares.values()):.3f}",
    )


def _of_graphs(counted: Sequence[Line]) -> Iterator[Figure]:
    graphs = [line for line in counted if "graph" in line]
    lost = "; ".join(f"{line['model']}: {line['not_captured']}" for line in counted if "not_captured" in line)
    yield Figure(
        name="models captured as a graph",
        value=100 * len(graphs) / len(counted),
        unit="%",
        at_least=MIN_CAPTURED,
        note=f"{len(graphs)} of {len(counted)}. {lost}".rstrip(". "),
    )
    yield _named(
        "graphs that count otherwise than the run",
        graphs,
        lambda line: (
            "" if line["graph"] == line["dispatch"] else f"{line['graph']:,} and {line['dispatch']:,}"
        ),
        at_most=0,
    )
    yield _named(
        "graphs that take one batch size only",
        graphs,
        lambda line: "" if line["any_batch"] else "a fixed batch",
    )
    same = sum(line["farthest"] == 0 for line in graphs)
    yield Figure(
        name="graphs that answer as the model does, to the bit",
        value=100 * same / max(len(graphs), 1),
        unit="%",
        note=f"farthest {max((line['farthest'] for line in graphs), default=0):.1g}",
    )


def _opinion(counted: Sequence[Line], other: str) -> Figure:
    known = [line for line in counted if line.get(other) is not None]
    ratios = {line["model"]: line[other] / line["exact"] - 1 for line in known}
    ordered = sorted(ratios, key=lambda name: ratios[name])
    farthest = ", ".join(f"{name} {ratios[name]:+.1%}" for name in (*ordered[:3], *ordered[-3:]))
    return Figure(
        name=f"models that {other} counts off the exact count by more than {FAR:.0%}",
        value=sum(abs(ratio) > FAR for ratio in ratios.values()),
        unit="",
        note=f"of {len(known)} that it counts; farthest {farthest}",
    )
