"""Ranks from values alone: no rows, no queries. "1224" ranks, and what the intervals allow to say."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One participant's best value with its interval, and when its submission was uploaded."""

    key: int
    value: float
    ci_low: float
    ci_high: float
    achieved_at: datetime


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a contender stands.

    `rank_low` is one more than the number of others who are surely better, `rank_high` is the
    number of contenders less those who are surely worse; sure means that the intervals do not meet.
    """

    key: int
    rank: int
    rank_low: int
    rank_high: int


def is_better(value: float, than: float, *, higher_is_better: bool) -> bool:
    """Say whether a value beats another."""
    return value > than if higher_is_better else value < than


def rank(contenders: Iterable[Contender], *, higher_is_better: bool) -> tuple[Place, ...]:
    """Order contenders from best to worst; equal values share a rank and the earlier one is shown first.

    Raises ValueError on a value that is not finite, or an interval that is upside down.
    """
    rising = [_with_low_best(contender, higher_is_better) for contender in contenders]
    ordered = sorted(rising, key=lambda c: (c.value, c.achieved_at, c.key))
    values = [c.value for c in ordered]
    best_cases = sorted(c.ci_low for c in ordered)
    worst_cases = sorted(c.ci_high for c in ordered)
    return tuple(
        Place(
            key=c.key,
            rank=1 + bisect_left(values, c.value),
            rank_low=1 + bisect_left(worst_cases, c.ci_low),
            rank_high=bisect_right(best_cases, c.ci_high),
        )
        for c in ordered
    )


def _with_low_best(contender: Contender, higher_is_better: bool) -> Contender:
    """Return the contender measured so that the lowest value is the best."""
    numbers = (contender.value, contender.ci_low, contender.ci_high)
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"contender {contender.key} has a value that is not finite")
    if contender.ci_low > contender.ci_high:
        raise ValueError(f"contender {contender.key} has an interval that is upside down")
    if not higher_is_better:
        return contender
    return Contender(
        key=contender.key,
        value=-contender.value,
        ci_low=-contender.ci_high,
        ci_high=-contender.ci_low,
        achieved_at=contender.achieved_at,
    )
