"""Lines and lanes: kept with the status, proved and mended, filled for what was there before."""

from collections.abc import Callable
from datetime import datetime, timedelta
from importlib import import_module
from io import StringIO

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django import DjangoAssertNumQueries

from competition.submissions import lifecycle
from competition.submissions.lifecycle.rebuilding import QueueDrift
from competition.submissions.lines import NEVER, Lane, Line
from competition.submissions.models import Evaluation
from competition.tracks.models import Track
from scoring.contracts import Status
from tests.examples import new_benchmark


@pytest.fixture
def several(
    make_evaluation: Callable[..., Evaluation], alice: User, bob: User, track: Track, now: datetime
) -> list[Evaluation]:
    """Two of Alice's wait, one of Bob's runs, and another of his is to be scored again."""
    made = [make_evaluation(alice, track), make_evaluation(alice, track), make_evaluation(bob, track)]
    made.append(make_evaluation(bob, track, priority=Evaluation.Priority.RESCORE))
    lifecycle.claim(made[2].pk, owner="w", now=now)
    return made


def lanes() -> list[tuple[object, ...]]:
    columns = ("line__participant__username", "priority", "waiting", "next_evaluation", "served_at")
    return list(Lane.objects.order_by("pk").values_list(*columns))


def test_a_lane_says_how_many_wait_and_which_is_next(several: list[Evaluation], now: datetime) -> None:
    assert lanes() == [
        ("alice", 0, 2, several[0].pk, NEVER),
        ("bob", 0, 0, None, now),
        ("bob", 10, 1, several[3].pk, now),
    ]


def test_what_is_given_back_gives_its_turn_back(several: list[Evaluation], now: datetime) -> None:
    lease = lifecycle.Lease(evaluation=several[2].pk, owner="w", fence=1)

    lifecycle.release(lease, now=now + timedelta(seconds=1))

    assert lanes()[1:] == [("bob", 0, 1, several[2].pk, NEVER), ("bob", 10, 1, several[3].pk, NEVER)]


def test_the_turn_that_is_given_back_is_the_last_one_that_came_to_an_end(
    make_evaluation: Callable[..., Evaluation], alice: User, track: Track, now: datetime
) -> None:
    earlier = now - timedelta(hours=1)
    make_evaluation(alice, track, status=Status.REJECTED, started_at=earlier, finished_at=now)
    lease = lifecycle.claim(make_evaluation(alice, track).pk, owner="w", now=now)

    lifecycle.record_fault(lease, reference="r", detail="", now=now)

    assert Line.objects.get().served_at == earlier


def test_entering_takes_as_many_queries_for_many_as_for_few(
    make_evaluation: Callable[..., Evaluation],
    make_user: Callable[[str], User],
    track: Track,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    rows = [make_evaluation(make_user(f"user{n}"), track) for n in range(30)]
    newer = new_benchmark(track)
    again = [Evaluation(submission=row.submission, benchmark=newer) for row in rows]

    with django_assert_max_num_queries(12):
        lifecycle.enter(again)

    assert Lane.objects.filter(benchmark=newer, waiting=1).count() == 30


@pytest.mark.parametrize(
    ("spoil", "drift"),
    [
        (
            lambda: Evaluation.objects.filter(status=Status.QUEUED).update(lane=None),
            QueueDrift(misplaced=3, lanes=2, lines=0),
        ),
        (
            lambda: Evaluation.objects.update(lane=Lane.objects.earliest("pk")),
            QueueDrift(misplaced=2, lanes=2, lines=0),
        ),
        (lambda: Lane.objects.update(waiting=7), QueueDrift(misplaced=0, lanes=3, lines=0)),
        (
            lambda: Lane.objects.filter(waiting__gt=0).update(next_evaluation=0),
            QueueDrift(misplaced=0, lanes=2, lines=0),
        ),
        (
            lambda: Lane.objects.filter(waiting__gt=0).update(next_queued_at=None),
            QueueDrift(misplaced=0, lanes=2, lines=0),
        ),
        (lambda: Line.objects.update(served_at=NEVER), QueueDrift(misplaced=0, lanes=1, lines=1)),
        (lambda: Line.objects.all().delete(), QueueDrift(misplaced=4, lanes=0, lines=1)),
    ],
    ids=["no lane", "wrong lane", "number", "next", "since", "service", "no lines"],
)
def test_what_is_wrong_is_found_and_mended(
    several: list[Evaluation], spoil: Callable[[], object], drift: QueueDrift
) -> None:
    before = sorted(lanes(), key=str)
    spoil()

    found = lifecycle.examine_queue()
    with pytest.raises(CommandError):
        call_command("rebuild_queue", check=True, stdout=StringIO())
    mended = lifecycle.rebuild_queue()

    assert found == mended == drift
    assert not lifecycle.examine_queue()
    assert sorted(lanes(), key=str) == before


def test_the_command_says_what_was_wrong(several: list[Evaluation]) -> None:
    out = StringIO()
    call_command("rebuild_queue", check=True, stdout=out)
    Lane.objects.update(waiting=7)
    call_command("rebuild_queue", stdout=out)
    call_command("rebuild_queue", check=True, stdout=out)

    assert out.getvalue().splitlines() == [
        "wrong: lanes of 0 evaluations, 0 lanes, 0 lines",
        "wrong: lanes of 0 evaluations, 3 lanes, 0 lines",
        "wrong: lanes of 0 evaluations, 0 lanes, 0 lines",
    ]


def test_the_migration_fills_what_was_there_before(several: list[Evaluation]) -> None:
    before = sorted(lanes(), key=str)
    Line.objects.all().delete()

    import_module("competition.submissions.migrations.0008_fill_lines").fill(apps, None)

    assert sorted(lanes(), key=str) == before
    assert not lifecycle.examine_queue()
