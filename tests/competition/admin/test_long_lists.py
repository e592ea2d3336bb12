"""Lists that may have millions of rows: counted so far, searched by what has an index, filtered without reading all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from competition.admin import long_lists
from competition.admin.submissions.evaluation import EvaluationAdmin
from competition.clock import database_now
from competition.submissions.models import Evaluation, Submission
from competition.tracks.models import Competition, Track
from scoring.contracts import Status
from tests.conftest import competition, dataset, track

__all__ = ["competition", "dataset", "track"]

pytestmark = pytest.mark.django_db

SUBMISSIONS = "admin:submissions_submission_changelist"
EVALUATIONS = "admin:submissions_evaluation_changelist"
LISTS = (
    SUBMISSIONS,
    EVALUATIONS,
    "admin:leaderboard_standing_changelist",
    "admin:audit_auditrecord_changelist",
)


@pytest.fixture
def foreign_evaluation(
    alice: User, make_track: Callable[..., Track], make_evaluation: Callable[..., Evaluation]
) -> Evaluation:
    """One in somebody else's competition."""
    foreign = make_track("theirs")
    foreign.competition = Competition.objects.create(slug="theirs", name="Theirs")
    foreign.save()
    return make_evaluation(alice, foreign)


def shown(client: Client, name: str, **query: str) -> list[object]:
    return list(client.get(reverse(name), query).context["cl"].result_list)


def test_a_long_list_is_counted_no_further_than_it_is_paged(
    monkeypatch: pytest.MonkeyPatch,
    organiser: Client,
    track: Track,
    alice: User,
    make_evaluation: Callable[..., Evaluation],
) -> None:
    monkeypatch.setattr(long_lists, "MOST_COUNTED", 2)
    monkeypatch.setattr(EvaluationAdmin, "list_per_page", 1)
    for _ in range(3):
        make_evaluation(alice, track)

    page = organiser.get(reverse(EVALUATIONS))

    assert page.context["cl"].result_count == 2
    assert page.context["cl"].paginator.num_pages == 2
    assert "more than 2 evaluations" in page.content.decode()
    assert "across all pages" not in page.content.decode()


@pytest.mark.parametrize("name", LISTS)
def test_no_list_counts_or_groups_all_its_rows(organiser: Client, evaluation: Evaluation, name: str) -> None:
    with CaptureQueriesContext(connection) as captured:
        organiser.get(reverse(name))

    asked = [query["sql"].upper() for query in captured]
    table = name.removeprefix("admin:").removesuffix("_changelist").upper()
    about = [sql for sql in asked if f'FROM "{table}"' in sql]
    assert about
    assert not [sql for sql in about if "DISTINCT" in sql or ("COUNT(" in sql and "LIMIT" not in sql)]


@pytest.mark.parametrize(
    "term",
    [
        lambda row: str(row.pk),
        lambda row: row.short_id,
        lambda row: row.short_id.upper(),
        lambda row: row.sha256,
        lambda row: row.participant.username,
        lambda row: row.participant.email,
        lambda row: row.entry_name[:4],
        lambda row: "F00D",
    ],
    ids=["id", "short id", "in capitals", "sha256", "participant", "address", "file name", "reference"],
)
def test_a_submission_and_its_evaluations_are_found(
    organiser: Client,
    track: Track,
    alice: User,
    bob: User,
    make_evaluation: Callable[..., Evaluation],
    term: Callable[[Submission], str],
) -> None:
    wanted, _ = make_evaluation(alice, track), make_evaluation(bob, track)
    Evaluation.objects.filter(pk=wanted.pk).update(reference="F00D")
    Submission.objects.filter(pk=wanted.submission_id).update(entry_name="best model.zip", sha256="ab" * 32)
    submission = Submission.objects.get(pk=wanted.submission_id)

    assert shown(organiser, SUBMISSIONS, q=term(submission)) == [submission]
    assert shown(organiser, EVALUATIONS, q=term(submission)) == [wanted]


@pytest.mark.parametrize("term", ["nobody", "abcdef", "ab" * 32, "50%", "a" * 400, "\u00e9"])
def test_what_fits_nothing_finds_nothing(organiser: Client, evaluation: Evaluation, term: str) -> None:
    assert shown(organiser, SUBMISSIONS, q=term) == []
    assert shown(organiser, EVALUATIONS, q=term) == []


def test_a_search_leaves_other_competitions_alone(organiser: Client, foreign_evaluation: Evaluation) -> None:
    assert shown(organiser, SUBMISSIONS, q=foreign_evaluation.submission.short_id) == []
    assert shown(organiser, EVALUATIONS, q=foreign_evaluation.submission.short_id) == []


def test_rows_are_kept_to_a_period(organiser: Client, evaluation: Evaluation) -> None:
    now = database_now()
    Submission.objects.update(created_at=now - timedelta(days=2))
    month = f"{now - timedelta(days=2):%Y-%m}"

    assert shown(organiser, SUBMISSIONS, period="day") == []
    assert shown(organiser, SUBMISSIONS, period="week") == [evaluation.submission]
    assert shown(organiser, SUBMISSIONS, period=month) == [evaluation.submission]
    assert shown(organiser, SUBMISSIONS, period="no month") == [evaluation.submission]


def test_submissions_are_kept_to_a_status(organiser: Client, evaluation: Evaluation) -> None:
    assert shown(organiser, SUBMISSIONS, status=Status.QUEUED) == [evaluation.submission]
    assert shown(organiser, SUBMISSIONS, status=Status.FAILED) == []


def test_codes_that_occur_can_be_chosen(organiser: Client, evaluation: Evaluation) -> None:
    Evaluation.objects.update(code="macs_over_budget")

    page = organiser.get(reverse(EVALUATIONS))

    assert "?code=macs_over_budget" in page.content.decode()
    assert "?code=timed_out" not in page.content.decode()
    assert shown(organiser, EVALUATIONS, code="macs_over_budget") == [evaluation]
