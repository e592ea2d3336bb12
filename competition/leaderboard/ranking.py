"""Ranks from values alone: no rows, no queries. "1224" ranks, and what the intervals allow to say."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One participant's best value with its interval, and when its submission was uploaded.

    On tracks with a latency gate, `latency_ms` settles ties, and who is outside the gate is not ranked.
    """

    key: int
    value: float
    ci_low: float
    ci_high: float
    achieved_at: datetime
    latency_ms: float | None = None
    inside_gate: bool = True


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a contender stands.

    `rank_low` is one more than the number of others who are surely better, `rank_high` is the
    number of contenders less those who are surely worse; sure means that the intervals do not meet.
    All three are None for a contender outside the gate.
    """

    key: int
    rank: int | None
    rank_low: int | None
    rank_high: int | None


def rank(contenders: Iterable[Contender], *, higher_is_better: bool) -> tuple[Place, ...]:
    """Order contenders from best to worst; equal values share a rank and the earlier one is shown first.

    Of equal values the lower latency ranks first. Who is outside the gate comes last, without a rank.
    Raises ValueError on a value that is not finite, or an interval that is upside down.
    """
    rising = [_with_low_best(contender, higher_is_better) for contender in contenders]
    ordered = sorted((c for c in rising if c.inside_gate), key=_order)
    outside = sorted((c for c in rising if not c.inside_gate), key=_order)
    merits = [_merit(c) for c in ordered]
    best_cases = sorted(c.ci_low for c in ordered)
    worst_cases = sorted(c.ci_high for c in ordered)
    ranked = (
        Place(
            key=c.key,
            rank=1 + bisect_left(merits, _merit(c)),
            rank_low=1 + bisect_left(worst_cases, c.ci_low),
            rank_high=bisect_right(best_cases, c.ci_high),
        )
        for c in ordered
    )
    unranked = (Place(key=c.key, rank=None, rank_low=None, rank_high=None) for c in outside)
    return (*ranked, *unranked)


def _merit(contender: Contender) -> tuple[float, float]:
    return contender.value, contender.latency_ms or 0.0


def _order(contender: Contender) -> tuple[float, float, datetime, int]:
    return *_merit(contender), contender.achieved_at, contender.key


def _with_low_best(contender: Contender, higher_is_better: bool) -> Contender:
    """Return the contender measured so that the lowest value is the best."""
    numbers = (contender.value, contender.ci_low, contender.ci_high)
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"contender {contender.key} has a value that is not finite")
    if contender.ci_low > contender.ci_high:
        raise ValueError(f"contender {contender.key} has an interval that is upside down")
    if not higher_is_better:
        return contender
    return replace(contender, value=-contender.value, ci_low=-contender.ci_high, ci_high=-contender.ci_low)
