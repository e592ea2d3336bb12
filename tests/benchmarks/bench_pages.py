"""Every page and API route on PostgreSQL with 10,000 and with a million submissions of 10,000 participants."""

from __future__ import annotations

from collections.abc import Iterator
from multiprocessing import get_context
from typing import Final

from tests.benchmarks.figures import Figure
from tests.benchmarks.million import Size
from tests.benchmarks.pages_at import ROUNDS, Measured, measured_at

SMALL: Final = Size(submissions=10_000, queued=1_000)
LARGE: Final = Size(submissions=1_000_000, queued=100_000)
MOST_MS: Final = 50.0
MOST_GROWTH: Final = 1.5
LEAST_MS: Final = 5.0
"""What is below takes so little that its ratio says nothing."""


def bench() -> Iterator[Figure]:
    """Yield the slowest route and the one that grows most, and how the process of the site grows."""
    small, large = (_apart(size) for size in (SMALL, LARGE))
    p95_ms = {each.name: each.p95_ms for each in large.asked}
    median_ms = {each.name: each.median_ms for each in large.asked}
    growth = {each.name: median_ms[each.name] / max(each.median_ms, LEAST_MS) for each in small.asked}
    yield _farthest("slowest page or route at a million submissions, p95", p95_ms, unit="ms", at_most=MOST_MS)
    yield _farthest("the same to 10,000 submissions, median: farthest", growth, unit="x", at_most=MOST_GROWTH)
    yield Figure(
        name="pages and routes whose number of queries changed",
        value=len(_changed(small, large)),
        unit="",
        at_most=0,
        note=", ".join(_changed(small, large)),
    )
    yield Figure(name="pages and routes that were asked for", value=len(large.asked), unit="", rounds=ROUNDS)
    yield Figure(
        name="what the site's process grew by meanwhile", value=large.growth_mb, unit="MB", at_most=20
    )


def _apart(size: Size) -> Measured:
    """Measure in a process of its own, which knows one database."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(measured_at, (size,))


def _farthest(name: str, of: dict[str, float], *, unit: str, at_most: float) -> Figure:
    """Return the largest value as a figure, and the next ones beside it."""
    order = sorted(of, key=lambda name: -of[name])
    note = ", ".join(f"{name} {of[name]:.3g}" for name in order[:4])
    return Figure(
        name=name,
        value=of[order[0]],
        unit=unit,
        at_most=at_most,
        rounds=ROUNDS,
        note=f"processor time of site and database until the first bytes; {note}",
    )


def _changed(small: Measured, large: Measured) -> list[str]:
    before = {each.name: each.queries for each in small.asked}
    streamed = ("leaderboard.csv", "leaderboard.json")  # one query more for each 500 rows of a board
    asked = (each for each in large.asked if not each.route.endswith(streamed))
    return [each.name for each in asked if max(each.queries) > max(before[each.name])]
