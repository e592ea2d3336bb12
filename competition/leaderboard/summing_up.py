"""Sums a board up for its charts, beside the site: the sweep does it when the board has changed.

All of it is a handful of statements over the board and over the track's scores, a few seconds on a board of a million.
A board that takes long is summed up the less often, so that this never costs more than a small share of a process.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from time import monotonic
from typing import Final

from django.db.models import Count, F, FloatField, Max, Min, Q, QuerySet, RowRange, Value, Window
from django.db.models.functions import Floor, TruncDate

from competition.leaderboard.models import BoardRow, Charts, Ranking, Standing
from competition.submissions.disqualified import disqualified
from competition.submissions.models import Score, Submission
from competition.submissions.shown import counting
from scoring.contracts import LATENCY_RULE, METRIC_FACTS, Status

BINS: Final = 20
MOST_STEPS: Final = 200
"""Of a longer record so many steps are kept, the first and the last among them."""
FIRST_ROWS: Final = 50
SPREAD_ROWS: Final = 100
"""The rows that score is drawn against cost for: the first ones, and others at even distances."""
MOST_ON_FRONT: Final = 100
DAYS: Final = 60
USAGES: Final = ("macs", "parameters")
RESTS: Final = 50
"""A board rests so many times as long as it took to sum up."""


def sweep(now: datetime) -> None:
    """Sum up the boards that have changed since they were, and are not to rest."""
    for ranking in _changed(now):
        sum_up(ranking, now)


def sum_up(ranking: Ranking, now: datetime) -> Charts:
    """Write what the charts of a board show. A board that changes meanwhile is summed up again next time."""
    begun = monotonic()
    fields = {
        "revision": ranking.revision,
        "submissions": _submissions(ranking),
        "at": now,
        "record": _record(ranking),
        "costs": {usage: _costs(ranking, usage) for usage in USAGES},
        "scores": _scores(ranking),
        "days": _days(ranking),
    }
    fields["rests_until"] = now + timedelta(seconds=RESTS * (monotonic() - begun))
    charts, _ = Charts.objects.update_or_create(ranking=ranking, defaults=fields)
    return charts


def _changed(now: datetime) -> QuerySet[Ranking]:
    """Return the boards to sum up. Days change with each submission, but only on a board that counts."""
    is_shown = Q(benchmark=F("benchmark__track__benchmark")) | Q(benchmark=F("benchmark__track__shown"))
    other_days = is_shown & ~Q(charts__submissions=F("benchmark__track__counts__submissions"))
    rests = Q(charts__rests_until__gt=now)
    changed = Q(charts=None) | ~Q(charts__revision=F("revision")) | other_days
    return Ranking.objects.filter(changed).exclude(rests).select_related("benchmark__track__counts")


def _submissions(ranking: Ranking) -> int:
    counts = getattr(ranking.benchmark.track, "counts", None)
    return counts.submissions if counts else 0


def _better(ranking: Ranking) -> int:
    """Return what values are multiplied by so that the highest is the best."""
    spec = ranking.benchmark.document().spec
    return 1 if METRIC_FACTS[spec.metric].higher_is_better else -1


def _record(ranking: Ranking) -> list[list[object]]:
    """Return the scores that were each better than all uploaded before them, of what counts today."""
    spec = ranking.benchmark.document().spec
    scores = Score.objects.filter(
        evaluation__benchmark=ranking.benchmark_id,
        evaluation__status=Status.SCORED,
        evaluation__submission__participant__is_active=True,
        split=ranking.split,
        metric=spec.metric,
        **counting("evaluation__submission"),
    ).exclude(disqualified("evaluation__submission"))
    if spec.budgets.max_latency_ms is not None:
        comparison = "lte" if LATENCY_RULE.inclusive else "lt"
        within = {f"evaluation__usage__latency_p50_ms__{comparison}": spec.budgets.max_latency_ms}
        scores = scores.filter(**within)
    merit = F("value") * Value(_better(ranking), output_field=FloatField())
    order = (F("evaluation__submission__created_at").asc(), F("evaluation_id").asc())
    before = Window(Max("merit"), order_by=order, frame=RowRange(start=None, end=-1))
    steps = scores.annotate(merit=merit).annotate(before=before)
    steps = steps.filter(Q(before=None) | Q(merit__gt=F("before"))).order_by(*order)
    found = steps.values_list(
        "evaluation__submission__created_at", "value", "evaluation__submission__participant_id"
    )
    return [[at.isoformat(), value, participant] for at, value, participant in _thinned(list(found))]


def _thinned(steps: list[tuple[datetime, float, int]]) -> list[tuple[datetime, float, int]]:
    if len(steps) <= MOST_STEPS:
        return steps
    distance = (len(steps) - 1) / (MOST_STEPS - 1)
    return [steps[round(number * distance)] for number in range(MOST_STEPS)]


def _costs(ranking: Ranking, usage: str) -> list[list[object]]:
    """Return score and cost of the first participants, of others at even distances, and of all on the front."""
    places = BoardRow.objects.filter(ranking=ranking, inside_gate=True)
    step = max(1, ranking.participants // SPREAD_ROWS)
    spread = places.alias(rest=F("position") % step).filter(Q(rest=0) | Q(position__lte=FIRST_ROWS))
    some = set(spread.values_list("participant_id", flat=True))
    standings = Standing.objects.filter(
        benchmark=ranking.benchmark_id, split=ranking.split, inside_gate=True
    ).exclude(**{usage: None})
    columns = ("participant_id", "value", usage)
    front = list(_front(standings, usage, _better(ranking)).values_list(*columns)[:MOST_ON_FRONT])
    others = standings.filter(participant__in=some).exclude(participant__in=[row[0] for row in front])
    rows = [(*row, True) for row in front] + [(*row, False) for row in others.values_list(*columns)]
    return [list(row) for row in sorted(rows, key=lambda row: (row[2], row[1]))]


def _front(standings: QuerySet[Standing], usage: str, better: int) -> QuerySet[Standing]:
    """Return the Pareto front: whom nobody beats at the same cost or less, the dearest first."""
    merit = F("value") * Value(better, output_field=FloatField())
    order = (F(usage).asc(), F("merit").desc(), F("achieved_at").asc(), F("pk").asc())
    before = Window(Max("merit"), order_by=order, frame=RowRange(start=None, end=-1))
    ranked = standings.annotate(merit=merit).annotate(before=before)
    return ranked.filter(Q(before=None) | Q(merit__gt=F("before"))).order_by(F(usage).desc())


def _scores(ranking: Ranking) -> dict[str, object]:
    """Return how many participants have a score in each of some bins of equal width."""
    rows = BoardRow.objects.filter(ranking=ranking).order_by()
    ends = rows.aggregate(low=Min("value"), high=Max("value"))
    low, high = ends["low"], ends["high"]
    if low is None:
        return {}
    width = (high - low) / BINS
    if not width:
        return {"low": low, "high": high, "counts": [ranking.participants]}
    bin_number = Floor((F("value") - Value(low)) / Value(width))
    counted = rows.annotate(bin=bin_number).values_list("bin").annotate(n=Count("pk"))
    counts = [0] * BINS
    for number, n in counted:
        counts[min(BINS - 1, int(number))] += n
    return {"low": low, "high": high, "counts": counts}


def _days(ranking: Ranking) -> list[list[object]]:
    """Return the last days on which somebody submitted, with how many submissions."""
    submissions = Submission.objects.filter(track=ranking.benchmark.track_id).order_by()
    by_day = submissions.annotate(day=TruncDate("created_at")).values_list("day").annotate(n=Count("pk"))
    return [[day.isoformat(), n] for day, n in sorted(by_day.order_by("-day")[:DAYS])]
