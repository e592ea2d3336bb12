"""Uploads: accepted, or refused with nothing left behind."""

import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.base import File
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.db import connection
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from competition.celery import app
from competition.leaderboard import standings
from competition.submissions import lifecycle, quotas, rescoring, services
from competition.submissions.models import Evaluation, Submission
from competition.tracks.models import Track
from scoring.contracts import Finding, Stage, Status
from scoring.errors import Rejected, render_all
from tests.examples import START, Clock, new_benchmark, scored_report, set_fields


def accept(user: User, track: Track, content: bytes = b"entry", **arguments: object) -> Submission:
    upload = SimpleUploadedFile("entry.zip", content)
    given = {"upload": upload, "name": "entry.zip", "now": START} | arguments
    return services.accept_submission(participant=user, track=track, **given)


def refusal(*arguments: object, **options: object) -> Rejected:
    with pytest.raises(Rejected) as caught:
        accept(*arguments, **options)
    render_all(caught.value.findings)  # every fact that the sentence names is there
    return caught.value


def facts(rejected: Rejected) -> dict[str, object]:
    return dict(rejected.findings[0].facts)


def content_of(submission: Submission) -> bytes:
    with submission.entry.open() as entry:
        return entry.read()


def stored(settings: Settings) -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


# --- accepted ------------------------------------------------------------------------------------


def test_an_upload_is_stored_hashed_and_queued_on_the_tracks_benchmark(alice: User, track: Track) -> None:
    submission = accept(alice, track, b"weights")

    evaluation = submission.evaluations.get()
    assert content_of(submission) == b"weights"
    assert (submission.sha256, submission.entry_bytes) == (hashlib.sha256(b"weights").hexdigest(), 7)
    assert (evaluation.status, evaluation.benchmark, evaluation.queued_at) == (
        Status.QUEUED,
        track.benchmark,
        START,
    )


def test_a_spooled_upload_is_stored(alice: User, track: Track) -> None:
    upload = TemporaryUploadedFile("big.zip", "application/zip", 0, None)
    upload.write(b"spooled")
    upload.seek(0)

    with closing(upload):
        submission = accept(alice, track, upload=upload)

    assert content_of(submission) == b"spooled"


def test_the_workers_are_woken_after_the_commit(
    alice: User, track: Track, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        accept(alice, track)

    assert len(callbacks) == 1


@pytest.fixture
def broken_broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    nobody = f"redis+socket://{tmp_path}/nobody.sock"
    monkeypatch.setattr(app.conf, "broker_url", nobody)
    monkeypatch.setenv("CELERY_BROKER_URL", nobody)  # Celery reads it again for each connection
    app._after_fork()  # forget pooled connections to the broker that works
    yield
    app._after_fork()


def test_a_broker_that_is_down_does_not_fail_the_upload(
    alice: User,
    track: Track,
    broken_broker: None,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        submission = accept(alice, track)

    assert submission.evaluations.get().status == Status.QUEUED
    assert "wake_up_not_sent" in caplog.messages


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\models\\net.onnx", "net.onnx"),
        ("net\u202egpj.zip", "netgpj.zip"),
        ("a\x00b\n.zip", "ab.zip"),
        ("x" * 300, "x" * 255),
        ("", "entry"),
        ("folder/", "entry"),
    ],
)
def test_the_senders_file_name_is_only_shown(alice: User, track: Track, given: str, shown: str) -> None:
    submission = accept(alice, track, name=given)

    assert submission.entry_name == shown
    assert submission.entry.name == f"entries/{track.slug}/{submission.id}"


# --- refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"is_open": False}, "not opened it"),
        ({"opens_at": START + timedelta(hours=1)}, "opens at 2026-03-01 13:00 UTC"),
        ({"closes_at": START}, "closed at 2026-03-01 12:00 UTC"),
    ],
)
def test_a_track_that_is_not_open_takes_nothing(
    alice: User, track: Track, settings: Settings, fields: dict[str, object], why: str
) -> None:
    Track.objects.filter(pk=track.pk).update(**fields)
    track.refresh_from_db()

    rejected = refusal(alice, track)

    assert rejected.code == "track_not_open"
    assert why in str(facts(rejected)["why"])
    assert stored(settings) == []


def test_a_track_that_closes_during_the_upload_takes_nothing_and_keeps_nothing(
    alice: User, track: Track, settings: Settings
) -> None:
    Track.objects.filter(pk=track.pk).update(is_open=False)  # `track` still says open

    assert refusal(alice, track).code == "track_not_open"
    assert stored(settings) == []
    assert not Submission.objects.exists()


def test_an_empty_upload_is_refused(alice: User, track: Track, settings: Settings) -> None:
    assert refusal(alice, track, b"").code == "empty_upload"
    assert stored(settings) == []


def test_an_upload_of_the_tracks_limit_is_accepted(alice: User, track: Track) -> None:
    set_fields(track, archive_limits__max_entry_bytes=5)

    assert accept(alice, track, b"12345").entry_bytes == 5


@pytest.mark.parametrize("limit", ["track", "site"])
def test_a_larger_upload_is_refused(alice: User, track: Track, settings: Settings, limit: str) -> None:
    set_fields(track, archive_limits__max_entry_bytes=5 if limit == "track" else 100)
    settings.MAX_UPLOAD_BYTES = 5 if limit == "site" else 100

    rejected = refusal(alice, track, b"123456")

    assert (rejected.code, facts(rejected)) == ("upload_too_large", {"allowed_bytes": 5})
    assert stored(settings) == []


def test_the_declared_size_of_an_upload_is_not_believed(alice: User, track: Track) -> None:
    set_fields(track, archive_limits__max_entry_bytes=5)
    upload = SimpleUploadedFile("entry.zip", b"123456")
    upload.size = 1

    assert refusal(alice, track, upload=upload).code == "upload_too_large"


def test_the_same_file_is_refused_while_the_earlier_one_lives(
    alice: User, track: Track, settings: Settings
) -> None:
    earlier = accept(alice, track)

    rejected = refusal(alice, track)

    assert (rejected.code, facts(rejected)) == (
        "already_submitted",
        {
            "submission": earlier.short_id,
            "id": str(earlier.id),
            "uploaded_at": f"{earlier.created_at:%Y-%m-%d %H:%M} UTC",
            "status": "queued",
        },
    )
    assert len(stored(settings)) == 1


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED])
def test_the_same_file_is_accepted_after_a_failure_or_a_cancel(
    alice: User, track: Track, status: Status
) -> None:
    earlier = accept(alice, track)
    Evaluation.objects.filter(submission=earlier).update(status=status, finished_at=START)

    assert accept(alice, track).pk != earlier.pk


def test_another_participant_may_submit_the_same_file(alice: User, bob: User, track: Track) -> None:
    assert accept(alice, track).sha256 == accept(bob, track).sha256


def test_the_same_file_may_go_to_another_track(
    alice: User, track: Track, make_track: Callable[..., Track]
) -> None:
    accept(alice, track)

    assert accept(alice, make_track("other")).pk


def test_nothing_stays_in_storage_when_the_database_refuses(
    alice: User, track: Track, settings: Settings
) -> None:
    def refuse_inserts(execute: Callable[..., object], sql: str, *rest: object) -> object:
        if sql.startswith("INSERT"):
            raise KeyboardInterrupt
        return execute(sql, *rest)

    with connection.execute_wrapper(refuse_inserts), pytest.raises(KeyboardInterrupt):
        accept(alice, track)

    assert stored(settings) == []


def test_an_upload_that_breaks_off_leaves_nothing(alice: User, track: Track, settings: Settings) -> None:
    class Broken(io.BytesIO):
        def read(self, *_: object) -> bytes:
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        accept(alice, track, upload=File(Broken(b"entry"), name="entry.zip"))

    assert stored(settings) == []


# --- quota ---------------------------------------------------------------------------------------


@pytest.fixture
def tight(track: Track) -> Track:
    """Two submissions in 24 hours."""
    Track.objects.filter(pk=track.pk).update(quota_submissions=2, quota_window_hours=24)
    track.refresh_from_db()
    return track


def test_a_used_up_quota_refuses_and_names_the_next_slot(alice: User, tight: Track) -> None:
    accept(alice, tight, b"1", now=START)
    accept(alice, tight, b"2", now=START + timedelta(hours=1))

    rejected = refusal(alice, tight, b"3", now=START + timedelta(hours=2))

    assert rejected.code == "quota_used_up"
    assert facts(rejected) == {
        "found": 2,
        "allowed": 2,
        "window_hours": 24,
        "next_slot": "2026-03-02 12:00 UTC",
    }


def test_a_shown_minute_is_one_in_which_the_slot_is_open(alice: User, tight: Track) -> None:
    for content in (b"1", b"2"):
        accept(alice, tight, content, now=START + timedelta(seconds=1))

    rejected = refusal(alice, tight, b"3", now=START + timedelta(hours=2))

    assert facts(rejected)["next_slot"] == "2026-03-02 12:01 UTC"


def test_the_slot_opens_at_the_shown_time_and_not_before(alice: User, tight: Track) -> None:
    accept(alice, tight, b"1", now=START)
    accept(alice, tight, b"2", now=START + timedelta(hours=1))
    slots = quotas.slots(participant=alice, track=tight, now=START + timedelta(hours=2))

    at, just_before = slots.next_slot_at, slots.next_slot_at - timedelta(microseconds=1)

    assert refusal(alice, tight, b"3", now=just_before).code == "quota_used_up"
    assert accept(alice, tight, b"3", now=at).pk


def test_after_the_allowance_shrank_the_next_slot_is_when_few_enough_remain(
    alice: User, tight: Track
) -> None:
    for hour in range(2):
        accept(alice, tight, bytes([hour]), now=START + timedelta(hours=hour))
    tight.quota_submissions = 1

    slots = quotas.slots(participant=alice, track=tight, now=START + timedelta(hours=2))

    assert (slots.used, slots.allowed) == (2, 1)
    assert slots.next_slot_at == START + timedelta(hours=25)


def test_an_upload_that_is_rejected_once_its_model_ran_counts(alice: User, tight: Track) -> None:
    submission = accept(alice, tight)
    lease = lifecycle.claim(submission.evaluations.get().pk, owner="w", now=START)
    lifecycle.note_stage(lease, Stage.MEASURE, now=START)
    lifecycle.record_rejected(lease, Rejected(Finding(code="missing_file")), now=START)

    assert quotas.slots(participant=alice, track=tight, now=START).used == 1


def test_a_failure_of_ours_does_not_count(alice: User, tight: Track) -> None:
    submission = accept(alice, tight)
    Evaluation.objects.filter(submission=submission).update(status=Status.FAILED, finished_at=START)

    assert quotas.slots(participant=alice, track=tight, now=START).used == 0


def test_a_cancel_before_the_start_does_not_count(alice: User, tight: Track) -> None:
    evaluation = accept(alice, tight).evaluations.get()

    assert services.cancel_evaluation(evaluation=evaluation, now=START) is True
    assert quotas.slots(participant=alice, track=tight, now=START).used == 0


def test_a_cancel_after_the_start_counts(alice: User, tight: Track) -> None:
    evaluation = accept(alice, tight).evaluations.get()
    lease = lifecycle.claim(evaluation.pk, owner="w", now=START)
    services.cancel_evaluation(evaluation=evaluation, now=START)
    lifecycle.record_cancelled(lease, now=START)

    assert quotas.slots(participant=alice, track=tight, now=START).used == 1


def test_quotas_are_each_participants_and_tracks_own(
    alice: User, bob: User, tight: Track, make_track: Callable[..., Track]
) -> None:
    accept(alice, tight)

    assert quotas.slots(participant=bob, track=tight, now=START).used == 0
    assert quotas.slots(participant=alice, track=make_track("other"), now=START).used == 0


# --- rescoring and retrying ----------------------------------------------------------------------


def score(evaluation: Evaluation, value: float = 0.5) -> None:
    lease = lifecycle.claim(evaluation.pk, owner="w", now=START)
    lifecycle.record_scored(lease, scored_report(value), now=START, place=standings.place)


def test_rescoring_queues_every_submission_on_the_new_version_below_fresh_ones(
    alice: User, bob: User, track: Track, clock: Clock
) -> None:
    for user in (alice, bob):
        score(accept(user, track).evaluations.get())
    version = new_benchmark(track)

    assert rescoring.rescore_track(track=track, now=clock.now) == 2

    new = Evaluation.objects.filter(benchmark=version)
    assert {(e.status, e.priority) for e in new} == {(Status.QUEUED, Evaluation.Priority.RESCORE)}


def test_rescoring_twice_queues_once(alice: User, track: Track, now: datetime) -> None:
    score(accept(alice, track).evaluations.get())
    new_benchmark(track)
    rescoring.rescore_track(track=track, now=now)

    assert rescoring.rescore_track(track=track, now=now) == 0


def test_what_waits_for_the_old_version_moves_to_the_new_one_and_keeps_its_place(
    alice: User, track: Track, clock: Clock
) -> None:
    old = accept(alice, track).evaluations.get()
    version = new_benchmark(track)

    rescoring.rescore_track(track=track, now=clock.advance(hours=1))

    old.refresh_from_db()
    new = Evaluation.objects.get(benchmark=version)
    assert old.status == Status.CANCELLED
    assert (new.priority, new.queued_at) == (Evaluation.Priority.FRESH, START)


def test_a_cancelled_submission_is_not_rescored(alice: User, track: Track, now: datetime) -> None:
    services.cancel_evaluation(evaluation=accept(alice, track).evaluations.get(), now=now)
    new_benchmark(track)

    assert rescoring.rescore_track(track=track, now=now) == 0


def test_a_track_without_a_benchmark_version_has_nothing_to_rescore(track: Track, now: datetime) -> None:
    Track.objects.filter(pk=track.pk).update(is_open=False, benchmark=None)

    assert rescoring.rescore_track(track=track, now=now) == 0


def test_a_rescored_submission_counts_once(alice: User, track: Track, now: datetime) -> None:
    score(accept(alice, track).evaluations.get())
    new_benchmark(track)
    rescoring.rescore_track(track=track, now=now)

    assert quotas.slots(participant=alice, track=track, now=now).used == 1


def test_a_failed_evaluation_is_retried_and_counts_again(alice: User, track: Track, now: datetime) -> None:
    evaluation = accept(alice, track).evaluations.get()
    Evaluation.objects.filter(pk=evaluation.pk).update(status=Status.FAILED, finished_at=now)

    assert services.retry(evaluation=evaluation, now=now) is True
    assert quotas.slots(participant=alice, track=track, now=now).used == 1


def test_a_scored_evaluation_is_not_retried(alice: User, track: Track, now: datetime) -> None:
    evaluation = accept(alice, track).evaluations.get()
    score(evaluation)

    assert services.retry(evaluation=evaluation, now=now) is False
