"""The counters of multiply-adds: which of their numbers applies, and why others say something else."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class MacsCounter(StrEnum):
    """Whose count of MACs a track holds against its limit."""

    EXACT = "exact"
    PTFLOPS = "ptflops"
    FVCORE = "fvcore"
    LARGEST = "largest"


EXACT_COUNTERS: Final = ("graph", "static", "dispatch")
"""Those that see every product, the surest first: of the captured graph, of an ONNX file, of a run."""
FREE_SHARE: Final = 0.25
"""Work on each value is free up to this share of the products.

Of all torchvision models and those of timm up to 30 M parameters, the greatest share is 0.14.
"""
FREE_VALUES_A_SAMPLE: Final = 2**20
"""Work on so many values is free in any case."""
WORTH_A_REASON: Final = 0.02
"""Share of the exact count by which another may differ before it is explained."""
REASONS: Final[Mapping[str, tuple[str, str]]] = {
    "ptflops": (
        "ptflops adds biases and the gates of recurrent cells, and counts attention twice where "
        "torch takes no fast path",
        "ptflops does not see products that are called as functions or operators, nor work on each value",
    ),
    "fvcore": (
        "fvcore counts a product of several factors as one step, and expanded tensors in full",
        "fvcore has no rule for recurrent cells, Fourier transforms and some other operators, nor for "
        "work on each value",
    ),
    "dispatch": (
        "running the model took products that its graph does not have",
        "some products of the graph did not show while the model ran",
    ),
    "static": (
        "the ONNX file has products that its conversion to PyTorch does without",
        "the shapes of some products cannot be told from the ONNX file alone",
    ),
}
"""What usually lies behind it, by counter: where it found more than the exact count, and where less."""
CONVERTED: Final = "it counts the ONNX model as it was converted to PyTorch"


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """What one counter found beside the exact count.

    `macs` is None where it failed. `share_off` is its difference as a share of the exact count, None
    where there is nothing to compare; `why` is a likely reason, empty for small differences.
    """

    counter: str
    macs: int | None
    share_off: float | None
    why: str


def with_work(products: int, values: int, samples: int) -> int:
    """Return the MACs of products, and of the work on each value what exceeds its free share."""
    free = max(FREE_SHARE * products, FREE_VALUES_A_SAMPLE * samples)
    return products + max(math.ceil(values - free), 0)


def exact_counter(by_counter: Mapping[str, int | None], *, without: Collection[str] = ()) -> str:
    """Return the surest of the exact counters that counted, “none” if there is none."""
    counted = (name for name in EXACT_COUNTERS if by_counter.get(name) is not None and name not in without)
    return next(counted, "none")


def largest_counter(by_counter: Mapping[str, int | None]) -> str:
    """Return the name of the counter that found most; the first of equals."""
    known = {name: macs for name, macs in by_counter.items() if macs is not None}
    return max(known, key=lambda name: known[name], default="none")


def second_opinions(by_counter: Mapping[str, int | None], binding: str = "") -> tuple[Opinion, ...]:
    """Return what the other counters found, each compared with the exact count: the binding one, if it is exact."""
    exact = reference_counter(by_counter, binding)
    return tuple(
        _opinion(name, macs, exact, by_counter) for name, macs in by_counter.items() if name != exact
    )


def reference_counter(by_counter: Mapping[str, int | None], binding: str = "") -> str:
    """Return the exact counter that others are compared with."""
    counted = binding in EXACT_COUNTERS and by_counter.get(binding) is not None
    return binding if counted else exact_counter(by_counter)


def _opinion(name: str, macs: int | None, exact: str, by_counter: Mapping[str, int | None]) -> Opinion:
    expected = by_counter.get(exact)
    if macs is None or not expected:
        return Opinion(counter=name, macs=macs, share_off=None, why="")
    share_off = (macs - expected) / expected
    why = _why(name, exact, share_off) if abs(share_off) > WORTH_A_REASON else ""
    return Opinion(counter=name, macs=macs, share_off=share_off, why=why)


def _why(name: str, exact: str, share_off: float) -> str:
    if (name, exact) == ("dispatch", "static"):
        return CONVERTED
    return REASONS.get(name, ("", ""))[0 if share_off > 0 else 1]
