"""Standings are written with the score that changes them, and can be rebuilt from scores at any time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q
from django.db.models.fields.json import KeyTextTransform

from competition.leaderboard import rankings
from competition.leaderboard.models import Standing
from competition.submissions import finals
from competition.submissions.disqualified import disqualified
from competition.submissions.locks import lock_participant
from competition.submissions.models import Evaluation, Score
from competition.submissions.shown import counting
from competition.tracks.models import BenchmarkVersion
from scoring.contracts import LATENCY_RULE, METRIC_FACTS, Metric, Split, Status

Owner = tuple[int, str]
"""A participant and a split; each pair has one standing."""
_READ: Final = ("usage", "submission__participant_id", "submission__created_at", "submission__track_id")
Merit = tuple[bool, bool, float, float]
"""Chosen as final, inside the gate, value with the best highest, latency with the fastest highest: the most wins."""


@dataclass(frozen=True, kw_only=True)
class Drift:
    """How the standings of a benchmark version differ from what its scores say."""

    missing: int
    wrong: int
    surplus: int

    def __bool__(self) -> bool:
        """Say whether there is any difference."""
        return bool(self.missing or self.wrong or self.surplus)


def place(evaluation: Evaluation) -> None:
    """Give the evaluation's participant the standings that their scores say, as part of recording its score.

    The caller holds the participant's lock.
    """
    changed = _apply(evaluation.benchmark, participant_id=evaluation.submission.participant_id)
    rankings.note_changes(evaluation.benchmark, _splits(changed))


def follow(participant_id: int, *, competition_id: int | None = None) -> None:
    """Give somebody the standings that may stand now: after a disqualification, or when an account was switched off.

    The caller holds the participant's lock. Boards are locked in the order of their versions.
    """
    own = Q(evaluations__submission__participant=participant_id) | Q(standings__participant=participant_id)
    versions = BenchmarkVersion.objects.filter(own)
    if competition_id is not None:
        versions = versions.filter(track__competition=competition_id)
    for benchmark in versions.distinct().order_by("pk"):
        changed = _apply(benchmark, participant_id=participant_id)
        rankings.note_changes(benchmark, _splits(changed))


def rebuild(benchmark: BenchmarkVersion) -> Drift:
    """Make all standings of a benchmark version what the scores say; return what had to change."""
    on_it = Q(submissions__evaluations__benchmark=benchmark) | Q(standings__benchmark=benchmark)
    participants = get_user_model().objects.filter(on_it).order_by("pk").values_list("pk", flat=True)
    changes = [_rebuild_one(benchmark, participant_id) for participant_id in participants.distinct()]
    return Drift(
        missing=sum(change.missing for change in changes),
        wrong=sum(change.wrong for change in changes),
        surplus=sum(change.surplus for change in changes),
    )


@transaction.atomic
def _rebuild_one(benchmark: BenchmarkVersion, participant_id: int) -> Drift:
    # Without the lock a score recorded meanwhile could be read too early and overwritten.
    lock_participant(participant_id)
    changed = _apply(benchmark, participant_id=participant_id)
    rankings.mark(benchmark, _splits(changed))  # by `proof.repair`, or else by the sweep
    return _drift(changed)


def examine(benchmark: BenchmarkVersion) -> Drift:
    """Return how the standings differ from the scores; write nothing."""
    return _drift(_compare(_wanted(benchmark), _existing(benchmark)))


@dataclass(frozen=True, kw_only=True)
class _Differences:
    missing: frozenset[Owner]
    wrong: frozenset[Owner]
    surplus: frozenset[Owner]


def _drift(found: _Differences) -> Drift:
    return Drift(missing=len(found.missing), wrong=len(found.wrong), surplus=len(found.surplus))


def _splits(found: _Differences) -> frozenset[Split]:
    return frozenset(Split(split) for _, split in found.missing | found.wrong | found.surplus)


def _apply(benchmark: BenchmarkVersion, **owner: int) -> _Differences:
    wanted = _wanted(benchmark, **owner)
    existing = _existing(benchmark, **owner)
    found = _compare(wanted, existing)
    for participant_id, split in found.missing | found.wrong:
        Standing.objects.update_or_create(
            benchmark=benchmark,
            participant_id=participant_id,
            split=split,
            defaults=wanted[participant_id, split],
        )
    Standing.objects.filter(pk__in=[existing[key].pk for key in found.surplus]).delete()
    return found


def _compare(wanted: dict[Owner, dict[str, Any]], existing: dict[Owner, Standing]) -> _Differences:
    shared = wanted.keys() & existing.keys()
    return _Differences(
        missing=frozenset(wanted.keys() - shared),
        wrong=frozenset(key for key in shared if not _agrees(existing[key], wanted[key])),
        surplus=frozenset(existing.keys() - shared),
    )


def _agrees(row: Standing, fields: dict[str, Any]) -> bool:
    return all(getattr(row, name) == value for name, value in fields.items())


def _existing(benchmark: BenchmarkVersion, **owner: int) -> dict[Owner, Standing]:
    rows = Standing.objects.filter(benchmark=benchmark, **owner)
    return {(row.participant_id, row.split): row for row in rows}


def _wanted(benchmark: BenchmarkVersion, **owner: int) -> dict[Owner, dict[str, Any]]:
    """Return each owner's best score in the ranking metric; of equal ones, that of the earliest upload.

    One inside the latency gate beats any outside it, and of equal scores the faster one wins. On the private split the
    submission that its participant chose as final goes before all others. What is disqualified, hidden, withdrawn or a
    baseline has none, nor has who may not sign in.
    """
    spec = benchmark.document().spec
    metric, max_latency_ms = spec.metric, spec.budgets.max_latency_ms
    scores = Score.objects.filter(
        evaluation__benchmark=benchmark,
        evaluation__status=Status.SCORED,
        evaluation__submission__participant__is_active=True,
        metric=metric,
        **counting("evaluation__submission"),
        **{f"evaluation__submission__{name}": value for name, value in owner.items()},
    ).exclude(disqualified("evaluation__submission"))
    scores = scores.select_related("evaluation__submission")
    # Read a few at a time, and without logs and reports: there may be a million.
    read = scores.only("split", "value", "ci_low", "ci_high", *(f"evaluation__{name}" for name in _READ))
    read = read.annotate(format=KeyTextTransform("format", "evaluation__report"))
    earliest_first = read.order_by("evaluation__submission__created_at", "evaluation_id")
    merit = _merit(metric, max_latency_ms, finals=finals.of_track(benchmark.track_id, **owner))
    best = _best(earliest_first.iterator(), merit)
    return {key: _fields(score, max_latency_ms) for key, score in best.items()}


def _best(scores: Iterable[Score], merit: Callable[[Score], Merit]) -> dict[Owner, Score]:
    best: dict[Owner, Score] = {}
    for score in scores:
        key = (score.evaluation.submission.participant_id, score.split)
        if key not in best or merit(score) > merit(best[key]):
            best[key] = score
    return best


def _merit(
    metric: Metric, max_latency_ms: float | None, *, finals: Collection[UUID]
) -> Callable[[Score], Merit]:
    sign = 1.0 if METRIC_FACTS[metric].higher_is_better else -1.0

    def merit(score: Score) -> Merit:
        latency_ms = _latency_ms(score, max_latency_ms)
        is_chosen = score.split == Split.PRIVATE and score.evaluation.submission_id in finals
        return is_chosen, _is_inside(latency_ms, max_latency_ms), sign * score.value, -(latency_ms or 0.0)

    return merit


def _latency_ms(score: Score, max_latency_ms: float | None) -> float | None:
    """Return what was measured for this very evaluation; nothing where the track has no gate."""
    usage = score.evaluation.usage or {}
    return None if max_latency_ms is None else usage.get("latency_p50_ms")


def _is_inside(latency_ms: float | None, max_latency_ms: float | None) -> bool:
    if latency_ms is None:
        return max_latency_ms is None
    return not LATENCY_RULE.is_over(latency_ms, max_latency_ms)


def _fields(score: Score, max_latency_ms: float | None) -> dict[str, Any]:
    latency_ms, usage = _latency_ms(score, max_latency_ms), score.evaluation.usage or {}
    return {
        "latency_ms": latency_ms,
        "inside_gate": _is_inside(latency_ms, max_latency_ms),
        "evaluation_id": score.evaluation_id,
        "value": score.value,
        "ci_low": score.ci_low,
        "ci_high": score.ci_high,
        "achieved_at": score.evaluation.submission.created_at,
        "parameters": usage.get("parameters"),
        "macs": usage.get("macs"),
        "format": score.format or "",  # type: ignore[attr-defined]  # annotated
    }
