"""Counts a package without running it, as far as its format lets that be done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from scoring.budget.onnx.process import count_onnx
from scoring.contracts import Format, Package, StaticCounts, TrackSpec

StaticCounter = Callable[[Package, TrackSpec], StaticCounts]


def count(
    package: Package,
    track: TrackSpec,
    *,
    stated: StaticCounts = StaticCounts(),  # noqa: B008  frozen
) -> StaticCounts:
    """Return what can be counted from the files alone; MACs are those of one sample.

    `stated` is what settling the package told already. The larger number stands.
    """
    counted = COUNTERS[package.format](package, track)
    known = [each for each in (counted.parameters, stated.parameters) if each is not None]
    return replace(counted, parameters=max(known, default=None))


def count_nothing(package: Package, track: TrackSpec) -> StaticCounts:
    """Answer for formats whose model exists only once its code has run."""
    return StaticCounts()


COUNTERS: Final[dict[Format, StaticCounter]] = {
    Format.CVPR_ZIP: count_nothing,
    Format.ONNX: count_onnx,
    Format.QAIHUB: count_nothing,
    Format.GASBENCH: count_nothing,
    Format.BYOM: count_nothing,
}
