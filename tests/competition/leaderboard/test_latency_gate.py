"""Who is too slow is listed and not ranked; of equal scores the faster one wins."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from competition.leaderboard import standings
from competition.leaderboard.board_files import as_plain, csv_lines
from competition.leaderboard.models import Standing
from competition.leaderboard.ranking import Contender, rank
from competition.leaderboard.selectors import board
from competition.submissions import lifecycle, reports
from competition.submissions.models import Evaluation
from competition.tracks.models import Track
from tests.examples import START, new_benchmark, scored_report, set_fields

GATE_MS = 35.0


def contender(key: int, value: float, latency_ms: float, *, minute: int = 0) -> Contender:
    return Contender(
        key=key,
        value=value,
        ci_low=value,
        ci_high=value,
        achieved_at=START + timedelta(minutes=minute),
        latency_ms=latency_ms,
        inside_gate=latency_ms <= GATE_MS,
    )


def test_the_best_value_outside_the_gate_stands_below_the_worst_inside() -> None:
    places = rank([contender(1, 0.9, 40.0), contender(2, 0.1, 35.0)], higher_is_better=True)

    assert [(place.key, place.rank) for place in places] == [(2, 1), (1, None)]


def test_nobody_outside_the_gate_takes_a_rank_from_those_inside() -> None:
    field = [contender(1, 0.9, 40.0), contender(2, 0.5, 10.0), contender(3, 0.4, 10.0)]

    places = rank(field, higher_is_better=True)

    assert [(place.rank, place.rank_low, place.rank_high) for place in places] == [
        (1, 1, 1),
        (2, 2, 2),
        (None, None, None),
    ]


@pytest.mark.parametrize("higher_is_better", [True, False])
def test_of_equal_values_the_faster_ranks_first_though_it_came_later(higher_is_better: bool) -> None:
    slow, fast = contender(1, 0.5, 30.0), contender(2, 0.5, 20.0, minute=9)

    places = rank([slow, fast], higher_is_better=higher_is_better)

    assert [(place.key, place.rank) for place in places] == [(2, 1), (1, 2)]


def test_equal_values_of_equal_latency_share_a_rank() -> None:
    places = rank([contender(1, 0.5, 20.0), contender(2, 0.5, 20.0)], higher_is_better=True)

    assert [place.rank for place in places] == [1, 1]


@pytest.fixture
def gated(track: Track) -> Track:
    set_fields(track, budgets__max_latency_ms=GATE_MS)
    track.save()
    new_benchmark(track)
    return track


@pytest.fixture
def score(
    make_evaluation: Callable[..., Evaluation], gated: Track, now: datetime
) -> Callable[..., Evaluation]:
    """Return a function that uploads an entry and scores it with a latency."""

    def score(user: User, value: float, latency_ms: float | None, *, minute: int = 0) -> Evaluation:
        evaluation = make_evaluation(user, gated, at=START + timedelta(minutes=minute))
        lease = lifecycle.claim(evaluation.pk, owner="w", now=now + timedelta(days=1))
        report = scored_report(value)
        usage = replace(report.usage, latency_p50_ms=latency_ms, latency_p95_ms=latency_ms)
        report = replace(report, usage=usage)
        lifecycle.record_scored(lease, report, now=now + timedelta(days=1), place=standings.place)
        return evaluation

    return score


def test_a_participants_fast_entry_stands_before_a_better_one_that_is_too_slow(
    alice: User, score: Callable[..., Evaluation]
) -> None:
    fast = score(alice, 0.5, 35.0)
    score(alice, 0.9, 35.1, minute=1)

    standing = Standing.objects.get()
    assert (standing.evaluation_id, standing.inside_gate) == (fast.pk, True)


def test_a_participants_faster_entry_stands_before_an_earlier_one_of_equal_score(
    alice: User, score: Callable[..., Evaluation]
) -> None:
    score(alice, 0.5, 30.0)
    faster = score(alice, 0.5, 20.0, minute=1)

    assert Standing.objects.get().evaluation_id == faster.pk


def test_an_entry_that_nobody_timed_is_outside(alice: User, score: Callable[..., Evaluation]) -> None:
    score(alice, 0.5, None)

    assert Standing.objects.get().inside_gate is False


def test_rebuilding_changes_nothing(alice: User, gated: Track, score: Callable[..., Evaluation]) -> None:
    score(alice, 0.9, 50.0)

    assert not standings.rebuild(gated.benchmark)


def test_files_tell_the_gate_and_each_latency(
    alice: User, bob: User, gated: Track, score: Callable[..., Evaluation]
) -> None:
    score(alice, 0.9, 50.0)
    score(bob, 0.5, 20.0)

    plain = as_plain(board(gated))
    lines = "".join(csv_lines(board(gated))).splitlines()

    assert plain["max_latency_ms"] == GATE_MS
    assert [(row["rank"], row["latency_ms"]) for row in json.loads(json.dumps(plain))["rows"]] == [
        (1, 20.0),
        (None, 50.0),
    ]
    assert [line.split(",")[-5:-3] for line in lines[1:]] == [["20.0", "true"], ["50.0", "false"]]


def test_the_page_names_the_gate_and_who_is_outside(
    client: Client, alice: User, gated: Track, score: Callable[..., Evaluation]
) -> None:
    score(alice, 0.9, 50.0)

    page = client.get(f"/tracks/{gated.slug}/leaderboard/").content.decode()

    assert "at most 35 ms" in page
    assert "50.0 ms" in page
    assert "outside" in page


def test_a_submission_tells_the_gate_that_it_was_held_to(
    client: Client, alice: User, gated: Track, score: Callable[..., Evaluation], now: datetime
) -> None:
    evaluation = score(alice, 0.9, 35.04)
    set_fields(gated, budgets__max_latency_ms=50.0)
    gated.save()
    new_benchmark(gated)
    client.force_login(alice)

    page = client.get(f"/submissions/{evaluation.submission_id}/?version=2").content.decode()

    assert reports.report(Evaluation.objects.get(), now=now)["max_latency_ms"] == GATE_MS
    assert "35.1 ms median of at most 35 ms (outside the gate)" in page


@pytest.mark.parametrize("place", ["leaderboard/", ""])
def test_pages_show_the_gate_as_it_was_set(client: Client, gated: Track, place: str) -> None:
    set_fields(gated, budgets__max_latency_ms=2.25)
    gated.save()
    new_benchmark(gated)

    page = client.get(f"/tracks/{gated.slug}/{place}").content.decode()

    assert "2.25" in page
