"""Counts a package without running it, as far as its format lets that be done."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import Protocol, cast

from scoring.contracts import FORMAT_FACTS, Package, StaticCounts, TrackSpec


class StaticCounter(Protocol):
    """The counter of one format, a module below this package."""

    def count(self, package: Package, track: TrackSpec) -> StaticCounts:
        """Count a package; raise `Rejected` when that cannot be done within limits."""


def count(
    package: Package,
    track: TrackSpec,
    *,
    stated: StaticCounts = StaticCounts(),  # noqa: B008  frozen
) -> StaticCounts:
    """Return what can be counted from the files alone; MACs are those of one sample.

    `stated` is what settling the package told already. The larger number stands.
    """
    counted = _without_running(package, track)
    known = [each for each in (counted.parameters, stated.parameters) if each is not None]
    return replace(counted, parameters=max(known, default=None))


def _without_running(package: Package, track: TrackSpec) -> StaticCounts:
    """Return what the format's counter finds; nothing where the model exists only once its code has run."""
    counter = FORMAT_FACTS[package.format].counter
    if counter is None:
        return StaticCounts()
    return cast(StaticCounter, import_module(counter)).count(package, track)
