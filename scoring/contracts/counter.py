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
REASONS: Final[Mapping[tuple[str, bool], str]] = {
    (
        "ptflops",
        True,
    ): "ptflops adds biases and the gates of recurrent cells, and counts attention twice where "
    "torch takes no fast path",
    ("ptflops", False): "ptflops sees modules and a few functions, not every product written with operators",
    ("fvcore", True): "fvcore counts a product of several factors as one step, and expanded tensors in full",
    (
        "fvcore",
        False,
    ): "fvcore has no rule for some operators, such as recurrent cells and Fourier transforms",
    ("dispatch", True): "running the model took products that its graph does not have",
    ("dispatch", False): "some products of the graph did not show while the model ran",
    ("static", True): "the graph file has products that did not show in another form of it",
    ("static", False): "the shapes of some products cannot be told from the graph file alone",
}
"""What usually lies behind it, by counter and whether it found more than the exact count."""


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


def second_opinions(by_counter: Mapping[str, int | None]) -> tuple[Opinion, ...]:
    """Return what the other counters found, each compared with the exact count."""
    exact = exact_counter(by_counter)
    return tuple(
        _opinion(name, macs, by_counter.get(exact)) for name, macs in by_counter.items() if name != exact
    )


def _opinion(name: str, macs: int | None, exact: int | None) -> Opinion:
    share_off = None if macs is None or not exact else (macs - exact) / exact
    is_far = share_off is not None and abs(share_off) > WORTH_A_REASON
    why = REASONS.get((name, share_off > 0), "") if share_off is not None and is_far else ""
    return Opinion(counter=name, macs=macs, share_off=share_off, why=why)
