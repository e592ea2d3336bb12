"""The life of an evaluation: who may write what, when, and that nothing else is written."""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from competition.leaderboard import standings
from competition.leaderboard.models import Standing
from competition.submissions import lifecycle
from competition.submissions.lifecycle import CancelRequested, Lease, LeaseLost, requests
from competition.submissions.lifecycle.faults import RETRY_DELAY
from competition.submissions.lifecycle.transitions import move
from competition.submissions.models import FINAL, Evaluation, Score
from competition.tracks.models import Track
from scoring.contracts import Finding, Format, Metric, Package, Split, Stage, Status
from scoring.errors import Rejected
from tests.examples import START, Clock, score_value, scored_report, tried_before

REJECTED = Rejected(Finding(code="missing_file", facts={"expected": "model.py"}))


@pytest.fixture(autouse=True)
def _limits(settings: Settings) -> None:
    settings.LEASE_S = 60.0
    settings.MAX_ATTEMPTS = 3


@pytest.fixture
def lease(evaluation: Evaluation, now: datetime) -> Lease:
    return claim(evaluation, now=now)


def claim(evaluation: Evaluation, *, now: datetime, owner: str = "first") -> Lease:
    lifecycle.take_back_abandoned(now=now)
    lease = lifecycle.claim(evaluation.pk, owner=owner, now=now)
    if lease is None:
        pytest.fail("nothing was claimed")
    return lease


def columns(evaluation: Evaluation) -> dict[str, object]:
    return Evaluation.objects.values().get(pk=evaluation.pk)


WRITES: dict[str, Callable[[Lease, datetime], object]] = {
    "renew": lambda lease, now: lifecycle.renew(lease, now=now),
    "note_stage": lambda lease, now: lifecycle.note_stage(lease, Stage.PREDICT, now=now),
    "record_scored": lambda lease, now: lifecycle.record_scored(
        lease, scored_report(), now=now, place=standings.place
    ),
    "record_rejected": lambda lease, now: lifecycle.record_rejected(lease, REJECTED, now=now),
    "record_fault": lambda lease, now: lifecycle.record_fault(lease, reference="r", detail="d", now=now),
    "record_cancelled": lambda lease, now: lifecycle.record_cancelled(lease, now=now),
    "release": lambda lease, now: lifecycle.release(lease, now=now),
    "check": lambda lease, now: lifecycle.check(lease),
}
ENDS = ("record_scored", "record_rejected", "record_fault", "record_cancelled", "release")
STOPPED_BY_A_CANCEL = ("renew", "note_stage", "record_scored", "record_rejected", "check")


# --- claim ---------------------------------------------------------------------------------------


def test_a_claim_sets_owner_expiry_fence_and_attempts(evaluation: Evaluation, now: datetime) -> None:
    claim(evaluation, now=now, owner="worker:1")

    evaluation.refresh_from_db()
    assert (evaluation.status, evaluation.lease_owner) == (Status.RUNNING, "worker:1")
    assert (evaluation.fence, evaluation.attempts, evaluation.started_at) == (1, 1, now)
    assert evaluation.lease_expires_at == now + timedelta(seconds=60)


def test_a_running_evaluation_is_not_claimed_under_a_live_lease(
    lease: Lease, evaluation: Evaluation, now: datetime
) -> None:
    just_before = now + timedelta(seconds=59)

    assert lifecycle.claim(evaluation.pk, owner="second", now=just_before) is None


def test_what_a_lost_worker_left_is_taken_back_and_claimable_by_anyone(
    lease: Lease, evaluation: Evaluation, now: datetime
) -> None:
    second = claim(evaluation, now=now + timedelta(seconds=60), owner="second")

    evaluation.refresh_from_db()
    assert second.fence == lease.fence + 1
    assert (evaluation.lease_owner, evaluation.attempts) == ("second", 2)


def test_an_abandoned_evaluation_that_was_to_be_cancelled_is_not_claimable(
    lease: Lease, evaluation: Evaluation, now: datetime
) -> None:
    lifecycle.cancel(evaluation.pk, now=now)

    assert lifecycle.claim(evaluation.pk, owner="x", now=now + timedelta(hours=1)) is None


@pytest.mark.parametrize("status", FINAL)
def test_a_final_evaluation_is_not_claimable(
    make_evaluation: Callable[..., Evaluation], alice: User, track: Track, now: datetime, status: Status
) -> None:
    evaluation = make_evaluation(alice, track, status=status, finished_at=now)

    assert lifecycle.claim(evaluation.pk, owner="x", now=now + timedelta(days=9)) is None


# --- what is under a lease -----------------------------------------------------------------------


def test_a_renewal_moves_the_expiry(lease: Lease, evaluation: Evaluation, clock: Clock) -> None:
    lifecycle.renew(lease, now=clock.advance(seconds=30))

    assert columns(evaluation)["lease_expires_at"] == clock.now + timedelta(seconds=60)


def test_work_under_a_live_lease_may_go_on(lease: Lease, evaluation: Evaluation) -> None:
    before = columns(evaluation)

    lifecycle.check(lease)

    assert columns(evaluation) == before


def test_a_stage_is_shown_and_renews(lease: Lease, evaluation: Evaluation, clock: Clock) -> None:
    lifecycle.note_stage(lease, Stage.MEASURE, now=clock.advance(seconds=30))

    row = columns(evaluation)
    assert (row["stage"], row["lease_expires_at"]) == (Stage.MEASURE, clock.now + timedelta(seconds=60))


def test_a_score_sets_scores_state_and_standing(lease: Lease, evaluation: Evaluation, clock: Clock) -> None:
    lifecycle.record_scored(
        lease, scored_report(0.75, private=0.5), now=clock.advance(seconds=5), place=standings.place
    )

    evaluation.refresh_from_db()
    assert (evaluation.status, evaluation.finished_at) == (Status.SCORED, clock.now)
    assert {(s.split, s.value) for s in evaluation.scores.all()} == {("public", 0.75), ("private", 0.5)}
    assert {(s.split, s.value) for s in Standing.objects.all()} == {("public", 0.75), ("private", 0.5)}


def test_a_standing_that_cannot_be_written_leaves_no_score(
    lease: Lease, evaluation: Evaluation, now: datetime
) -> None:
    def fail(row: Evaluation) -> None:
        raise RuntimeError(f"no standing for {row.pk}")

    before = columns(evaluation)

    with pytest.raises(RuntimeError, match="no standing"):
        lifecycle.record_scored(lease, scored_report(), now=now, place=fail)

    assert columns(evaluation) == before
    assert not Score.objects.exists()


def test_a_score_under_an_expired_lease_that_nobody_took_counts(
    lease: Lease, evaluation: Evaluation, now: datetime
) -> None:
    lifecycle.record_scored(lease, scored_report(), now=now + timedelta(hours=1), place=standings.place)

    assert columns(evaluation)["status"] == Status.SCORED


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_not_finite_is_refused_and_writes_nothing(
    lease: Lease, evaluation: Evaluation, now: datetime, value: float
) -> None:
    before = columns(evaluation)

    with pytest.raises(ValueError, match="not finite"):
        lifecycle.record_scored(lease, scored_report(value), now=now, place=standings.place)

    assert columns(evaluation) == before
    assert not Score.objects.exists()


def test_an_interval_that_is_not_finite_is_refused(lease: Lease, now: datetime) -> None:
    report = scored_report()
    broken = replace(report, scores={Metric.ACCURACY: score_value(0.5, margin=math.nan)})

    with pytest.raises(ValueError, match="not finite"):
        lifecycle.record_scored(lease, broken, now=now, place=standings.place)


def test_a_rejection_keeps_code_and_facts(lease: Lease, evaluation: Evaluation, now: datetime) -> None:
    lifecycle.record_rejected(lease, REJECTED, now=now)

    evaluation.refresh_from_db()
    assert (evaluation.status, evaluation.code) == (Status.REJECTED, "missing_file")
    assert evaluation.findings == [{"code": "missing_file", "path": "", "facts": {"expected": "model.py"}}]


def test_a_rejection_stores_the_format_and_the_warnings(
    lease: Lease, evaluation: Evaluation, now: datetime, tmp_path: Path
) -> None:
    package = Package(format=Format.ONNX, root=tmp_path, main="model.onnx", package_bytes=1)
    warning = Finding(code="wrapping_folder", path="mine")

    lifecycle.record_rejected(
        lease, Rejected(*REJECTED.findings, warnings=[warning], package=package), now=now
    )

    evaluation.refresh_from_db()
    assert evaluation.report["format"] == "onnx"
    assert [finding["code"] for finding in evaluation.findings] == ["missing_file", "wrapping_folder"]


def test_hostile_text_does_not_stop_a_rejection(lease: Lease, evaluation: Evaluation, now: datetime) -> None:
    found = Finding(code="crashed", path="a\x00b\ud800", facts={"error": "\x00", "found": math.nan})

    lifecycle.record_rejected(lease, Rejected(found, log="\x00\udfff" * 9), now=now)

    evaluation.refresh_from_db()
    assert evaluation.findings == [
        {"code": "crashed", "path": "a\ufffdb?", "facts": {"error": "\ufffd", "found": "nan"}}
    ]
    assert evaluation.log == "\ufffd?" * 9


# --- faults --------------------------------------------------------------------------------------


def test_a_fault_queues_again_after_a_delay(lease: Lease, evaluation: Evaluation, now: datetime) -> None:
    status = lifecycle.record_fault(lease, reference="abc", detail="disk full", now=now)

    evaluation.refresh_from_db()
    assert (status, evaluation.status) == (Status.QUEUED, Status.QUEUED)
    assert lifecycle.claim(evaluation.pk, owner="x", now=now) is None
    assert lifecycle.claim(evaluation.pk, owner="x", now=now + RETRY_DELAY) is not None


def test_the_last_fault_fails_with_a_reference(evaluation: Evaluation, clock: Clock) -> None:
    tried_before(evaluation)
    lease = claim(evaluation, now=clock.now)

    status = lifecycle.record_fault(lease, reference="abc", detail="disk full", now=clock.now)

    evaluation.refresh_from_db()
    assert (status, evaluation.status) == (Status.FAILED, Status.FAILED)
    assert (evaluation.reference, evaluation.fault, evaluation.finished_at) == ("abc", "disk full", clock.now)


def test_a_fault_of_a_run_that_was_to_be_cancelled_cancels_it(
    lease: Lease, evaluation: Evaluation, now: datetime
) -> None:
    lifecycle.cancel(evaluation.pk, now=now)

    assert lifecycle.record_fault(lease, reference="abc", detail="", now=now) == Status.CANCELLED


def test_a_worker_lost_in_the_last_attempt_fails_with_a_reference(
    evaluation: Evaluation, clock: Clock
) -> None:
    tried_before(evaluation)
    claim(evaluation, now=clock.now)

    closed = lifecycle.take_back_abandoned(now=clock.advance(seconds=60))

    evaluation.refresh_from_db()
    assert closed == (evaluation.pk,)
    assert evaluation.status == Status.FAILED
    assert len(evaluation.reference) == 8


def test_a_worker_lost_before_the_last_attempt_leaves_its_evaluation_claimable(
    lease: Lease, evaluation: Evaluation, now: datetime
) -> None:
    later = now + timedelta(seconds=60)

    assert lifecycle.take_back_abandoned(now=later) == ()
    assert lifecycle.claim(evaluation.pk, owner="x", now=later) is not None


def test_a_lost_worker_is_told_of_with_its_attempt_and_stage(
    lease: Lease, evaluation: Evaluation, clock: Clock
) -> None:
    lifecycle.note_stage(lease, Stage.PREDICT, now=clock.now)
    tried_before(evaluation)

    lifecycle.take_back_abandoned(now=clock.advance(seconds=60))

    assert columns(evaluation)["fault"] == "the worker first was lost in attempt 1, stage predict"


def test_what_has_ended_since_it_was_found_abandoned_stays_as_it_is(
    lease: Lease, evaluation: Evaluation, now: datetime
) -> None:
    tried_before(evaluation)
    lifecycle.record_rejected(lease, REJECTED, now=now)

    assert requests._take_back(evaluation.pk, now + timedelta(hours=1)) is None


def test_only_what_is_abandoned_is_closed(
    lease: Lease,
    evaluation: Evaluation,
    make_evaluation: Callable[..., Evaluation],
    bob: User,
    track: Track,
    clock: Clock,
) -> None:
    tried_before(evaluation)
    of_bob = make_evaluation(bob, track)
    lifecycle.claim(of_bob.pk, owner="first", now=clock.advance(seconds=60))

    assert lifecycle.take_back_abandoned(now=clock.now) == (lease.evaluation,)


def test_a_live_lease_is_not_closed(evaluation: Evaluation, now: datetime) -> None:
    tried_before(evaluation)
    claim(evaluation, now=now)

    assert lifecycle.take_back_abandoned(now=now) == ()
    assert requests._take_back(evaluation.pk, now) is None


def test_a_worker_lost_after_a_cancel_ends_in_cancelled(
    lease: Lease, evaluation: Evaluation, now: datetime
) -> None:
    lifecycle.cancel(evaluation.pk, now=now)

    lifecycle.take_back_abandoned(now=now + timedelta(seconds=60))

    assert columns(evaluation)["status"] == Status.CANCELLED


def test_a_failed_evaluation_is_queued_again_with_fresh_attempts(
    evaluation: Evaluation, clock: Clock
) -> None:
    tried_before(evaluation)
    lifecycle.record_fault(claim(evaluation, now=clock.now), reference="a", detail="", now=clock.now)

    assert lifecycle.retry(evaluation.pk, now=clock.advance(hours=1)) is True

    evaluation.refresh_from_db()
    assert (evaluation.status, evaluation.attempts, evaluation.finished_at) == (Status.QUEUED, 0, None)
    assert evaluation.reference == ""


def test_only_a_failed_evaluation_is_retried(evaluation: Evaluation, now: datetime) -> None:
    assert lifecycle.retry(evaluation.pk, now=now) is False


# --- cancel and release --------------------------------------------------------------------------


def test_a_waiting_evaluation_is_cancelled_at_once(evaluation: Evaluation, now: datetime) -> None:
    assert lifecycle.cancel(evaluation.pk, now=now) is True

    evaluation.refresh_from_db()
    assert (evaluation.status, evaluation.started_at) == (Status.CANCELLED, None)


def test_an_abandoned_evaluation_is_cancelled_at_once(
    lease: Lease, evaluation: Evaluation, now: datetime
) -> None:
    lifecycle.cancel(evaluation.pk, now=now + timedelta(seconds=60))

    assert columns(evaluation)["status"] == Status.CANCELLED


@pytest.mark.parametrize("write", STOPPED_BY_A_CANCEL)
def test_a_running_evaluation_learns_of_a_cancel_at_its_next_write_and_changes_nothing(
    lease: Lease, evaluation: Evaluation, now: datetime, write: str
) -> None:
    lifecycle.cancel(evaluation.pk, now=now)
    before = columns(evaluation)

    with pytest.raises(CancelRequested):
        WRITES[write](lease, now)

    assert columns(evaluation) == before
    assert not Score.objects.exists()


def test_a_stopped_run_ends_in_cancelled(lease: Lease, evaluation: Evaluation, now: datetime) -> None:
    lifecycle.cancel(evaluation.pk, now=now)
    lifecycle.record_cancelled(lease, now=now)

    evaluation.refresh_from_db()
    assert (evaluation.status, evaluation.started_at) == (Status.CANCELLED, now)


@pytest.mark.parametrize("status", FINAL)
def test_a_final_evaluation_is_not_cancelled(
    make_evaluation: Callable[..., Evaluation], alice: User, track: Track, now: datetime, status: Status
) -> None:
    evaluation = make_evaluation(alice, track, status=status, finished_at=now)

    assert lifecycle.cancel(evaluation.pk, now=now) is False
    assert columns(evaluation)["status"] == status


def test_a_release_costs_no_attempt_and_keeps_the_place(
    lease: Lease, evaluation: Evaluation, now: datetime
) -> None:
    lifecycle.release(lease, now=now)

    evaluation.refresh_from_db()
    assert (evaluation.status, evaluation.attempts, evaluation.queued_at) == (Status.QUEUED, 0, START)
    assert lifecycle.claim(evaluation.pk, owner="x", now=now) is not None


def test_a_release_of_a_run_that_was_to_be_cancelled_cancels_it(
    lease: Lease, evaluation: Evaluation, now: datetime
) -> None:
    lifecycle.cancel(evaluation.pk, now=now)

    assert lifecycle.release(lease, now=now) == Status.CANCELLED


# --- stale writes --------------------------------------------------------------------------------


@pytest.mark.parametrize("write", WRITES)
def test_a_write_under_a_stale_fence_says_so_and_changes_nothing(
    lease: Lease, evaluation: Evaluation, now: datetime, write: str
) -> None:
    claim(evaluation, now=now + timedelta(seconds=60), owner="second")
    before = columns(evaluation)

    with pytest.raises(LeaseLost):
        WRITES[write](lease, now + timedelta(seconds=61))

    assert columns(evaluation) == before
    assert not Score.objects.exists()
    assert not Standing.objects.exists()


@pytest.mark.parametrize("write", WRITES)
def test_a_second_result_under_the_same_fence_changes_nothing(
    lease: Lease, evaluation: Evaluation, now: datetime, write: str
) -> None:
    lifecycle.record_scored(lease, scored_report(), now=now, place=standings.place)
    before = columns(evaluation)

    with pytest.raises(LeaseLost):
        WRITES[write](lease, now)

    assert columns(evaluation) == before
    assert Score.objects.count() == 1


# --- the table -----------------------------------------------------------------------------------


def test_every_status_has_its_successors() -> None:
    assert set(lifecycle.LEGAL) == set(Status)


def test_what_is_final_stays_but_for_what_failed_or_was_cancelled() -> None:
    assert {s: set(lifecycle.LEGAL[s]) for s in FINAL if lifecycle.LEGAL[s]} == {
        Status.FAILED: {Status.QUEUED},
        Status.CANCELLED: {Status.QUEUED},
    }


def test_a_move_that_the_table_does_not_know_is_refused(evaluation: Evaluation, now: datetime) -> None:
    with pytest.raises(lifecycle.IllegalTransition):
        move(evaluation, Status.SCORED, finished_at=now)


def test_a_move_of_a_row_that_has_changed_meanwhile_is_lost(
    lease: Lease, evaluation: Evaluation, now: datetime
) -> None:
    stale = evaluation  # still says queued under fence 0

    with pytest.raises(LeaseLost):
        move(stale, Status.CANCELLED, finished_at=now)


def test_a_move_of_a_row_that_somebody_else_has_claimed_meanwhile_is_lost(
    lease: Lease, evaluation: Evaluation, now: datetime
) -> None:
    """A takeover leaves the status as it was, so only the fence tells whose row it is."""
    evaluation.refresh_from_db()
    claim(evaluation, now=now + timedelta(seconds=60), owner="second")
    before = columns(evaluation)

    with pytest.raises(LeaseLost):
        move(evaluation, Status.CANCELLED, finished_at=now)

    assert columns(evaluation) == before


def test_a_move_of_a_row_that_was_cancelled_meanwhile_is_lost(evaluation: Evaluation, now: datetime) -> None:
    """A cancel of what waits leaves the fence as it was, so only the status tells."""
    lifecycle.cancel(evaluation.pk, now=now)

    with pytest.raises(LeaseLost):
        move(evaluation, Status.CANCELLED, finished_at=now + timedelta(hours=1))

    assert columns(evaluation)["finished_at"] == now


def test_a_move_leaves_every_other_row_alone(
    evaluation: Evaluation, make_evaluation: Callable[..., Evaluation], bob: User, track: Track, now: datetime
) -> None:
    of_bob = make_evaluation(bob, track)
    before = columns(of_bob)

    move(evaluation, Status.CANCELLED, finished_at=now)

    assert columns(of_bob) == before


@pytest.mark.parametrize("end", [write for write in ENDS if write != "release"])
def test_whoever_ends_an_attempt_works_on_it_no_more(
    lease: Lease, evaluation: Evaluation, now: datetime, end: str
) -> None:
    WRITES[end](lease, now)

    row = columns(evaluation)
    assert (row["lease_expires_at"], row["cancel_requested"]) == (None, False)
    assert row["lease_owner"] == ("first" if row["finished_at"] else "")


def test_a_cancelled_run_asks_for_no_cancel_any_more(
    lease: Lease, evaluation: Evaluation, now: datetime
) -> None:
    lifecycle.cancel(evaluation.pk, now=now)
    lifecycle.record_cancelled(lease, now=now)

    assert columns(evaluation)["cancel_requested"] is False


# --- transactions and locks ----------------------------------------------------------------------


LOCK = re.compile(r" FOR (NO KEY )?UPDATE( SKIP LOCKED)?$")
IN_LINE = ["submissions_line", "submissions_evaluation"]


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Collect the statements as they are on a database that locks rows; SQLite runs them without."""
    monkeypatch.setattr(connection.features, "has_select_for_update", True)
    monkeypatch.setattr(connection.features, "has_select_for_no_key_update", True)
    monkeypatch.setattr(connection.features, "has_select_for_update_skip_locked", True)
    seen: list[str] = []

    def without_locks(execute: Callable[..., object], sql: str, *rest: object) -> object:
        seen.append(sql)
        return execute(LOCK.sub("", sql), *rest)

    with connection.execute_wrapper(without_locks):
        yield seen


def locked(statements: list[str]) -> list[str]:
    """Return the tables whose rows were locked, in that order."""
    return [re.search(r'FROM "(\w+)"', sql)[1] for sql in statements if LOCK.search(sql)]


@pytest.mark.parametrize("end", ENDS)
def test_an_attempt_ends_in_one_transaction_that_locks_the_row(
    lease: Lease, now: datetime, end: str, statements: list[str]
) -> None:
    WRITES[end](lease, now)

    assert statements[0].startswith("SAVEPOINT")
    assert "submissions_evaluation" in locked(statements)


@pytest.mark.parametrize("end", ["record_scored", "record_rejected"])
def test_a_result_locks_the_participant_and_then_the_row(
    lease: Lease, now: datetime, end: str, statements: list[str]
) -> None:
    WRITES[end](lease, now)

    assert locked(statements)[:2] == ["auth_user", "submissions_evaluation"]


def test_a_claim_is_one_transaction(evaluation: Evaluation, now: datetime, statements: list[str]) -> None:
    """Else somebody could change what waits in the line between our UPDATE and the look at what is next in it."""
    lifecycle.claim(evaluation.pk, owner="first", now=now)

    assert statements[0].startswith("SAVEPOINT")
    assert locked(statements) == IN_LINE
    assert statements[-1].startswith("RELEASE")


@pytest.mark.parametrize(
    ("act", "tables"),
    [
        (lambda pk, now: lifecycle.cancel(pk, now=now), IN_LINE),
        (lambda pk, now: lifecycle.retry(pk, now=now), IN_LINE),
        (requests._take_back, IN_LINE),
    ],
    ids=["cancel", "retry", "take back"],
)
def test_a_request_locks_the_row_before_it_looks_at_it(
    evaluation: Evaluation,
    now: datetime,
    act: Callable[[int, datetime], object],
    tables: list[str],
    statements: list[str],
) -> None:
    act(evaluation.pk, now)

    assert statements[0].startswith("SAVEPOINT")
    assert locked(statements) == tables


@pytest.mark.parametrize("end", ["record_fault", "release"])
def test_what_comes_back_locks_its_line_and_then_the_row(
    lease: Lease, now: datetime, end: str, statements: list[str]
) -> None:
    """In the order of a claim, or the two could wait for each other."""
    WRITES[end](lease, now)

    assert locked(statements) == IN_LINE


class World:
    """One evaluation, two workers who remember every lease they ever held, and the time."""

    def __init__(self, evaluation: Evaluation) -> None:
        self.pk = evaluation.pk
        self.now = START
        self.leases: list[Lease] = []

    def act(self, name: str, which: int) -> None:
        if name == "wait":
            self.now += timedelta(seconds=(1, 16, 61)[which % 3])
        elif name == "claim":
            lease = lifecycle.claim(self.pk, owner=f"worker{which}", now=self.now)
            self.leases += [lease] if lease else []
        elif name == "cancel":
            lifecycle.cancel(self.pk, now=self.now)
        elif name == "retry":
            lifecycle.retry(self.pk, now=self.now)
        elif name == "sweep":
            lifecycle.take_back_abandoned(now=self.now)
        elif self.leases:
            self.write(name, self.leases[which % len(self.leases)])

    def write(self, name: str, lease: Lease) -> None:
        before = self.row()
        stale = before["fence"] != lease.fence or before["status"] != Status.RUNNING
        try:
            WRITES[name](lease, self.now)
        except LeaseLost:
            assert stale
            assert self.row() == before
        except CancelRequested:
            assert before["cancel_requested"]
            assert self.row() == before
        else:
            assert not stale

    def row(self) -> dict[str, object]:
        return Evaluation.objects.values().get(pk=self.pk)


ACTS = st.tuples(
    st.sampled_from(["wait", "claim", "claim", "cancel", "retry", "sweep", *WRITES]), st.integers(0, 5)
)


@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(acts=st.lists(ACTS, max_size=14))
def test_whatever_happens_only_legal_moves_happen_and_scores_stand_beside_scored_alone(
    make_evaluation: Callable[..., Evaluation], alice: User, track: Track, acts: list[tuple[str, int]]
) -> None:
    world = World(make_evaluation(alice, track))

    for name, which in acts:
        before = world.row()
        world.act(name, which)
        after = world.row()
        moved = before["status"] != after["status"] or before["fence"] != after["fence"]
        assert not moved or Status(after["status"]) in lifecycle.LEGAL[Status(before["status"])]
        assert after["fence"] >= before["fence"]
        scored = after["status"] == Status.SCORED
        assert Score.objects.filter(evaluation=world.pk, split=Split.PUBLIC).count() == int(scored)
