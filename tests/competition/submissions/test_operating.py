"""Pause, quarantine, drain: nothing of it is claimed, nobody loses a place or a slot, the trail tells of each act."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from competition.audit.models import AuditRecord
from competition.submissions import lifecycle, operating, queue, quotas, rescoring, workers
from competition.submissions.models import Evaluation, Quarantine, Worker
from competition.submissions.places import place_of
from competition.submissions.workers import Sign
from competition.tracks.models import Track
from scoring.contracts import Status
from scoring.environment import installed_environment
from scoring.errors import reject
from tests.examples import START, Clock, new_benchmark

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker() -> Worker:
    workers.show(Sign(name="a:1", machine="a", version="1", started_at=START, queues=("cpu",)), now=START)
    return Worker.objects.get()


def claim(owner: str = "a:1", *, clock: Clock | None = None) -> lifecycle.Lease | None:
    now = clock.now if clock else START
    return queue.claim_next(owner=owner, queues=("cpu",), environment=installed_environment(), now=now)


def acts() -> list[str]:
    return list(AuditRecord.objects.order_by("pk").values_list("act", flat=True))


# --- tracks --------------------------------------------------------------------------------------


def test_a_paused_track_is_left_out_until_it_is_resumed(evaluation: Evaluation, staff: User) -> None:
    track = evaluation.submission.track

    assert operating.pause_track(track=track, by=staff, now=START)
    assert claim() is None
    assert queue.queues_with_work(START) == frozenset()
    assert operating.resume_track(track=track, by=staff)

    assert claim() is not None
    assert acts() == ["track.paused", "track.resumed"]
    paused = AuditRecord.objects.last()
    assert (paused.actor, paused.competition_id) == (staff, track.competition_id)


def test_pausing_twice_changes_nothing(track: Track, staff: User) -> None:
    operating.pause_track(track=track, by=staff, now=START)

    assert not operating.pause_track(track=track, by=staff, now=START + timedelta(hours=1))
    assert Track.objects.get().paused_at == START
    assert operating.resume_track(track=track, by=staff)
    assert not operating.resume_track(track=track, by=staff)
    assert len(acts()) == 2


def test_what_runs_on_a_paused_track_is_finished(evaluation: Evaluation) -> None:
    lease = claim()
    operating.pause_track(track=evaluation.submission.track, by=None)

    lifecycle.check(lease)
    lifecycle.record_rejected(lease, reject("empty_upload"), now=START)

    assert Evaluation.objects.get().status == Status.REJECTED


def test_a_paused_track_is_before_nobody_and_tells_its_own_places(
    make_track: Callable[..., Track], make_evaluation: Callable[..., Evaluation], alice: User, bob: User
) -> None:
    paused, other = make_track("one"), make_track("two")
    first, second = (make_evaluation(who, paused) for who in (alice, bob))
    third = make_evaluation(alice, other)
    operating.pause_track(track=paused, by=None)

    def place(evaluation: Evaluation) -> int:
        return place_of(Evaluation.objects.get(pk=evaluation.pk)).number

    assert (place(third), place(first), place(second)) == (1, 1, 3)


def test_no_worker_is_missed_for_a_paused_track(evaluation: Evaluation) -> None:
    before = queue.missing_service(evaluation, START)
    operating.pause_track(track=evaluation.submission.track, by=None)

    assert before is not None
    assert queue.missing_service(evaluation, START) is None


# --- submissions ---------------------------------------------------------------------------------


def test_what_is_in_quarantine_is_not_claimed_until_it_is_released(
    evaluation: Evaluation, staff: User
) -> None:
    assert operating.quarantine(submission=evaluation.submission, reason="It harms.", by=staff, now=START)
    assert claim() is None
    assert lifecycle.claim(evaluation.pk, owner="a:1", now=START) is None
    assert place_of(Evaluation.objects.get()) is None
    assert operating.release(submission=evaluation.submission, by=staff)

    assert place_of(Evaluation.objects.get()).number == 1
    assert claim() is not None
    assert acts() == ["submission.quarantined", "submission.released"]
    assert AuditRecord.objects.last().reason == "It harms."


def test_a_second_quarantine_keeps_the_first_reason(evaluation: Evaluation) -> None:
    submission = evaluation.submission
    operating.quarantine(submission=submission, reason="first", by=None)

    assert not operating.quarantine(submission=submission, reason="second", by=None)
    assert Quarantine.objects.get().reason == "first"
    assert operating.release(submission=submission, by=None)
    assert not operating.release(submission=submission, by=None)


def test_quarantine_stops_a_run_without_an_attempt_and_keeps_its_place(evaluation: Evaluation) -> None:
    lease = claim()

    operating.quarantine(submission=evaluation.submission, reason="r", by=None)

    with pytest.raises(lifecycle.LeaseLost):
        lifecycle.check(lease)
    with pytest.raises(lifecycle.LeaseLost):
        lifecycle.record_rejected(lease, reject("empty_upload"), now=START)
    row = Evaluation.objects.get()
    assert (row.status, row.attempts, row.queued_at) == (Status.QUEUED, 0, evaluation.queued_at)
    assert not lifecycle.examine_queue()


def test_a_run_that_was_to_be_cancelled_is_cancelled_by_quarantine(evaluation: Evaluation) -> None:
    claim()
    lifecycle.cancel(evaluation.pk, now=START)

    operating.quarantine(submission=evaluation.submission, reason="r", by=None, now=START)

    assert Evaluation.objects.get().status == Status.CANCELLED


def test_others_in_the_line_are_served_past_what_is_in_quarantine(
    make_evaluation: Callable[..., Evaluation], alice: User, track: Track
) -> None:
    first, second = (make_evaluation(alice, track) for _ in range(2))
    operating.quarantine(submission=first.submission, reason="r", by=None)

    assert place_of(Evaluation.objects.get(pk=second.pk)).number == 1
    assert claim().evaluation == second.pk


def test_quarantine_uses_no_slot(evaluation: Evaluation, alice: User, track: Track) -> None:
    def used() -> int:
        return quotas.slots(participant=alice, track=track, now=START).used

    before = used()
    operating.quarantine(submission=evaluation.submission, reason="r", by=None)
    meanwhile = used()
    operating.release(submission=evaluation.submission, by=None)

    assert (before, meanwhile, used()) == (1, 0, 1)


def test_what_is_scored_again_stays_in_quarantine_and_keeps_no_board_waiting(
    make_evaluation: Callable[..., Evaluation], alice: User, track: Track
) -> None:
    done = make_evaluation(alice, track, status=Status.REJECTED, finished_at=START)
    operating.quarantine(submission=done.submission, reason="r", by=None)
    Track.objects.filter(pk=track.pk).update(shown=track.benchmark)
    track.refresh_from_db()
    new_benchmark(track)

    rescoring.rescore_track(track=track, now=START)

    assert claim() is None
    assert rescoring.progress(track) == rescoring.Rescoring(done=1, total=1)
    assert rescoring.show_finished(track)


# --- workers -------------------------------------------------------------------------------------


def test_a_worker_that_drains_claims_nothing_until_it_is_resumed(
    evaluation: Evaluation, worker: Worker, staff: User
) -> None:
    assert operating.drain(worker=worker, by=staff, now=START)
    assert claim() is None
    assert not operating.drain(worker=worker, by=staff, now=START)
    assert operating.resume_worker(worker=worker, by=staff)
    assert not operating.resume_worker(worker=worker, by=staff)

    assert claim() is not None
    assert acts() == ["worker.drained", "worker.resumed"]


def test_others_claim_while_one_drains(evaluation: Evaluation, worker: Worker) -> None:
    operating.drain(worker=worker, by=None)

    assert claim("b:1") is not None


def test_a_worker_goes_on_draining_whatever_it_says_of_itself(worker: Worker) -> None:
    operating.drain(worker=worker, by=None)

    workers.show(Sign(name="a:1", machine="a", version="1", started_at=START, queues=("cpu",)), now=START)

    assert Worker.objects.get().present_state is Worker.State.DRAINING
    assert not workers.service("cpu", START).is_served
    assert workers.free("cpu", START) == 0
