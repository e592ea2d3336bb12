"""What a page asks the database does not grow with what an organiser has."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from competition.admin.organisers import organisers
from competition.submissions.models import Evaluation
from competition.tracks.models import Competition, Dataset, Track

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
        assert client.get(page).status_code == 200
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
