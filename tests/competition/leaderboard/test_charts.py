"""What charts show is summed up once for each change of a board, from what counts, and read in a few queries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from competition.leaderboard import rankings, standings, summing_up
from competition.leaderboard.charts import BoardCharts, charts_of
from competition.leaderboard.disqualifying import disqualify_submission
from competition.leaderboard.models import Charts, Ranking
from competition.leaderboard.selectors import board
from competition.submissions import lifecycle
from competition.submissions.models import Evaluation
from competition.tracks.models import Track
from scoring.contracts import METRIC_FACTS, Metric
from tests.examples import START, new_benchmark, scored_report

pytestmark = pytest.mark.django_db

Give = Callable[..., Evaluation]


@pytest.fixture
def give(make_evaluation: Callable[..., Evaluation], track: Track) -> Give:
    """Return a function that scores a new submission of somebody, uploaded some days after the start."""

    def act(user: User, value: float, *, days: int = 0, macs: int = 100) -> Evaluation:
        at = START + timedelta(days=days)
        evaluation = make_evaluation(user, track, at=at)
        lease = lifecycle.claim(evaluation.pk, owner="w", now=at)
        report = scored_report(value)
        report = replace(report, usage=replace(report.usage, macs=macs))
        lifecycle.record_scored(lease, report, now=at, place=standings.place)
        return evaluation

    return act


def drawn(track: Track) -> BoardCharts:
    summing_up.sweep(START)
    return charts_of(board(track, limit=0))


def test_nothing_is_drawn_before_a_board_was_summed_up(track: Track, give: Give, alice: User) -> None:
    give(alice, 0.5)

    assert not charts_of(board(track, limit=0))


def test_the_record_holds_scores_that_were_better_than_all_before(
    track: Track, give: Give, alice: User, bob: User
) -> None:
    give(alice, 0.5, days=1)
    give(bob, 0.4, days=2)
    give(bob, 0.7, days=3)
    give(alice, 0.7, days=4)
    give(alice, 0.8, days=5)

    record = drawn(track).record

    assert [(step.participant, step.value) for step in record] == [
        ("alice", 0.5),
        ("bob", 0.7),
        ("alice", 0.8),
    ]
    assert record[1].at == START + timedelta(days=3)


def test_the_record_falls_where_lower_is_better(
    track: Track, give: Give, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    lower = replace(METRIC_FACTS[Metric.ACCURACY], higher_is_better=False)
    for module in (summing_up, standings, rankings):
        monkeypatch.setattr(module, "METRIC_FACTS", {**METRIC_FACTS, Metric.ACCURACY: lower})
    for day, value in enumerate((0.5, 0.6, 0.3)):
        give(alice, value, days=day)

    charts = drawn(track)

    assert [step.value for step in charts.record] == [0.5, 0.3]
    assert [point.value for point in charts.costs[0].front] == [0.3]


def test_a_cheat_leaves_the_record(track: Track, give: Give, alice: User, bob: User, staff: User) -> None:
    give(alice, 0.5, days=1)
    cheat = give(bob, 0.9, days=2)
    give(alice, 0.6, days=3)
    disqualify_submission(submission=cheat.submission, reason="copied", by=staff)

    assert [step.value for step in drawn(track).record] == [0.5, 0.6]


def test_a_long_record_is_thinned_and_keeps_its_ends(
    track: Track, give: Give, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summing_up, "MOST_STEPS", 3)
    for number in range(6):
        give(alice, 0.1 + number / 10, days=number)

    assert [step.value for step in drawn(track).record] == [0.1, 0.3, 0.6]


def test_the_front_is_whom_nobody_beats_at_the_same_cost_or_less(
    track: Track, give: Give, make_user: Callable[[str], User]
) -> None:
    for name, value, macs in [("a", 0.5, 10), ("b", 0.4, 20), ("c", 0.8, 30), ("d", 0.8, 40), ("e", 0.7, 30)]:
        give(make_user(name), value, macs=macs)

    macs, parameters = drawn(track).costs

    assert [point.participant for point in macs.front] == ["a", "c"]
    assert {point.participant for point in macs.points} == {"a", "b", "c", "d", "e"}
    assert [point.participant for point in parameters.front] == ["c"]


def test_scores_are_counted_in_bins(track: Track, give: Give, make_user: Callable[[str], User]) -> None:
    for number, value in enumerate((0.0, 0.01, 0.5, 1.0)):
        give(make_user(f"p{number}"), value)

    bins = drawn(track).scores

    assert len(bins) == summing_up.BINS
    assert [each.participants for each in bins if each.participants] == [2, 1, 1]
    assert (bins[0].low, bins[-1].high) == (0.0, 1.0)


def test_equal_scores_are_one_bin(track: Track, give: Give, alice: User, bob: User) -> None:
    give(alice, 0.5)
    give(bob, 0.5)

    assert [(each.low, each.participants) for each in drawn(track).scores] == [(0.5, 2)]


def test_days_without_submissions_are_shown_too(track: Track, give: Give, alice: User) -> None:
    give(alice, 0.5, days=0)
    give(alice, 0.5, days=2)
    give(alice, 0.5, days=2)

    assert [day.submissions for day in drawn(track).days] == [1, 0, 2]


def test_a_board_is_summed_up_only_when_something_changed(
    track: Track, give: Give, alice: User, make_evaluation: Callable[..., Evaluation]
) -> None:
    give(alice, 0.5)
    summing_up.sweep(START)
    Charts.objects.update(record=[], rests_until=START)

    summing_up.sweep(START)
    unchanged = Charts.objects.get().record
    make_evaluation(alice, track)
    summing_up.sweep(START)

    assert unchanged == []
    assert Charts.objects.get().record != []


def test_a_board_that_takes_long_rests(track: Track, give: Give, alice: User) -> None:
    give(alice, 0.5)
    summing_up.sweep(START)
    Charts.objects.update(rests_until=START + timedelta(minutes=1))
    give(alice, 0.9)

    summing_up.sweep(START)
    rested = Charts.objects.get().revision
    summing_up.sweep(START + timedelta(minutes=2))

    assert rested < Charts.objects.get().revision == Ranking.objects.get().revision


def test_boards_of_earlier_versions_are_left_alone_by_new_submissions(
    track: Track, give: Give, alice: User, make_evaluation: Callable[..., Evaluation]
) -> None:
    give(alice, 0.5)
    summing_up.sweep(START)
    new_benchmark(track)
    Charts.objects.update(record=[], rests_until=START)
    make_evaluation(alice, track)

    summing_up.sweep(START)

    assert Charts.objects.get().record == []
