"""A bad minute of disk, storage, database or of one machine: every entry is scored, none has failed.

Time is played: an evaluation takes seconds, a pause takes its length, and the suite takes none of it.
"""

import errno
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from wsgiref.types import StartResponse, WSGIEnvironment

import boto3
import pytest
from django.contrib.auth.models import User
from django.core.files.storage import storages
from django.db import OperationalError
from moto.server import DomainDispatcherApplication, create_backend_app
from pytest_django import Settings
from werkzeug.serving import make_server

from competition.submissions.models import FINAL, Evaluation, Score, Worker
from competition.submissions.workers import Sign
from competition.tracks.models import Track
from scoring.contracts import ScoreReport, Stage, Status
from scoring.errors import Cause
from scoring.worker.evaluate import OUTAGES, Workplace, drain
from scoring.worker.fitness import first_unfit, try_database, try_disk, try_storage
from scoring.worker.ports import Assignment, Work
from scoring.worker.presence import Presence
from scoring.worker.rest import Rest
from tests.examples import Clock
from tests.faults.conftest import PlayedPorts, breaker_on

pytestmark = pytest.mark.slow

ENTRIES = 8
OUTAGE = timedelta(seconds=60)
WITHIN = timedelta(minutes=1)
EVALUATION_S = 2.0
STEP_S = 3.0


class Resting(BaseException):
    """A worker lets time pass, so that it is another's turn to be played."""


def rest_elsewhere(seconds: float) -> None:
    raise Resting


@dataclass(frozen=True, kw_only=True)
class Machine(PlayedPorts):
    """A worker's ports, whose evaluations take time, and on which something can be made to break."""

    clock: Clock
    fetching: Callable[[Path], None] = lambda workdir: None
    scoring: Callable[[], None] = lambda: None
    recording: Callable[[], None] = lambda: None

    def fetch(self, work: Work, *, workdir: Path, tick: Callable[[], None]) -> Assignment:
        self.fetching(workdir)
        return super().fetch(work, workdir=workdir, tick=tick)

    def score(self, assignment: Assignment, *, workdir: Path, note: Callable[[Stage], None]) -> ScoreReport:
        self.clock.advance(seconds=EVALUATION_S)
        self.scoring()
        return super().score(assignment, workdir=workdir, note=note)

    def record_scored(self, work: Work, report: ScoreReport) -> None:
        self.recording()
        super().record_scored(work, report)


@dataclass
class Site:
    """Entries that wait, machines that work them off in played time, and the moment when trouble ends."""

    clock: Clock
    place: Workplace
    ports: PlayedPorts
    ends_at: object = None
    workers: list[tuple[Machine, Workplace]] = field(default_factory=list)

    @property
    def is_down(self) -> bool:
        return self.clock.now < self.ends_at

    def add(self, name: str, tests: dict[Cause, Callable[[], None]] | None = None, **broken: object) -> None:
        sign = Sign(name=f"{name}:1", machine=name, version="1", queues=("cpu",))
        presence = Presence(sign, now=lambda: self.clock.now)
        machine = Machine(
            **{**vars(self.ports), "owner": f"{name}:1", "presence": presence}, clock=self.clock, **broken
        )
        rest = Rest(
            breaker=breaker_on(self.clock),
            examine=partial(
                first_unfit, {Cause.DATABASE: partial(try_database, presence.write), **(tests or {})}
            ),
            show=presence.note_rest,
            wait=rest_elsewhere,
        )
        self.workers.append((machine, replace(self.place, rest=rest)))

    def run(self, *, until: timedelta) -> None:
        """Let the machines work by turns, for so long or until nothing waits."""
        end = self.clock.now + until
        while self.clock.now < end and Evaluation.objects.exclude(status__in=FINAL).exists():
            for machine, place in self.workers:
                machine.presence.show()
                with suppress(Resting):
                    drain(machine, place)
            self.clock.advance(seconds=STEP_S)


@pytest.fixture
def site(
    make_evaluation: Callable[..., Evaluation],
    alice: User,
    track: Track,
    ports: PlayedPorts,
    place: Workplace,
    clock: Clock,
) -> Site:
    for number in range(ENTRIES):
        make_evaluation(alice, track, at=clock.now - timedelta(minutes=ENTRIES - number))
    return Site(clock=clock, place=place, ports=ports, ends_at=clock.now + OUTAGE)


def assert_all_scored_and_none_the_worse(places: list[tuple[int, object]]) -> None:
    assert set(Evaluation.objects.values_list("status", flat=True)) == {Status.SCORED}
    assert Score.objects.values("evaluation").distinct().count() == ENTRIES
    assert list(Evaluation.objects.order_by("pk").values_list("pk", "queued_at")) == places


def places() -> list[tuple[int, object]]:
    return list(Evaluation.objects.order_by("pk").values_list("pk", "queued_at"))


def begun_again_after(moment: object) -> timedelta:
    first = Evaluation.objects.filter(started_at__gte=moment).order_by("started_at").first()
    return first.started_at - moment


# --- disk ----------------------------------------------------------------------------------------


def test_a_full_disk_costs_nobody_anything(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The kernel says that the disk is full: what is fetched is written to a device that always is."""

    def fill(workdir: Path) -> None:
        if site.is_down:
            (workdir / "entry").symlink_to("/dev/full")

    free = {True: 0, False: 2**40}
    monkeypatch.setattr(
        "scoring.worker.fitness.shutil.disk_usage", lambda _: SimpleNamespace(free=free[site.is_down])
    )
    before = places()
    site.add("only", {Cause.DISK: partial(try_disk, (tmp_path,), min_free_bytes=2**30)}, fetching=fill)

    site.run(until=OUTAGE)
    row = Worker.objects.get()
    assert (row.state, row.rest_cause) == (Worker.State.RESTING, Cause.DISK)
    assert not Score.objects.exists()
    site.run(until=timedelta(minutes=5))

    assert_all_scored_and_none_the_worse(before)
    assert begun_again_after(site.ends_at) < WITHIN


def test_a_disk_that_is_full_for_large_files_alone_costs_nobody_anything(site: Site) -> None:
    """No test of the worker's finds it, so an entry does, again and again."""

    def fill(workdir: Path) -> None:
        if site.is_down:
            (workdir / "entry").symlink_to("/dev/full")

    before = places()
    site.add("only", fetching=fill)

    site.run(until=timedelta(minutes=10))

    assert_all_scored_and_none_the_worse(before)
    assert begun_again_after(site.ends_at) < WITHIN
    assert set(Evaluation.objects.values_list("attempts", flat=True)) == {1}


# --- storage -------------------------------------------------------------------------------------


@pytest.fixture
def failing_s3(site: Site, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Serve the entries from an S3 store that answers 500 to everything while the site is down."""
    inner = DomainDispatcherApplication(create_backend_app)

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> object:
        if site.is_down and began:
            start_response("500 Internal Server Error", [("Content-Length", "0")])
            return []
        return inner(environ, start_response)

    began: list[bool] = []
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{server.port}"
    for name, value in (("ACCESS_KEY_ID", "test"), ("SECRET_ACCESS_KEY", "test"), ("MAX_ATTEMPTS", "1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    boto3.client("s3", endpoint_url=address, region_name="us-east-1").create_bucket(Bucket="podium")
    local = [
        (e.submission.entry.name, Path(e.submission.entry.path).read_bytes())
        for e in Evaluation.objects.all()
    ]
    options = {
        "bucket_name": "podium",
        "endpoint_url": address,
        "region_name": "us-east-1",
        "default_acl": None,
    }
    s3 = {"BACKEND": "competition.s3.S3Storage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": s3}
    for name, content in local:
        storages["default"].bucket.put_object(Key=name, Body=content)
    began.append(True)
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


def test_storage_that_answers_500_costs_nobody_anything(failing_s3: Site) -> None:
    before = places()
    failing_s3.add("a", {Cause.STORAGE: try_storage})
    failing_s3.add("b", {Cause.STORAGE: try_storage})

    failing_s3.run(until=OUTAGE)
    assert set(Worker.objects.values_list("state", "rest_cause")) == {(Worker.State.RESTING, Cause.STORAGE)}
    failing_s3.run(until=timedelta(minutes=5))

    assert_all_scored_and_none_the_worse(before)
    assert begun_again_after(failing_s3.ends_at) < WITHIN


def test_storage_that_fails_once_it_was_asked_costs_nobody_anything(failing_s3: Site) -> None:
    """The tests pass, since they are not made: the store's own exception tells whose trouble it is."""
    before = places()
    failing_s3.add("only")

    failing_s3.run(until=timedelta(minutes=10))

    assert_all_scored_and_none_the_worse(before)
    assert begun_again_after(failing_s3.ends_at) < WITHIN


# --- one machine ---------------------------------------------------------------------------------


def test_a_sick_worker_of_two_leaves_the_entries_to_the_other(site: Site) -> None:
    def fall_ill() -> None:
        raise RuntimeError("CUDA error: device-side assert triggered")

    before = places()
    site.add("sick", scoring=fall_ill)
    site.add("well")

    site.run(until=timedelta(hours=1))

    assert_all_scored_and_none_the_worse(before)
    assert {owner for (owner,) in Evaluation.objects.values_list("lease_owner")} == {"well:1"}
    # The sick one rests ever longer, and takes nothing twice.
    assert Evaluation.objects.filter(attempts__gt=2).count() == 0


def test_nothing_a_machine_does_for_an_hour_fails_an_entry(site: Site) -> None:
    """It fails on every second entry, and there is no other machine."""
    site.ends_at = site.clock.now + timedelta(minutes=55)
    calls = iter(range(10**6))

    def be_moody() -> None:
        if site.is_down and next(calls) % 2 == 0:
            raise RuntimeError("cuDNN error")

    before = places()
    site.add("only", scoring=be_moody)

    site.run(until=timedelta(hours=3))

    assert_all_scored_and_none_the_worse(before)


def test_an_entry_that_makes_every_machine_fail_has_failed_and_the_others_are_scored(site: Site) -> None:
    poison = Evaluation.objects.earliest("queued_at")
    for number, other in enumerate(Evaluation.objects.exclude(pk=poison.pk)):
        Evaluation.objects.filter(pk=other.pk).update(not_before=site.clock.now + timedelta(minutes=number))

    def choke(name: str) -> None:
        if Evaluation.objects.filter(pk=poison.pk, lease_owner=f"{name}:1").exists():
            raise RuntimeError("cannot score this")

    for name in "ab":
        site.add(name, scoring=partial(choke, name))

    site.run(until=timedelta(minutes=30))

    poison.refresh_from_db()
    assert poison.status == Status.FAILED
    assert {fault.machine for fault in poison.faults.all()} == {"a", "b"}
    others = Evaluation.objects.exclude(pk=poison.pk)
    assert set(others.values_list("status", flat=True)) == {Status.SCORED}


# --- database ------------------------------------------------------------------------------------


def test_a_result_outlasts_a_database_that_is_away_when_it_is_recorded(site: Site) -> None:
    failures = iter(range(5))

    def lose_the_connection() -> None:
        if next(failures, None) is not None:
            raise OperationalError("server closed the connection unexpectedly")

    before = places()
    site.add("only", recording=lose_the_connection)
    machine, place = site.workers[0]
    site.workers[0] = (
        machine,
        replace(place, rest=replace(place.rest, wait=lambda s: site.clock.advance(seconds=s))),
    )

    site.run(until=timedelta(minutes=5))

    assert_all_scored_and_none_the_worse(before)
    assert set(Evaluation.objects.values_list("attempts", flat=True)) == {1}


def test_a_write_that_the_database_never_takes_is_a_fault(site: Site) -> None:
    failures = iter(range(OUTAGES + 1))

    def fail() -> None:
        if next(failures, None) is not None:
            raise OperationalError("canceling statement due to statement timeout")

    site.add("only", recording=fail)
    machine, place = site.workers[0]
    site.workers[0] = (
        machine,
        replace(place, rest=replace(place.rest, wait=lambda s: site.clock.advance(seconds=s))),
    )

    site.run(until=timedelta(minutes=1))

    first = Evaluation.objects.earliest("queued_at")
    assert {fault.cause for fault in first.faults.all()} == {Cause.DATABASE}


def test_a_claim_waits_for_a_database_that_is_away(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    claim, failures = Machine.claim, iter(range(3))

    def fail_first(machine: Machine) -> Work | None:
        if next(failures, None) is not None:
            raise OperationalError("could not connect to server")
        return claim(machine)

    monkeypatch.setattr(Machine, "claim", fail_first)
    before = places()
    site.add("only")

    site.run(until=timedelta(minutes=5))

    assert_all_scored_and_none_the_worse(before)


def test_a_defect_in_claiming_is_no_trouble_to_wait_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(machine: Machine) -> Work | None:
        raise OSError(errno.EBADF, "a defect")

    monkeypatch.setattr(Machine, "claim", fail)
    site.add("only")

    with pytest.raises(OSError, match="a defect"):
        site.run(until=timedelta(minutes=1))
