"""Whatever happens in whatever order: who is claimed, who has which place, and what the rows say of it."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max, Q
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from competition.submissions import lifecycle, operating, queue, workers
from competition.submissions.lifecycle.faults import is_left_to_others
from competition.submissions.models import Evaluation, Submission, Worker
from competition.submissions.places import Place, place_of
from competition.submissions.workers import Sign
from competition.tracks.models import BenchmarkVersion, Track
from scoring.contracts import Status
from scoring.environment import installed_environment
from scoring.errors import reject
from tests.competition.submissions.reference_order import Served, Waiting, in_order
from tests.examples import START, new_benchmark

MACHINES = ("one", "two")
SECONDS = st.integers(0, 90)
PICK = st.integers(0, 1000)


AWAITED = Q(status=Status.QUEUED, submission__track__queue="cpu", submission__quarantine=None)
NOT_PAUSED = Q(submission__track__paused_at=None)


class Undone(Exception):
    """Ends an example without a trace."""


class LivingQueue(RuleBasedStateMachine):
    """Three participants on three tracks of one class and one of another; one track has a version nobody can score."""

    participants: list[User]
    tracks: list[Track]
    unfit: BenchmarkVersion

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.leases: list[lifecycle.Lease] = []
        self.transaction = transaction.atomic()
        self.transaction.__enter__()

    def teardown(self) -> None:
        try:
            self.transaction.__exit__(Undone, Undone(), None)
        finally:
            super().teardown()

    # --- what happens ---

    @rule(who=PICK, track=PICK, again=st.booleans(), old=st.booleans(), seconds=SECONDS)
    def enter(self, who: int, track: int, again: bool, old: bool, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        on = self.tracks[track % len(self.tracks)]
        submission = Submission.objects.create(
            track=on, participant=self.participants[who % len(self.participants)], entry_bytes=1
        )
        benchmark = self.unfit if old and on.pk == self.unfit.track_id else on.benchmark
        priority = Evaluation.Priority.RESCORE if again else Evaluation.Priority.FRESH
        lifecycle.enter(
            [Evaluation(submission=submission, benchmark=benchmark, priority=priority, queued_at=self.now)]
        )

    @rule(seconds=SECONDS, machine_of_turn=st.sampled_from(MACHINES))
    def claim(self, seconds: int, machine_of_turn: str) -> None:
        self.now += timedelta(seconds=seconds)
        for machine in MACHINES:
            workers.show(
                Sign(name=f"{machine}:1", machine=machine, version="1", started_at=START, queues=("cpu",)),
                now=self.now,
            )
        lifecycle.take_back_abandoned(now=self.now)
        owner = f"{machine_of_turn}:1"
        expected = self.expected(owner)

        lease = queue.claim_next(
            owner=owner, queues=("cpu",), environment=installed_environment(), now=self.now
        )

        assert (lease.evaluation if lease else None) == expected
        if lease:
            self.leases.append(lease)

    @precondition(lambda self: self.leases)
    @rule(which=PICK, end=st.sampled_from(["fault", "release", "reject", "vanish"]))
    def end(self, which: int, end: str) -> None:
        lease = self.leases.pop(which % len(self.leases))
        try:
            if end == "fault":
                lifecycle.record_fault(lease, reference="r", detail="", now=self.now)
            elif end == "release":
                lifecycle.release(lease, now=self.now)
            elif end == "reject":
                lifecycle.record_rejected(lease, reject("empty_upload"), now=self.now)
        except (lifecycle.LeaseLost, lifecycle.CancelRequested):
            pass

    @precondition(lambda self: Evaluation.objects.exists())
    @rule(which=PICK)
    def cancel(self, which: int) -> None:
        lifecycle.cancel(self.one(which), now=self.now)

    @rule(track=PICK, on=st.booleans())
    def pause(self, track: int, on: bool) -> None:
        chosen = Track.objects.get(pk=self.tracks[track % len(self.tracks)].pk)
        if on:
            operating.pause_track(track=chosen, by=None, now=self.now)
        else:
            operating.resume_track(track=chosen, by=None)

    @precondition(lambda self: Evaluation.objects.exists())
    @rule(which=PICK, on=st.booleans())
    def quarantine(self, which: int, on: bool) -> None:
        chosen = Submission.objects.get(evaluations=self.one(which))
        if on:
            operating.quarantine(submission=chosen, reason="r", by=None, now=self.now)
        else:
            operating.release(submission=chosen, by=None)

    @precondition(lambda self: Worker.objects.exists())
    @rule(which=PICK, on=st.booleans())
    def drain(self, which: int, on: bool) -> None:
        chosen = Worker.objects.order_by("name")[which % Worker.objects.count()]
        if on:
            operating.drain(worker=chosen, by=None, now=self.now)
        else:
            operating.resume_worker(worker=chosen, by=None)

    @precondition(lambda self: Evaluation.objects.exists())
    @rule(which=PICK)
    def retry(self, which: int) -> None:
        lifecycle.retry(self.one(which), now=self.now)

    def one(self, which: int) -> int:
        rows = self.all()
        return rows[which % len(rows)]

    @staticmethod
    def all() -> list[int]:
        return list(Evaluation.objects.order_by("pk").values_list("pk", flat=True))

    # --- what must be ---

    @invariant()
    def rows_say_what_evaluations_say(self) -> None:
        assert not lifecycle.examine_queue()

    @invariant()
    def places_are_the_order(self) -> None:
        order = in_order(self.waiting(AWAITED, NOT_PAUSED), self.served())

        told = [place_of(Evaluation.objects.get(pk=each.evaluation)) for each in order]

        assert told == [Place(number=number, is_exact=True) for number in range(1, len(order) + 1)]

    @invariant()
    def places_on_a_paused_track_are_as_if_it_were_not_paused(self) -> None:
        for track in Track.objects.filter(paused_at__isnull=False, queue="cpu"):
            not_paused = NOT_PAUSED | Q(submission__track=track)
            order = in_order(self.waiting(AWAITED, not_paused), self.served())

            told = {
                n: place_of(Evaluation.objects.get(pk=each.evaluation)) for n, each in enumerate(order, 1)
            }

            own = {n for n, each in enumerate(order, 1) if each.track == track.pk}
            assert {n: told[n] for n in own} == {n: Place(number=n, is_exact=True) for n in own}

    @invariant()
    def what_is_in_quarantine_neither_runs_nor_has_a_place(self) -> None:
        rows = Evaluation.objects.filter(submission__quarantine__isnull=False)

        assert not rows.filter(status=Status.RUNNING).exists()
        assert {place_of(row) for row in rows} <= {None}

    def expected(self, owner: str) -> int | None:
        if Worker.objects.get(name=owner).drain_requested_at:
            return None
        fit = [track.benchmark for track in self.tracks if track.queue == "cpu"]
        aside = [pk for pk in self.all() if is_left_to_others(pk, owner=owner, now=self.now)]
        rested = Q(not_before=None) | Q(not_before__lte=self.now)
        here = self.waiting(AWAITED, NOT_PAUSED, rested, ~Q(pk__in=aside), benchmark__in=fit)
        running = Evaluation.objects.filter(status=Status.RUNNING, lease_expires_at__gt=self.now)
        full = Counter(running.values_list("submission__track", "submission__participant"))
        order = in_order([each for each in here if each.line not in full], self.served())
        return order[0].evaluation if order else None

    @staticmethod
    def waiting(*conditions: object, **more: object) -> list[Waiting]:
        columns = ("pk", "submission__track", "submission__participant", "priority", "queued_at")
        names = ("evaluation", "track", "participant", "priority", "queued_at")
        rows = Evaluation.objects.filter(*conditions, **more).values_list(*columns)
        return [Waiting(**dict(zip(names, row, strict=True))) for row in rows]

    @staticmethod
    def served() -> Served:
        rows = Evaluation.objects.exclude(started_at=None).order_by()
        lines = rows.values_list("submission__track", "submission__participant").annotate(Max("started_at"))
        tracks = rows.values_list("submission__track").annotate(Max("started_at"))
        return Served(tracks=dict(tracks), lines={(track, who): moment for track, who, moment in lines})


def test_the_queue_keeps_its_order_whatever_happens(
    make_user: Callable[[str], User],
    make_track: Callable[..., Track],
    settings: pytest.FixtureRequest,
) -> None:
    settings.LEASE_S, settings.MAX_RUNNING_PER_PARTICIPANT, settings.MAX_ATTEMPTS = 60.0, 1, 2
    LivingQueue.participants = [make_user(name) for name in ("ann", "ben", "cem")]
    LivingQueue.tracks = [make_track(slug) for slug in ("one", "two", "three")] + [
        make_track("big", queue="gpu")
    ]
    track = LivingQueue.tracks[0]
    LivingQueue.unfit = track.benchmark
    BenchmarkVersion.objects.filter(pk=track.benchmark_id).update(environment={"torch": "1.5"})
    new_benchmark(track)

    run_state_machine_as_test(LivingQueue, settings=RUNS)


RUNS = settings(
    max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
