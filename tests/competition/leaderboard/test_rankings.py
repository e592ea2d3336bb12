"""What is kept of boards and counts equals what is computed anew, whatever happened and in whichever order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import F
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from competition.leaderboard import proof, rankings, standings
from competition.leaderboard.models import BoardRow, Ranking, Standing, Unranked
from competition.leaderboard.ranking import Contender, rank
from competition.leaderboard.selectors import board
from competition.submissions import counts, lifecycle
from competition.submissions.models import Evaluation, Participation, TrackCounts
from competition.submissions.rescoring import rescore_track
from competition.tracks.models import Track
from scoring.contracts import Finding, Metric, Split, Status
from scoring.errors import Rejected
from scoring.worker.sweep import sweep
from tests.examples import START, new_benchmark, scored_report

Captured = Callable[..., object]

GATE_MS = 30.0
PEOPLE = 5
REJECTED = Rejected(Finding(code="missing_file", facts={"expected": "model.py"}))
several_examples = hypothesis_settings(
    max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def people(make_user: Callable[[str], User]) -> list[User]:
    return [make_user(f"user{number}") for number in range(PEOPLE)]


@pytest.fixture
def score(make_evaluation: Callable[..., Evaluation], track: Track) -> Callable[..., Evaluation]:
    """Return a function that gives a participant a score on both splits."""

    def give(user: User, value: float) -> Evaluation:
        evaluation = make_evaluation(user, track)
        lease = lifecycle.claim(evaluation.pk, owner="w", now=START)
        report = scored_report(value, private=value / 2)
        lifecycle.record_scored(lease, report, now=START, place=standings.place)
        return evaluation

    return give


# --- one board -----------------------------------------------------------------------------------

TENTHS = st.integers(0, 4).map(lambda tenth: tenth / 10)
MEASURED = st.tuples(TENTHS, TENTHS, TENTHS, st.sampled_from([None, 20.0, 25.0, 40.0]), st.integers(0, 2))
FIELDS = st.lists(st.none() | MEASURED, min_size=PEOPLE, max_size=PEOPLE)


def stand(people: list[User], evaluation: Evaluation, measured: list[tuple[float, ...] | None]) -> None:
    """Make these the standings of the board, whatever they were before."""
    Standing.objects.all().delete()
    Standing.objects.bulk_create(
        Standing(
            benchmark=evaluation.benchmark,
            participant=person,
            evaluation=evaluation,
            value=numbers[0],
            ci_low=numbers[0] - numbers[1],
            ci_high=numbers[0] + numbers[2],
            latency_ms=numbers[3],
            inside_gate=numbers[3] is None or numbers[3] <= GATE_MS,
            achieved_at=START + timedelta(minutes=numbers[4]),
        )
        for person, numbers in zip(people, measured, strict=True)
        if numbers
    )


def computed(higher_is_better: bool) -> list[tuple[int, int | None, int | None, int | None]]:
    """Return the places of the standings as the pure function gives them."""
    contenders = [
        Contender(
            key=row.participant_id,
            value=row.value,
            ci_low=row.ci_low,
            ci_high=row.ci_high,
            achieved_at=row.achieved_at,
            latency_ms=row.latency_ms,
            inside_gate=row.inside_gate,
        )
        for row in Standing.objects.all()
    ]
    places = rank(contenders, higher_is_better=higher_is_better)
    return [(place.key, place.rank, place.rank_low, place.rank_high) for place in places]


def kept() -> list[tuple[int, int | None, int | None, int | None]]:
    """Return the places as the board has them, and see that the rows are numbered without a gap."""
    rows = list(BoardRow.objects.order_by("position"))
    assert [row.position for row in rows] == list(range(1, len(rows) + 1))
    return [(row.participant_id, row.rank, row.rank_low, row.rank_high) for row in rows]


@pytest.mark.parametrize("metric", [Metric.ACCURACY, Metric.CROSS_ENTROPY])
@several_examples
@given(before=FIELDS, after=FIELDS)
def test_the_statement_that_ranks_says_what_the_pure_function_says(
    people: list[User],
    evaluation: Evaluation,
    metric: Metric,
    before: list[tuple[float, ...] | None],
    after: list[tuple[float, ...] | None],
) -> None:
    higher_is_better = metric is Metric.ACCURACY
    evaluation.benchmark.spec = {**evaluation.benchmark.spec, "metric": metric.value}
    evaluation.benchmark.save()

    for measured in (before, after):
        stand(people, evaluation, measured)
        rankings.rank_anew(evaluation.benchmark, Split.PUBLIC)

        assert kept() == computed(higher_is_better)
        assert proof.examine(evaluation.benchmark, Split.PUBLIC) == 0
    with transaction.atomic():
        BoardRow.objects.all().delete()
        Ranking.objects.all().delete()


def test_a_revision_grows_only_with_a_change(
    score: Callable[..., Evaluation], alice: User, bob: User, track: Track
) -> None:
    score(alice, 0.5)
    first = board(track).revision
    score(alice, 0.25)  # not better than what stands
    rankings.rank_anew(track.benchmark, Split.PUBLIC)
    second = board(track).revision
    score(bob, 0.75)

    assert (second, board(track).revision > second) == (first, True)


# --- whatever happens ----------------------------------------------------------------------------

ACTS = st.tuples(
    st.sampled_from(["upload", "score", "reject", "fault", "cancel", "retry", "publish", "upload", "score"]),
    st.integers(0, PEOPLE - 1),
    TENTHS,
)


@dataclass
class World:
    """A site on which things happen."""

    track: Track
    people: list[User]
    make_evaluation: Callable[..., Evaluation]
    minutes: int = field(default=0)

    def act(self, name: str, which: int, value: float) -> None:
        """Do one thing; nothing if there is nothing to do it to."""
        self.minutes += 10
        at = START + timedelta(minutes=self.minutes)
        if name == "upload":
            self.make_evaluation(self.people[which], self.track, at=at)
        elif name == "publish":
            new_benchmark(self.track)
            rescore_track(track=self.track, now=at)
        elif name == "retry":
            for pk in self._some(Status.FAILED, which):
                lifecycle.retry(pk, now=at)
        else:
            for pk in self._some(Status.QUEUED, which):
                self._end(name, pk, value)

    def _end(self, name: str, pk: int, value: float) -> None:
        at = START + timedelta(days=1, minutes=self.minutes)
        if name == "cancel":
            lifecycle.cancel(pk, now=at)
            return
        lease = lifecycle.claim(pk, owner="w", now=at)
        if name == "score":
            report = scored_report(value, private=0.4 - value)
            lifecycle.record_scored(lease, report, now=at, place=standings.place)
        elif name == "reject":
            lifecycle.record_rejected(lease, REJECTED, now=at)
        else:
            Evaluation.objects.filter(pk=pk).update(attempts=99)
            lifecycle.record_fault(lease, reference="r", detail="d", now=at)

    def _some(self, status: Status, which: int) -> list[int]:
        rows = Evaluation.objects.filter(status=status).order_by("pk").values_list("pk", flat=True)
        return list(rows)[which : which + 1]


@pytest.mark.parametrize("ranked_with_the_score", [0, 2, 500])
@several_examples
@given(acts=st.lists(ACTS, max_size=25))
def test_boards_and_counts_are_what_computing_them_anew_gives(
    make_evaluation: Callable[..., Evaluation],
    people: list[User],
    track: Track,
    django_capture_on_commit_callbacks: Captured,
    ranked_with_the_score: int,
    acts: list[tuple[str, int, float]],
) -> None:
    with pytest.MonkeyPatch.context() as patch, transaction.atomic():
        patch.setattr(rankings, "RANKED_WITH_THE_SCORE", ranked_with_the_score)
        track.refresh_from_db()
        world = World(track, people, make_evaluation)
        with django_capture_on_commit_callbacks(execute=True):
            for name, which, value in acts:
                world.act(name, which, value)

        for version in track.benchmarks.all():
            assert not standings.examine(version)
            assert [proof.examine(version, split) for split in Split] == [0, 0]
        assert counts.examine(track) == 0
        assert not Unranked.objects.exists()
        transaction.set_rollback(True)


# --- when a board is ranked ----------------------------------------------------------------------


def test_a_large_board_is_ranked_after_the_score_is_recorded(
    score: Callable[..., Evaluation],
    alice: User,
    bob: User,
    track: Track,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Captured,
) -> None:
    score(alice, 0.5)
    monkeypatch.setattr(rankings, "RANKED_WITH_THE_SCORE", 0)

    with django_capture_on_commit_callbacks(execute=True):
        score(bob, 0.75)
        meanwhile = [row.participant_name for row in board(track).rows]

    assert meanwhile == ["alice"]
    assert [row.participant_name for row in board(track).rows] == ["bob", "alice"]


def test_the_sweep_ranks_what_a_killed_worker_left(
    score: Callable[..., Evaluation], alice: User, track: Track, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rankings, "RANKED_WITH_THE_SCORE", -1)
    score(alice, 0.5)  # its transaction does not end in this test, so nobody ranks after it
    left = board(track).participants

    sweep(START)

    assert (left, board(track).participants) == (0, 1)
    assert not Unranked.objects.exists()


def test_a_change_noted_while_a_board_is_ranked_is_ranked_in_the_next_round(
    score: Callable[..., Evaluation], alice: User, bob: User, track: Track, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rankings, "RANKED_WITH_THE_SCORE", -1)
    score(alice, 0.5)
    ranking = Ranking.objects.get(split=Split.PUBLIC)
    write = rankings._write_rows

    def and_then_another(row: Ranking) -> int:
        changed = write(row)
        monkeypatch.setattr(rankings, "_write_rows", write)
        score(bob, 0.75)
        return changed

    monkeypatch.setattr(rankings, "_write_rows", and_then_another)
    rankings.catch_up(ranking.pk)

    assert [row.participant_name for row in board(track).rows] == ["bob", "alice"]


# --- proved and repaired -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        lambda: BoardRow.objects.filter(position=1).update(rank=7),
        lambda: BoardRow.objects.filter(position=1).update(rank_low=2),
        lambda: BoardRow.objects.filter(position=1).update(rank_high=3),
        lambda: BoardRow.objects.update(position=F("position") + 1),
        lambda: BoardRow.objects.filter(position=2).update(value=0.9),
        lambda: BoardRow.objects.filter(position=2).delete(),
        lambda: Standing.objects.all().delete(),
        lambda: Ranking.objects.update(participants=9),
        lambda: Ranking.objects.update(best=0.9),
        lambda: Participation.objects.filter(participant__username="alice").update(submissions=9),
        lambda: Participation.objects.filter(participant__username="alice").delete(),
        lambda: TrackCounts.objects.update(participants=9),
        lambda: TrackCounts.objects.update(submissions=9),
        lambda: TrackCounts.objects.all().delete(),
    ],
)
def test_the_command_finds_and_repairs_whatever_is_wrong(
    score: Callable[..., Evaluation], alice: User, bob: User, track: Track, damage: Callable[[], object]
) -> None:
    for user in (alice, bob):
        score(user, 0.5)
    before = board(track)
    damage()

    with pytest.raises(CommandError, match="differs"):
        call_command("rebuild_standings", "--check", stdout=StringIO())
    call_command("rebuild_standings", stdout=StringIO())
    call_command("rebuild_standings", "--check", stdout=StringIO())

    assert replace(board(track), revision=before.revision) == before


def test_a_count_of_somebody_who_never_submitted_is_taken_away(alice: User, track: Track) -> None:
    Participation.objects.create(track=track, participant=alice, submissions=3)

    assert counts.rebuild(track) == 1
    assert not Participation.objects.exists()
