"""What a page asks the database does not grow with what there is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from competition.admin.organisers import organisers
from competition.leaderboard import standings, summing_up
from competition.leaderboard.models import Charts
from competition.submissions import lifecycle
from competition.submissions.models import Evaluation
from competition.tracks.models import Competition, Dataset, Track
from tests.examples import START, scored_report

pytestmark = pytest.mark.django_db

PAGES = (
    "/",
    "/api/tracks/",
    "/tracks/track-one/",
    "/tracks/track-one/leaderboard/?split=private",
    "/admin/",
    "/admin/tracks/competition/",
    "/admin/tracks/track/",
    "/admin/tracks/track/add/",
    "/admin/tracks/dataset/",
    "/admin/tracks/benchmarkversion/",
    "/admin/submissions/submission/",
    "/admin/submissions/evaluation/",
    "/admin/leaderboard/standing/",
)


@pytest.fixture
def organiser(staff: User) -> Client:
    staff.groups.add(organisers())
    client = Client()
    client.force_login(staff)
    return client


def queries(client: Client, page: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        answer = client.get(page)
        assert answer.status_code == 200
        answer.getvalue()  # what is streamed asks while it is read
    return len(captured)


@pytest.mark.parametrize("page", PAGES)
def test_an_organisers_page_takes_as_many_queries_for_more_rows(
    organiser: Client,
    staff: User,
    track: Track,
    evaluation: Evaluation,
    bob: User,
    make_track: Callable[..., Track],
    make_evaluation: Callable[..., Evaluation],
    page: str,
) -> None:
    make_evaluation(bob, make_track("track-two"))  # lists of one row leave their filters out
    queries(organiser, page)  # what is asked once and kept
    before = queries(organiser, page)

    for number in range(3):
        another = Competition.objects.create(slug=f"more-{number}", name=f"More {number}")
        another.organisers.add(staff)
        Dataset.objects.create(competition=another, name="d", archive="x", digest=f"{number}", samples=1)
        make_evaluation(bob, make_track(f"more-{number}"))
        make_evaluation(bob, track)

    assert queries(organiser, page) == before


OWN_PAGES = (
    "/",
    "/competitions/cvpr2022/",
    "/competitions/cvpr2022/leaderboards/",
    "/competitions/cvpr2022/submissions/",
    "/tracks/track-one/",
    "/tracks/track-one/submit/",
    "/tracks/track-one/leaderboard/",
    "/tracks/track-one/leaderboard/charts/",
    "/tracks/track-one/leaderboard.csv",
    "/tracks/track-one/leaderboard.json",
    "/submissions/",
    "/submissions/?track=track-one",
    "/submissions/{id}/",
    "/submissions/{id}/live/",
    "/status/",
    "/account/",
    "/api/competitions/",
    "/api/competitions/cvpr2022/",
    "/api/tracks/",
    "/api/tracks/track-one/",
    "/api/tracks/track-one/leaderboard/",
    "/api/tracks/track-one/leaderboard/charts/",
    "/api/submissions/",
    "/api/submissions/?status=scored",
    "/api/submissions/{id}/",
    "/api/submissions/{id}/report/",
)


@pytest.mark.parametrize("page", OWN_PAGES)
def test_a_participants_page_takes_as_many_queries_for_more_rows(
    alice: User,
    bob: User,
    staff: User,
    track: Track,
    make_evaluation: Callable[..., Evaluation],
    page: str,
) -> None:
    def score(user: User, value: float) -> Evaluation:
        evaluation = make_evaluation(user, track)
        lease = lifecycle.claim(evaluation.pk, owner="w", now=START)
        lifecycle.record_scored(lease, scored_report(value), now=START, place=standings.place)
        return evaluation

    first = score(alice, 0.5)
    score(bob, 0.25)
    make_evaluation(alice, track)
    client = Client()
    client.force_login(alice)
    address = page.format(id=first.submission_id)
    summing_up.sweep(START)
    queries(client, address)  # what is asked once and kept
    before = queries(client, address)

    for user, value in ((alice, 0.75), (bob, 0.625), (staff, 0.875), (staff, 0.375)):
        score(user, value)
        make_evaluation(user, track)
    Charts.objects.update(rests_until=START)
    summing_up.sweep(START)

    assert queries(client, address) == before
