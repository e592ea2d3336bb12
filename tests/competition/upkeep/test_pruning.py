"""What is old goes, and nothing that a score, a board or another look at an entry needs."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from competition.audit.models import AuditRecord
from competition.clock import database_now
from competition.leaderboard import standings
from competition.leaderboard.models import BoardRow, Standing
from competition.submissions import lifecycle, rescoring, services
from competition.submissions.models import Evaluation, Score, Submission
from competition.tracks.models import Track
from competition.upkeep import pruning
from scoring.contracts import Status
from tests.examples import scored_report

pytestmark = pytest.mark.django_db

OLD = timedelta(days=200)
YOUNG = timedelta(days=100)
Make = Callable[..., Evaluation]


@pytest.fixture
def make(make_evaluation: Make, track: Track) -> Make:
    """Return a function that makes a scored evaluation of some age, with a log and a report."""

    def make(user: User, value: float, *, age: timedelta = OLD) -> Evaluation:
        at = database_now() - age
        evaluation = make_evaluation(user, track, at=at)
        lease = lifecycle.claim(evaluation.pk, owner="w", now=at)
        lifecycle.record_scored(lease, scored_report(value), now=at, place=standings.place)
        Evaluation.objects.filter(pk=evaluation.pk).update(log="loading\n", fault="Traceback")
        return Evaluation.objects.get(pk=evaluation.pk)

    return make


@pytest.fixture
def beaten(make: Make, alice: User) -> Evaluation:
    """An old evaluation of a participant whose better one stands on the board."""
    worse = make(alice, 0.25)
    make(alice, 0.5)
    return worse


@pytest.fixture
def closed(track: Track) -> Track:
    Track.objects.filter(pk=track.pk).update(closes_at=database_now() - timedelta(days=1))
    return track


def prune(*options: str) -> str:
    told = io.StringIO()
    call_command("prune", "--older-than", "180d", *options, stdout=told)
    return told.getvalue()


def files() -> dict[int, bool]:
    """Say for each evaluation whether its entry is in the store."""
    rows = Evaluation.objects.select_related("submission")
    return {
        row.pk: bool(row.submission.entry) and row.submission.entry.storage.exists(row.submission.entry.name)
        for row in rows
    }


def facts() -> list[object]:
    """Return what pruning never touches."""
    tables = (Score, Standing, BoardRow, AuditRecord)
    kept = Submission.objects.order_by("pk").values("pk", "sha256", "entry_name", "entry_bytes", "created_at")
    judged = Evaluation.objects.order_by("pk").values(
        "pk", "status", "code", "findings", "usage", "reference"
    )
    return [*(list(table.objects.order_by("pk").values()) for table in tables), list(kept), list(judged)]


def test_old_logs_and_reports_go_and_young_ones_stay(make: Make, alice: User, bob: User) -> None:
    old, young = make(alice, 0.5), make(bob, 0.25, age=YOUNG)
    before = facts()

    told = prune("--what", "logs,reports")

    old.refresh_from_db()
    after = Evaluation.objects.get(pk=young.pk)
    assert (old.log, old.fault) == ("", "")
    assert set(old.report) <= {*pruning.KEPT_OF_REPORTS, pruning.PRUNED}
    assert (after.log, after.fault, after.report) == (young.log, young.fault, young.report)
    assert facts() == before
    assert "logs: 1 removed" in told
    assert "reports: 1 removed" in told


def test_the_page_and_the_report_of_what_was_pruned_are_shown(make: Make, alice: User) -> None:
    submission = make(alice, 0.5).submission
    client = Client()
    client.force_login(alice)
    prune("--open-tracks", "--on-boards")

    page = client.get(submission.get_absolute_url())
    report = client.get(reverse("api-report", args=[submission.pk]))
    entry = client.get(reverse("submission-entry", args=[submission.pk]))

    assert "was removed after its time" in page.content.decode()
    assert report.json()["scores"]["accuracy"]["value"] == 0.5
    assert entry.status_code == 404


def test_a_dry_run_tells_and_removes_nothing(beaten: Evaluation, closed: Track) -> None:
    before, there = list(Evaluation.objects.order_by("pk").values()), files()

    told = prune("--dry-run")

    assert f"logs: 2, {2 * len('loading' + chr(10) + 'Traceback')} characters, would be removed" in told
    assert f"entries: 1, {beaten.submission.entry_bytes} bytes, would be removed" in told
    assert list(Evaluation.objects.order_by("pk").values()) == before
    assert files() == there


def test_entries_go_but_for_those_on_a_board(beaten: Evaluation, closed: Track) -> None:
    before = facts()

    prune("--what", "entries")

    assert [pk for pk, there in files().items() if not there] == [beaten.pk]
    assert facts() == before


def test_entries_on_boards_go_if_asked(beaten: Evaluation, closed: Track) -> None:
    prune("--what", "entries", "--on-boards")

    assert set(files().values()) == {False}


def test_entries_that_may_be_scored_again_stay_unless_asked(beaten: Evaluation, track: Track) -> None:
    prune("--what", "entries")
    assert set(files().values()) == {True}

    prune("--what", "entries", "--open-tracks")
    assert [pk for pk, there in files().items() if not there] == [beaten.pk]
    assert beaten.submission not in rescoring.wanted(track)


def test_an_entry_that_waits_or_was_scored_again_lately_stays(
    make: Make, make_evaluation: Make, alice: User, bob: User, closed: Track
) -> None:
    make_evaluation(alice, closed, at=database_now() - OLD)
    again = make(bob, 0.25)
    Evaluation.objects.filter(pk=again.pk).update(finished_at=database_now() - YOUNG)

    prune("--what", "entries", "--on-boards")

    assert set(files().values()) == {True}


def test_what_was_broken_off_is_ended_by_the_next_run(
    make: Make, alice: User, closed: Track, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        make(alice, 0.25)
    monkeypatch.setattr(pruning, "BATCH", 1)
    names = [row.entry.name for row in Submission.objects.all()]
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(FileSystemStorage, "delete", _fail)
        with pytest.raises(OSError, match="away"):
            prune("--what", "entries", "--on-boards")
    assert Submission.objects.filter(entry="").count() == 1

    prune("--what", "entries", "--on-boards")

    assert Submission.objects.filter(entry="").count() == 3
    # The file of the first: no row names it, and the sweep removes it.
    assert sum(default_storage.exists(name) for name in names) == 1


def test_a_second_run_finds_nothing(beaten: Evaluation, closed: Track) -> None:
    prune()

    told = prune()

    assert [line for line in told.splitlines() if "removed" in line and " 0 removed" not in line] == []


def test_database_and_store_agree_afterwards(beaten: Evaluation, closed: Track) -> None:
    prune("--what", "entries")
    told = io.StringIO()

    with pytest.raises(CommandError):  # the dataset of these tests has no archive
        call_command("audit", stdout=told)

    assert [
        line for line in told.getvalue().splitlines() if line.startswith("row_without_file: submission")
    ] == []


def test_what_has_no_file_is_not_queued_again(make_evaluation: Make, alice: User, closed: Track) -> None:
    evaluation = make_evaluation(alice, closed, at=database_now() - OLD)
    lifecycle.cancel(evaluation.pk, now=database_now() - OLD)
    prune("--what", "entries")
    evaluation = Evaluation.objects.get(pk=evaluation.pk)

    assert not evaluation.submission.entry
    assert not services.retry(evaluation=evaluation)
    assert not services.queue_again(submission=evaluation.submission)
    assert Evaluation.objects.get(pk=evaluation.pk).status == Status.CANCELLED


@pytest.mark.parametrize(
    "options", [("--older-than", "180"), ("--older-than", "0d"), ("--older-than", "9d", "--what", "all")]
)
def test_what_cannot_be_read_is_refused(options: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        call_command("prune", *options)


def _fail(*_: object) -> None:
    raise OSError("away")
