"""Whatever happens beside whatever: in the end every submission is evaluated on the current version."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import count
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from competition import publishing
from competition.submissions import lifecycle, rescoring, services
from competition.submissions.models import Evaluation, Submission
from competition.tracks.models import BenchmarkVersion, Track
from scoring.contracts import Status
from tests.competition.submissions.test_concurrency import at_once
from tests.examples import START, new_benchmark, rewrite

NUMBERS = count(1)


def accept(user: User, track: Track) -> Submission:
    upload = SimpleUploadedFile("entry.zip", f"entry {next(NUMBERS)}".encode())
    track = Track.objects.get(pk=track.pk)
    return services.accept_submission(participant=user, track=track, upload=upload, name="e", now=START)


def publish(track: Track) -> BenchmarkVersion:
    """Publish another version: with another budget, so that it differs."""
    changed = rewrite(Track.objects.get(pk=track.pk), budgets__max_macs=10**9 + next(NUMBERS))
    return publishing.publish(track=changed).version


def in_a_thread(act: Callable[[], Any]) -> Any:
    """Do something on a connection of its own, and wait for it."""

    def one() -> Any:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(one).result()


def current(track: Track) -> BenchmarkVersion:
    version = Track.objects.get(pk=track.pk).benchmark
    assert version is not None
    return version


def not_on(version: BenchmarkVersion) -> int:
    return Submission.objects.exclude(evaluations__benchmark=version).count()


@pytest.fixture
def unlimited(track: Track) -> Track:
    return rewrite(track, quota_submissions=1000)


@pytest.mark.django_db(transaction=True)
def test_an_upload_that_is_overtaken_by_a_publication_follows_it(
    alice: User, bob: User, unlimited: Track, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("on SQLite nobody can publish inside the transaction of an upload")
    accept(bob, unlimited)
    renew = services.renew_unused_benchmark

    def overtaken(*, track: Track) -> BenchmarkVersion:
        held = renew(track=track)
        in_a_thread(lambda: publish(track))
        return held

    monkeypatch.setattr(services, "renew_unused_benchmark", overtaken)
    submission = accept(alice, unlimited)

    first, second = submission.evaluations.order_by("benchmark__number")
    assert second.benchmark == current(unlimited) != first.benchmark
    assert (first.status, second.status) == (Status.CANCELLED, Status.QUEUED)
    assert (second.priority, second.queued_at) == (Evaluation.Priority.FRESH, START)
    assert not_on(current(unlimited)) == 0


@pytest.mark.django_db(transaction=True)
def test_uploads_beside_publications_all_end_on_the_last_version(
    make_user: Callable[[str], User], unlimited: Track
) -> None:
    users = [make_user(f"user{number}") for number in range(6)]
    accept(users[0], unlimited)

    def act(number: int) -> None:
        for _ in range(3):
            if number < len(users):
                accept(users[number], unlimited)
            else:
                publish(unlimited)

    at_once(act, len(users) + 1)

    assert Submission.objects.count() == 19
    assert not_on(current(unlimited)) == 0


@pytest.mark.django_db(transaction=True)
def test_two_who_rescore_at_once_queue_each_submission_once(
    make_user: Callable[[str], User], unlimited: Track
) -> None:
    for number in range(5):
        accept(make_user(f"user{number}"), unlimited)
    version = new_benchmark(Track.objects.get(pk=unlimited.pk))

    queued = at_once(lambda _: rescoring.rescore_track(track=unlimited), 4)

    assert sum(queued) == Evaluation.objects.filter(benchmark=version).count() == 5


def test_many_are_queued_in_batches(
    alice: User, unlimited: Track, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescoring, "BATCH", 2)
    for _ in range(5):
        accept(alice, unlimited)
    version = new_benchmark(Track.objects.get(pk=unlimited.pk))

    assert rescoring.rescore_track(track=unlimited, now=now) == 5
    assert Evaluation.objects.filter(benchmark=version).count() == 5


def test_what_a_killed_publication_left_is_queued_later(
    alice: User, bob: User, unlimited: Track, now: datetime
) -> None:
    kept, cancelled = accept(alice, unlimited), accept(bob, unlimited)
    lifecycle.cancel(cancelled.evaluations.get().pk, now=now)
    version = new_benchmark(Track.objects.get(pk=unlimited.pk))

    assert rescoring.catch_up(now) == 1
    assert Evaluation.objects.get(benchmark=version).submission == kept
    assert rescoring.catch_up(now) == 0


def test_a_submission_that_was_never_queued_is(alice: User, unlimited: Track, now: datetime) -> None:
    submission = accept(alice, unlimited)
    submission.evaluations.all().delete()

    assert rescoring.catch_up(now) == 1
    evaluation = submission.evaluations.get()
    assert (evaluation.priority, evaluation.queued_at) == (Evaluation.Priority.FRESH, START)


def test_a_track_without_a_version_has_nothing_to_catch_up(track: Track, now: datetime) -> None:
    Track.objects.filter(pk=track.pk).update(is_open=False, benchmark=None)

    assert rescoring.catch_up(now) == 0
