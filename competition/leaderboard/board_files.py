"""A board as CSV and JSON."""

from __future__ import annotations

import csv
import io
from typing import Final

from competition.csv_cells import inert
from competition.leaderboard.selectors import Board

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


def as_csv(board: Board) -> str:
    """Return one line for each row, the ranking metric's value in the column `value`."""
    extras = sorted({name for row in board.rows for name in row.extra})
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    gate = ("latency_ms", "inside_gate") if board.max_latency_ms is not None else ()
    second = (board.precision, f"{board.precision}_drop_points") if board.precision else ()
    writer.writerow((*_COLUMNS, "submitted_at", "captured", *extras, *gate, *second))
    for row in board.rows:
        numbers = (row.value, row.ci_low, row.ci_high, row.rank_low, row.rank_high, row.submissions)
        more = (row.extra.get(name, "") for name in extras)
        timed = (row.latency_ms, str(row.inside_gate).lower()) if gate else ()
        again = (row.quantised, row.drop_points) if second else ()
        captured = "" if row.captured is None else str(row.captured).lower()
        named = (row.rank, inert(row.participant_name), *numbers, row.submitted_at.isoformat(), captured)
        writer.writerow((*named, *more, *timed, *again))
    return out.getvalue()


def as_plain(board: Board, *, split: str) -> dict[str, object]:
    """Return the board as values that JSON can hold."""
    return {
        "track": board.track.slug,
        "benchmark": board.benchmark.digest if board.benchmark else None,
        "version": board.benchmark.number if board.benchmark else None,
        "metric": board.metric,
        "split": split,
        "max_latency_ms": board.max_latency_ms,
        "precision": board.precision,
        "rows": [
            {
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
                "submissions": row.submissions,
                "submitted_at": row.submitted_at.isoformat(),
            }
            for row in board.rows
        ],
    }
