"""Sorted by another column, or searched for a name: a board's rows in other orders than that of its ranks.

A small board is read whole, sorted by any column and searched for any part of a name. A large one is never read or
sorted whole: it is sorted by what its standings have an index for, to a bounded depth from either end, and searched for
how names begin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db.models import QuerySet

from competition.leaderboard.models import BoardRow, Standing
from competition.leaderboard.selectors import Board, Row, every_row, rows_of

SMALL: Final = 500
"""A board of at most so many rows is read whole."""
DEEPEST: Final = 5_000
"""So many rows of a large board can be reached in another order; reversing the order leads to the other end."""
MOST_NAMES: Final = 1_000
"""Of the names that begin as asked for, so many are looked up on a large board."""

INDEXED: Final[Mapping[str, str]] = {
    "parameters": "parameters",
    "macs": "macs",
    "format": "format",
    "latency": "latency_ms",
    "date": "achieved_at",
}
"""What a large board can be sorted by, with the column of its standings."""
_KEYS: Final[Mapping[str, Callable[[Row], Any]]] = {
    "name": lambda row: row.participant_name.casefold(),
    "value": lambda row: row.value,
    "interval": lambda row: row.ci_high - row.ci_low,
    "range": lambda row: row.rank_low,
    "second": lambda row: row.quantised,
    "latency": lambda row: row.latency_ms,
    "parameters": lambda row: row.parameters,
    "macs": lambda row: row.macs,
    "format": lambda row: row.format or None,
    "submissions": lambda row: row.submissions,
    "date": lambda row: row.submitted_at,
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which rows of a board, in which order: `sort` is empty for that of the ranks."""

    search: str = ""
    sort: str = ""
    descending: bool = False


@dataclass(frozen=True, kw_only=True)
class Found:
    """Some of the rows that were asked for; `total` is how many can be reached, `is_cut` whether there are more."""

    rows: tuple[Row, ...]
    total: int
    is_cut: bool = False


def is_small(board: Board) -> bool:
    """Say whether the board is read whole, so that every column sorts it."""
    return board.participants <= SMALL


def sortable(board: Board) -> frozenset[str]:
    """Return what the board can be sorted by."""
    if is_small(board):
        return frozenset({"rank", *_KEYS, *board.extra_metrics})
    return frozenset({"rank", *INDEXED})


def find(board: Board, asked: Asked, *, start: int, limit: int) -> Found:
    """Return the rows asked for behind the first `start` of them; the sort is one of `sortable`."""
    if is_small(board):
        return _find_in_whole(board, asked, start, limit)
    if asked.search:
        return _find_names(board, asked, start, limit)
    return _find_sorted(board, asked, start, limit)


def _find_in_whole(board: Board, asked: Asked, start: int, limit: int) -> Found:
    wanted = asked.search.casefold()
    rows = [row for row in every_row(board) if wanted in row.participant_name.casefold()]
    if asked.sort and asked.sort != "rank":
        key: Callable[[Row], Any] = _KEYS.get(asked.sort, lambda row: row.extra.get(asked.sort))
        known = [row for row in rows if key(row) is not None]
        known.sort(key=key, reverse=asked.descending)
        rows = known + [row for row in rows if key(row) is None]
    elif asked.descending:
        rows.reverse()
    return Found(rows=tuple(rows[start : start + limit]), total=len(rows))


def _find_names(board: Board, asked: Asked, start: int, limit: int) -> Found:
    """Look up those whose names begin so, found by the names' index, in the order of their ranks."""
    users = get_user_model().objects.filter(username__istartswith=asked.search).order_by()
    keys = list(users.values_list("pk", flat=True)[: MOST_NAMES + 1])
    matching = BoardRow.objects.filter(ranking=board.ranking_id, participant__in=keys[:MOST_NAMES])
    order = "-position" if asked.descending else "position"
    page = matching.order_by(order).values_list("participant_id", flat=True)[start : start + limit]
    return Found(rows=rows_of(board, list(page)), total=matching.count(), is_cut=len(keys) > MOST_NAMES)


def _find_sorted(board: Board, asked: Asked, start: int, limit: int) -> Found:
    limit = max(0, min(limit, DEEPEST - start))
    if asked.sort in INDEXED:
        column = INDEXED[asked.sort]
        known = Standing.objects.filter(benchmark=board.benchmark, split=board.split).exclude(
            **{column: None}
        )
        order: tuple[str, ...] = (column, "participant")
        page: QuerySet[Any] = known
    else:
        page, order = BoardRow.objects.filter(ranking=board.ranking_id), ("position",)
    ordered = page.order_by(*(f"-{name}" for name in order) if asked.descending else order)
    keys: Sequence[int] = list(ordered.values_list("participant_id", flat=True)[start : start + limit])
    total = min(DEEPEST, board.participants)
    return Found(rows=rows_of(board, keys), total=total, is_cut=board.participants > DEEPEST)
