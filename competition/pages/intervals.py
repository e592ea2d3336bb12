"""Where a row's interval lies on the board's common scale, for drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from competition.leaderboard.selectors import Row

MARK_WIDTH: Final = 3.0


@dataclass(frozen=True, kw_only=True)
class DrawnRow:
    """A row with the places of its interval and its value's mark, 0 to 100."""

    row: Row
    low: float
    mark: float
    high: float


def draw(rows: Sequence[Row]) -> tuple[DrawnRow, ...]:
    """Place every row's interval on one scale from the lowest to the highest bound."""
    if not rows:
        return ()
    start = min(row.ci_low for row in rows)
    width = max(row.ci_high for row in rows) - start or 1.0

    def place(value: float) -> float:
        return round(2 + 96 * (value - start) / width, 2)

    return tuple(
        DrawnRow(
            row=row, low=place(row.ci_low), mark=place(row.value) - MARK_WIDTH / 2, high=place(row.ci_high)
        )
        for row in rows
    )
