"""Two to five entries of a board beside each other: scores, their differences, usage, groups where disclosed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from competition.leaderboard.baselines import baselines_of
from competition.leaderboard.selectors import Board, Row, rows_named
from competition.submissions import disclosure
from competition.submissions.models import Evaluation
from competition.tracks.access import Viewer, organises

MOST_COMPARED: Final = 5
BASELINE: Final = "baseline:"
"""Before the number of a baseline; no name of a participant has a colon."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """An entry beside the first one: `difference` in the ranking metric, `is_apart` if the intervals do not meet."""

    row: Row
    usage: Mapping[str, Any]
    difference: float | None
    is_apart: bool


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The entries in the order of the board, and the accuracy of each in each group, None where it is not disclosed."""

    entries: tuple[Compared, ...]
    groups: tuple[tuple[str, tuple[float | None, ...]], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return what the entries are called."""
        return tuple(each.row.baseline or each.row.participant_name for each in self.entries)


def compare(board: Board, asked: Sequence[str], *, viewer: Viewer) -> Comparison:
    """Return the entries of these participants and baselines; names that are not on the board are left out."""
    keys = {name.removeprefix(BASELINE) for name in asked if name.startswith(BASELINE)}
    baselines = [row for row in baselines_of(board) if str(row.baseline_id) in keys] if keys else []
    rows = [*rows_named(board, [name for name in asked if not name.startswith(BASELINE)]), *baselines]
    rows.sort(key=lambda row: row.value, reverse=board.metric_facts.higher_is_better)
    evaluations = {
        each.pk: each
        for each in Evaluation.objects.filter(pk__in=[row.evaluation_id for row in rows]).defer("log")
    }
    entries = tuple(_compared(row, rows[0], evaluations[row.evaluation_id].usage or {}) for row in rows)
    return Comparison(entries=entries, groups=_groups(board, rows, evaluations, viewer))


def _compared(row: Row, first: Row, usage: Mapping[str, Any]) -> Compared:
    is_first = row is first
    return Compared(
        row=row,
        usage=usage,
        difference=None if is_first else disclosure.score(row.value - first.value),
        is_apart=not is_first and (row.ci_high < first.ci_low or row.ci_low > first.ci_high),
    )


def _groups(
    board: Board, rows: Sequence[Row], evaluations: Mapping[int, Evaluation], viewer: Viewer
) -> tuple[tuple[str, tuple[float | None, ...]], ...]:
    """Return what each entry's report tells the viewer: of one's own entry as the track says, all to organisers."""
    is_organiser = organises(viewer, board.track.competition_id)
    shares: list[Mapping[str, Any]] = []
    for row in rows:
        breakdown = (evaluations[row.evaluation_id].report or {}).get("breakdown")
        if is_organiser:
            told = breakdown
        elif row.participant_id == viewer.pk:
            told = disclosure.BREAKDOWNS[board.track.shown_breakdown()](breakdown)
        else:
            told = None
        shares.append((told or {}).get("by_group", {}))
    names = sorted({name for each in shares for name in each})
    return tuple(
        (name, tuple(each[name]["accuracy"] if name in each else None for each in shares)) for name in names
    )
