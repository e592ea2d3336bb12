"""Keeps each board ranked: which row is where, with which rank and range, so that a page reads just the rows it shows.

One score can move everybody below it by a rank. A small board is ranked anew in the transaction that records the score.
For a large one that would hold locks for long, so the transaction only notes the change, and whoever recorded the score
ranks the board after the commit. Changes that come meanwhile are ranked together in the next
round: however many scores come in, one process at a time ranks a board. What a killed worker leaves, `sweep` finds.

The statement that ranks says the same as `ranking.rank`, which works on values in memory: tests and `proof` hold
the one to the other.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Final

from django.db import connection, transaction
from django.db.models import F

from competition.leaderboard.models import BoardRow, Ranking, Unranked
from competition.tracks.models import BenchmarkVersion
from scoring.contracts import METRIC_FACTS, Split

RANKED_WITH_THE_SCORE: Final = 500
"""A board of at most so many participants is ranked in the transaction that records a score: it takes milliseconds."""


def note_changes(benchmark: BenchmarkVersion, splits: Collection[Split]) -> None:
    """Let the boards of these splits show what this transaction changed: at its end, or right after it."""
    for ranking in mark(benchmark, splits):
        if ranking.participants <= RANKED_WITH_THE_SCORE:
            _rank(Ranking.objects.select_for_update(no_key=True).get(pk=ranking.pk))
        # The score is recorded: nothing that goes wrong now may look as if it were not.
        transaction.on_commit(partial(catch_up, ranking.pk), robust=True)


def mark(benchmark: BenchmarkVersion, splits: Collection[Split]) -> list[Ranking]:
    """Note that the boards of these splits do not show a change yet; return them in the order to lock them in."""
    rows = Ranking.objects
    boards = [rows.get_or_create(benchmark=benchmark, split=split)[0] for split in sorted(splits)]
    Unranked.objects.bulk_create(Unranked(ranking=board) for board in boards)
    return boards


def catch_up(ranking_id: int) -> None:
    """Rank a board until it shows every change, unless somebody else does: they look again when they are done."""
    while Unranked.objects.filter(ranking=ranking_id).exists():
        if not _rank_unless_locked(ranking_id):
            return


def sweep() -> None:
    """Rank every board that has changes, in case somebody ended before they ranked it."""
    for ranking_id in Unranked.objects.order_by().values_list("ranking", flat=True).distinct():
        catch_up(ranking_id)


@transaction.atomic
def rank_anew(benchmark: BenchmarkVersion, split: Split) -> None:
    """Rank a board whether anything changed or not; wait for whoever does it already."""
    ranking, _ = Ranking.objects.get_or_create(benchmark=benchmark, split=split)
    _rank(Ranking.objects.select_for_update(no_key=True).get(pk=ranking.pk))


@transaction.atomic
def _rank_unless_locked(ranking_id: int) -> bool:
    free = Ranking.objects.select_for_update(no_key=True, skip_locked=True)
    ranking = free.filter(pk=ranking_id).first()
    if ranking is not None:
        _rank(ranking)
    return ranking is not None


def _rank(ranking: Ranking) -> None:
    """Rank a locked board."""
    # Read first: the statement below sees at least the changes that these stand for.
    noted = list(Unranked.objects.filter(ranking=ranking).values_list("pk", flat=True))
    changed = _write_rows(ranking)
    first = BoardRow.objects.filter(ranking=ranking, position=1, inside_gate=True)
    Ranking.objects.filter(pk=ranking.pk).update(
        revision=F("revision") + int(bool(changed)),
        participants=BoardRow.objects.filter(ranking=ranking).count(),
        best=first.values_list("value", flat=True).first(),
    )
    Unranked.objects.filter(pk__in=noted).delete()


def _write_rows(ranking: Ranking) -> int:
    """Make the board's rows what its standings say; return how many changed."""
    metric = ranking.benchmark.document().spec.metric
    numbers: dict[str, int | str] = {
        "ranking": ranking.pk,
        "benchmark": ranking.benchmark_id,
        "split": ranking.split,
    }
    with connection.cursor() as cursor:
        cursor.execute(_DELETE, numbers)
        deleted: int = cursor.rowcount
        cursor.execute(_RANK.format(**_DIRECTIONS[METRIC_FACTS[metric].higher_is_better]), numbers)
        return deleted + int(cursor.rowcount)


_DIRECTIONS: Final = {
    True: {"merit": "-value", "best_case": "-ci_high", "worst_case": "-ci_low"},
    False: {"merit": "value", "best_case": "ci_low", "worst_case": "ci_high"},
}
"""How values and bounds are turned so that the lowest is the best."""
_DELETE: Final = """
    DELETE FROM leaderboard_boardrow WHERE ranking_id = %(ranking)s AND participant_id NOT IN (
        SELECT participant_id FROM leaderboard_standing WHERE benchmark_id = %(benchmark)s AND split = %(split)s)
"""
# Ranges: all bounds in one order, in which a running sum counts those of one kind before each of the other kind.
# Better are surely those whose worst case lies below one's best case, and worse are surely those whose best case lies
# above one's worst case. Only rows that differ are written.
# The parts of a row meet by grouping, not by joins: a planner that has not seen the board yet joins in squared time.
# INSERT comes first: Python's sqlite3 counts the rows of no statement that begins otherwise.
_RANK: Final = """
    INSERT INTO leaderboard_boardrow (
        ranking_id, participant_id, evaluation_id, position, rank, rank_low, rank_high,
        value, ci_low, ci_high, latency_ms, inside_gate, achieved_at)
    WITH field AS (
        SELECT participant_id, evaluation_id, value, ci_low, ci_high, latency_ms, inside_gate, achieved_at,
               {merit} AS merit, COALESCE(latency_ms, 0) AS slowness,
               {best_case} AS best_case, {worst_case} AS worst_case
        FROM leaderboard_standing WHERE benchmark_id = %(benchmark)s AND split = %(split)s
    ),
    surely_better AS (
        SELECT participant_id, counts, SUM(counts) OVER (ORDER BY bound, counts ROWS UNBOUNDED PRECEDING) AS others
        FROM (SELECT participant_id, worst_case AS bound, 1 AS counts FROM field WHERE inside_gate
              UNION ALL SELECT participant_id, best_case, 0 FROM field WHERE inside_gate) bounds
    ),
    not_surely_worse AS (
        SELECT participant_id, counts,
               SUM(counts) OVER (ORDER BY bound, counts DESC ROWS UNBOUNDED PRECEDING) AS others
        FROM (SELECT participant_id, best_case AS bound, 1 AS counts FROM field WHERE inside_gate
              UNION ALL SELECT participant_id, worst_case, 0 FROM field WHERE inside_gate) bounds
    ),
    placed AS (
        SELECT participant_id, evaluation_id, value, ci_low, ci_high, latency_ms, inside_gate, achieved_at,
               ROW_NUMBER() OVER (
                   ORDER BY inside_gate DESC, merit, slowness, achieved_at, participant_id) AS position,
               RANK() OVER (PARTITION BY inside_gate ORDER BY merit, slowness) AS rank
        FROM field
    ),
    wanted AS (
        SELECT participant_id, MAX(evaluation_id) AS evaluation_id, MAX(position) AS position,
               CASE WHEN MAX(inside) = 1 THEN MAX(rank) END AS rank,
               NULLIF(MAX(rank_low), 0) AS rank_low, NULLIF(MAX(rank_high), 0) AS rank_high,
               MAX(value) AS value, MAX(ci_low) AS ci_low, MAX(ci_high) AS ci_high,
               MAX(latency_ms) AS latency_ms, MAX(inside) = 1 AS inside_gate, MAX(achieved_at) AS achieved_at
        FROM (
            SELECT participant_id, evaluation_id, position, rank, 0 AS rank_low, 0 AS rank_high, value, ci_low,
                   ci_high, latency_ms, CASE WHEN inside_gate THEN 1 ELSE 0 END AS inside, achieved_at
            FROM placed
            UNION ALL SELECT participant_id, NULL, NULL, NULL, 1 + others, 0, NULL, NULL, NULL, NULL, NULL, NULL
            FROM surely_better WHERE counts = 0
            UNION ALL SELECT participant_id, NULL, NULL, NULL, 0, others, NULL, NULL, NULL, NULL, NULL, NULL
            FROM not_surely_worse WHERE counts = 0
        ) parts
        GROUP BY participant_id
    )
    SELECT %(ranking)s, wanted.participant_id, wanted.evaluation_id, wanted.position, wanted.rank, wanted.rank_low,
           wanted.rank_high, wanted.value, wanted.ci_low, wanted.ci_high, wanted.latency_ms, wanted.inside_gate,
           wanted.achieved_at
    FROM wanted
    LEFT JOIN leaderboard_boardrow shown
        ON shown.ranking_id = %(ranking)s AND shown.participant_id = wanted.participant_id
    WHERE shown.id IS NULL
       OR shown.evaluation_id <> wanted.evaluation_id OR shown.position <> wanted.position
       OR shown.rank IS DISTINCT FROM wanted.rank OR shown.rank_low IS DISTINCT FROM wanted.rank_low
       OR shown.rank_high IS DISTINCT FROM wanted.rank_high OR shown.value <> wanted.value
       OR shown.ci_low <> wanted.ci_low OR shown.ci_high <> wanted.ci_high
       OR shown.latency_ms IS DISTINCT FROM wanted.latency_ms OR shown.inside_gate <> wanted.inside_gate
       OR shown.achieved_at <> wanted.achieved_at
    ON CONFLICT (ranking_id, participant_id) DO UPDATE SET
        evaluation_id = excluded.evaluation_id, position = excluded.position, rank = excluded.rank,
        rank_low = excluded.rank_low, rank_high = excluded.rank_high, value = excluded.value,
        ci_low = excluded.ci_low, ci_high = excluded.ci_high, latency_ms = excluded.latency_ms,
        inside_gate = excluded.inside_gate, achieved_at = excluded.achieved_at
"""
