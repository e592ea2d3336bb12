"""An organiser's entry is shown among the ranks without one, and takes no rank from anybody."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from competition.audit.models import AuditRecord
from competition.leaderboard import baselines, standings
from competition.leaderboard.selectors import board
from competition.submissions import lifecycle
from competition.submissions.models import Evaluation
from competition.tracks.models import Track
from tests.examples import START, scored_report

pytestmark = pytest.mark.django_db


@pytest.fixture
def give(make_evaluation: Callable[..., Evaluation], track: Track) -> Callable[[User, float], Evaluation]:
    def act(user: User, value: float) -> Evaluation:
        evaluation = make_evaluation(user, track)
        lease = lifecycle.claim(evaluation.pk, owner="w", now=START)
        lifecycle.record_scored(lease, scored_report(value), now=START, place=standings.place)
        return evaluation

    return act


@pytest.fixture
def baseline(give, staff: User, alice: User, bob: User) -> Evaluation:
    """A baseline between the first and the second."""
    give(alice, 0.9)
    give(bob, 0.7)
    evaluation = give(staff, 0.8)
    baselines.make_baseline(submission=evaluation.submission, name="ResNet-18", by=staff)
    return evaluation


def ranks(track: Track) -> list[tuple[int | None, str]]:
    return [(row.rank, row.participant_name) for row in board(track).rows]


def test_a_baseline_takes_no_rank(track: Track, baseline: Evaluation) -> None:
    assert ranks(track) == [(1, "alice"), (2, "bob")]
    assert board(track).participants == 2


def test_the_page_shows_it_between_those_it_lies_between(client: Client, track: Track, baseline) -> None:
    page = client.get(f"/tracks/{track.slug}/leaderboard/")

    rows = [(each.row.rank, each.row.baseline or each.row.participant_name) for each in page.context["drawn"]]
    assert rows == [(1, "alice"), (None, "ResNet-18"), (2, "bob")]
    assert '<span class="mark">baseline</span>' in page.content.decode()


@pytest.mark.parametrize(("page", "shown"), [(1, ["alice", "ResNet-18"]), (2, ["bob"])])
def test_it_is_on_one_page_only(
    client: Client, track: Track, baseline, monkeypatch: pytest.MonkeyPatch, page: int, shown: list[str]
) -> None:
    monkeypatch.setattr("competition.pages.leaderboard.ROWS_A_PAGE", 1)

    drawn = client.get(f"/tracks/{track.slug}/leaderboard/?page={page}").context["drawn"]

    assert [each.row.baseline or each.row.participant_name for each in drawn] == shown


def test_the_api_lists_baselines_apart(client: Client, track: Track, baseline) -> None:
    body = client.get(f"/api/tracks/{track.slug}/leaderboard/").json()

    assert [(row["name"], row["value"], row["rank"]) for row in body["baselines"]] == [
        ("ResNet-18", 0.8, None)
    ]
    assert [row["participant"] for row in body["rows"]] == ["alice", "bob"]


def test_it_counts_again_once_it_is_no_baseline(track: Track, baseline: Evaluation, staff: User) -> None:
    assert baselines.end_baseline(submission=baseline.submission, by=staff)
    assert not baselines.end_baseline(submission=baseline.submission, by=staff)

    assert ranks(track) == [(1, "alice"), (2, "staff"), (3, "bob")]


def test_the_trail_tells_it_once(baseline: Evaluation, staff: User) -> None:
    assert not baselines.make_baseline(submission=baseline.submission, name="ResNet-18", by=staff)

    record = AuditRecord.objects.get(act="submission.baseline_changed")
    assert (record.before, record.after) == ({"baseline": None}, {"baseline": "ResNet-18"})


def test_only_an_organisers_entry_may_become_one(give, staff: User, alice: User) -> None:
    assert baselines.may_be_baseline(give(staff, 0.5).submission)
    assert not baselines.may_be_baseline(give(alice, 0.5).submission)


def test_compared_entries_say_whether_chance_may_be_all(
    client: Client, track: Track, baseline, bob: User
) -> None:
    number = baseline.submission.baseline.pk
    client.force_login(bob)

    page = client.get(
        f"/tracks/{track.slug}/leaderboard/compare/?with=bob&with=alice&with=baseline:{number}&with=x"
    )

    compared = page.context["compared"]
    assert compared.names == ("alice", "ResNet-18", "bob")
    assert [each.difference for each in compared.entries] == [None, -0.1, -0.2]
    assert [each.is_apart for each in compared.entries] == [False, True, True]
    assert compared.groups == (("night", (None, None, 1.0)),)


def test_six_entries_are_too_many_to_compare(client: Client, track: Track, baseline) -> None:
    query = "&".join(f"with=p{number}" for number in range(6))

    page = client.get(f"/tracks/{track.slug}/leaderboard/compare/?{query}")

    assert page.context["too_many"]
    assert "Choose two to 5 entries" in page.content.decode()
