"""A board as CSV and JSON: in lines and pieces, so that a long board is never in memory whole."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from competition.csv_cells import Echo, inert
from competition.leaderboard.selectors import Board, Row, every_row, names
from competition.submissions.counts import submissions_on

_COLUMNS: Final = (
    "rank",
    "participant",
    "value",
    "ci_low",
    "ci_high",
    "rank_low",
    "rank_high",
    "submissions",
)
_USAGE: Final = ("parameters", "macs", "format")


def csv_lines(board: Board) -> Iterator[str]:
    """Yield a line for each row of the whole board, the ranking metric's value in the column `value`."""
    line: Callable[[Iterable[object]], str] = csv.writer(Echo(), lineterminator="\n").writerow
    yield line(_header(board))
    for row in every_row(board):
        yield line(_cells(board, row))


def _header(board: Board) -> tuple[str, ...]:
    gate = ("latency_ms", "inside_gate") if board.max_latency_ms is not None else ()
    second = (str(board.precision), f"{board.precision}_drop_points") if board.precision else ()
    return (
        *_COLUMNS,
        "submitted_at",
        "captured",
        "hardware",
        *sorted(board.extra_metrics),
        *gate,
        *second,
        *_USAGE,
    )


def _cells(board: Board, row: Row) -> tuple[object, ...]:
    numbers = (row.value, row.ci_low, row.ci_high, row.rank_low, row.rank_high, row.submissions)
    more = (row.extra.get(name, "") for name in sorted(board.extra_metrics))
    timed = (row.latency_ms, _word(row.inside_gate)) if board.max_latency_ms is not None else ()
    again = (row.quantised, row.drop_points) if board.precision else ()
    named = (row.rank, inert(row.participant_name), *numbers, row.submitted_at.isoformat())
    usage = (row.parameters, row.macs, row.format)
    return (*named, _word(row.captured), row.hardware, *more, *timed, *again, *usage)


def _word(answer: bool | None) -> str:
    return "" if answer is None else str(answer).lower()


def json_pieces(board: Board) -> Iterator[str]:
    """Yield the whole board as one JSON object, a row at a time; the board comes without rows."""
    yield json.dumps(as_plain(board)).removesuffix("]}")  # the rows come last
    separator = ""
    for row in every_row(board):
        yield f"{separator}{json.dumps(row_as_plain(row))}"
        separator = ", "
    yield "]}"


def as_plain(board: Board) -> dict[str, Any]:
    """Return the board, with the rows that were read of it, as values that JSON can hold."""
    return {
        "track": board.track.slug,
        "benchmark": board.benchmark.digest if board.benchmark else None,
        "version": board.benchmark.number if board.benchmark else None,
        "metric": board.metric,
        "split": board.split,
        "max_latency_ms": board.max_latency_ms,
        "precision": board.precision,
        "participants": board.participants,
        "revision": board.revision,
        "rows": [row_as_plain(row) for row in board.rows],
    }


def row_as_plain(row: Row) -> dict[str, Any]:
    """Return a row as values that JSON can hold."""
    return {
        "rank": row.rank,
        "participant": row.participant_name,
        "value": row.value,
        "ci": [row.ci_low, row.ci_high],
        "rank_range": [row.rank_low, row.rank_high],
        "extra": dict(row.extra),
        "latency_ms": row.latency_ms,
        "inside_gate": row.inside_gate,
        "quantised": row.quantised,
        "drop_points": row.drop_points,
        "captured": row.captured,
        "hardware": row.hardware,
        "rank_before": row.rank_before,
        "parameters": row.parameters,
        "macs": row.macs,
        "format": row.format,
        "submissions": row.submissions,
        "submitted_at": row.submitted_at.isoformat(),
    }


def baseline_as_plain(row: Row) -> dict[str, Any]:
    """Return a baseline as values that JSON can hold."""
    return {"name": row.baseline, **row_as_plain(row)}


def tag(board: Board) -> str:
    """Return what changes whenever a file of the whole board does, without reading its rows.

    Rows are known by the board's revision, their counts by that of the track's submissions; names can change alone.
    """
    digest = hashlib.sha256(json.dumps([as_plain(board), submissions_on(board.track)]).encode())
    for name in names(board):
        digest.update(name.encode() + b"\0")
    return digest.hexdigest()
