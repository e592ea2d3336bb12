"""Each disagreement is found, told, and repaired where it can be; nothing else is touched."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from competition.leaderboard import standings
from competition.leaderboard.models import Standing
from competition.submissions import lifecycle, operating, resuming
from competition.submissions.models import Evaluation, Lane, PartialUpload
from competition.tracks.models import Dataset, Track
from competition.upkeep.orphans import SAFE_AGE, remove_orphans
from tests.examples import START, new_benchmark, scored_report

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset(dataset: Dataset) -> Dataset:
    """The dataset of the track, with its archive in the store."""
    dataset.archive_bytes = 7
    dataset.archive.save("data.zip", ContentFile(b"archive"))
    return dataset


@pytest.fixture
def scored(evaluation: Evaluation) -> Evaluation:
    lease = lifecycle.claim(evaluation.pk, owner="w", now=START)
    assert lease is not None
    lifecycle.record_scored(lease, scored_report(0.5), now=START, place=standings.place)
    return evaluation


def store(name: str, *, age: timedelta) -> str:
    stored = default_storage.save(name, ContentFile(b"left"))
    then = (timezone.now() - age).timestamp()
    os.utime(default_storage.path(stored), (then, then))
    return stored


def audit(*arguments: str) -> tuple[int, list[str]]:
    """Return the exit code of the command and the kinds of what it told."""
    told = io.StringIO()
    try:
        call_command("audit", *arguments, stdout=told)
    except CommandError as exc:
        return exc.returncode, [line.split(":")[0] for line in told.getvalue().splitlines()]
    return 0, [line.split(":")[0] for line in told.getvalue().splitlines()][:-1]


OLD = SAFE_AGE + timedelta(minutes=5)
YOUNG = SAFE_AGE - timedelta(minutes=5)


def test_where_all_agree_nothing_is_told(scored: Evaluation) -> None:
    assert audit() == (0, [])


@pytest.mark.parametrize(
    "name",
    [
        "entries/track-one/5f3c9c1e-0000-4000-8000-000000000000",
        "entries/track-one/not-an-id",
        "datasets/lost.zip",
    ],
)
def test_a_file_without_a_row_is_found_and_removed(scored: Evaluation, name: str) -> None:
    store(name, age=OLD)

    assert audit() == (1, ["file_without_row"])
    assert default_storage.exists(name)
    assert audit("--repair") == (0, ["file_without_row"])
    assert not default_storage.exists(name)
    assert audit() == (0, [])


def test_a_young_file_may_be_an_upload_under_way(scored: Evaluation) -> None:
    store("entries/track-one/5f3c9c1e-0000-4000-8000-000000000000", age=YOUNG)

    assert audit("--repair") == (0, [])


def test_a_row_without_its_file_is_found_and_left(scored: Evaluation) -> None:
    default_storage.delete(scored.submission.entry.name)

    assert audit("--repair") == (1, ["row_without_file"])


def test_a_file_of_another_size_is_found(scored: Evaluation) -> None:
    Path(scored.submission.entry.path).write_bytes(b"cut")

    assert audit() == (1, ["wrong_size"])


def test_a_dataset_without_its_archive_is_found(scored: Evaluation, dataset: Dataset) -> None:
    default_storage.delete(str(dataset.archive.name))

    assert audit() == (1, ["row_without_file"])


def test_a_dataset_of_another_size_is_found(scored: Evaluation, dataset: Dataset) -> None:
    Path(dataset.archive.path).write_bytes(b"cut")

    assert audit() == (1, ["wrong_size"])


def test_a_dataset_whose_size_nobody_noted_agrees(scored: Evaluation, dataset: Dataset) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(archive_bytes=0)

    assert audit() == (0, [])


def test_a_score_without_its_standing_is_found_and_gets_it(scored: Evaluation) -> None:
    Standing.objects.all().delete()

    assert audit() == (1, ["standings"])
    assert audit("--repair") == (0, ["standings"])
    assert Standing.objects.get().evaluation == scored


def test_a_queue_that_says_something_else_than_its_evaluations_is_found_and_rebuilt(
    evaluation: Evaluation,
) -> None:
    Lane.objects.update(waiting=7)

    assert audit()[1][-1] == "queue"
    audit("--repair")
    assert Lane.objects.get().waiting == 1


def test_a_submission_without_an_evaluation_is_found_and_queued(scored: Evaluation, track: Track) -> None:
    version = new_benchmark(track)

    assert audit() == (1, ["not_evaluated"])
    assert audit("--repair") == (0, ["not_evaluated"])
    assert Evaluation.objects.filter(benchmark=version).count() == 1


@pytest.fixture
def upload(alice: User, track: Track) -> PartialUpload:
    return resuming.begin(participant=alice, track=track, name="net.zip", entry_bytes=1000)


def test_an_upload_under_way_is_in_order(scored: Evaluation, upload: PartialUpload) -> None:
    assert audit() == (0, [])


def test_an_upload_that_was_left_alone_is_found_and_ended(scored: Evaluation, upload: PartialUpload) -> None:
    PartialUpload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert audit() == (1, ["upload_expired"])
    assert audit("--repair") == (0, ["upload_expired"])
    assert (resuming.has_file(upload.pk), PartialUpload.objects.exists()) == (False, False)


def test_an_upload_whose_file_is_gone_is_found_and_ended(scored: Evaluation, upload: PartialUpload) -> None:
    resuming.remove_file(upload.pk)

    assert audit() == (1, ["upload_without_file"])
    assert audit("--repair") == (0, ["upload_without_file"])
    assert not PartialUpload.objects.exists()


def test_a_file_in_the_upload_folder_that_no_row_names_is_found_and_removed(
    scored: Evaluation, upload: PartialUpload, settings: Settings
) -> None:
    PartialUpload.objects.all().delete()
    for file in Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir():
        os.utime(file, (0, 0))

    assert audit() == (1, ["upload_without_row"])
    assert audit("--repair") == (0, ["upload_without_row"])
    assert not resuming.has_file(upload.pk)


def test_the_sweep_removes_what_no_row_names_and_nothing_else(
    scored: Evaluation, make_evaluation: Callable[..., Evaluation], bob: User, track: Track
) -> None:
    lost = store("entries/track-one/5f3c9c1e-0000-4000-8000-000000000000", age=OLD)
    for file in Path(default_storage.path("")).rglob("*"):
        os.utime(file, (0, 0))

    assert remove_orphans(timezone.now()) == 1
    assert not default_storage.exists(lost)
    assert default_storage.exists(scored.submission.entry.name)


def test_what_runs_in_quarantine_is_taken_back(evaluation: Evaluation) -> None:
    operating.quarantine(submission=evaluation.submission, reason="r", by=None)
    Evaluation.objects.filter(pk=evaluation.pk).update(
        status="running", fence=1, attempts=1, lease_expires_at=timezone.now() + timedelta(hours=1)
    )

    assert "quarantined_at_work" in audit("--repair")[1]

    evaluation.refresh_from_db()
    assert (evaluation.status, evaluation.attempts) == ("queued", 0)
    assert "quarantined_at_work" not in audit()[1]
