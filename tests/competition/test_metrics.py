"""Numbers for Prometheus: shown to whom the settings name, true, and known by the rules that read them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from prometheus_client import Counter, Histogram
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from competition import metrics
from competition.clock import database_now
from competition.operations import exposition
from competition.submissions import lifecycle, workers
from competition.submissions.models import Evaluation, Worker
from competition.submissions.workers import Sign
from competition.tracks.models import Track
from scoring.contracts import Finding, Stage
from scoring.errors import Rejected
from scoring.worker.counted import CountedPorts
from scoring.worker.ports import Work
from tests.examples import scored_report

ROOT = Path(__file__).parents[2]
TOKEN = "t0ken"


@pytest.fixture(autouse=True)
def _ask_anew() -> None:
    exposition._collected.cache_clear()


def ask(address: str = "192.0.2.7", **headers: str) -> int:
    return Client(REMOTE_ADDR=address).get("/metrics", headers=headers).status_code


def told() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return every sample that is shown."""
    families = text_string_to_metric_families(exposition.exposition().decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def counted(metric: Counter | Histogram, **labels: str) -> float:
    """Return what this process has counted."""
    (family,) = [metric.labels(**labels)]
    return next(s.value for s in family._child_samples() if s.name in ("_total", "_count"))


# --- for whom ------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_without_settings_there_is_nothing_for_anybody() -> None:
    assert ask() == ask(Authorization="Bearer ") == ask("127.0.0.1") == 404


@pytest.mark.django_db
def test_whoever_has_the_token_is_answered(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN

    assert ask(Authorization=f"Bearer {TOKEN}") == 200
    assert ask(Authorization="Bearer t0kem") == ask(Authorization=TOKEN) == ask() == 404


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "status"),
    [("192.0.2.7", 200), ("192.0.3.7", 404), ("2001:db8::1", 200), ("2001:db9::1", 404), ("", 404)],
)
def test_whoever_comes_from_an_allowed_network_is_answered(
    settings: Settings, address: str, status: int
) -> None:
    settings.METRICS_FROM = ["192.0.2.0/24", "2001:db8::/32"]

    assert ask(address) == status


@pytest.mark.django_db
def test_an_address_that_somebody_writes_into_a_header_is_not_believed(settings: Settings) -> None:
    settings.METRICS_FROM = ["192.0.2.0/24"]

    assert ask("198.51.100.1", **{"X-Forwarded-For": "192.0.2.7"}) == 404


# --- what the database tells ---------------------------------------------------------------------


@pytest.mark.django_db
def test_queues_are_told_by_track_and_class_and_empty_ones_are_zero(
    make_evaluation: Callable[..., Evaluation], make_track: Callable[..., Track], alice: User, track: Track
) -> None:
    make_track("other", queue="gpu")
    now = database_now()
    make_evaluation(alice, track, at=now - timedelta(minutes=10))
    make_evaluation(alice, track, at=now - timedelta(minutes=2))

    samples = told()

    busy, idle = (("queue", "cpu"), ("track", "track-one")), (("queue", "gpu"), ("track", "other"))
    assert samples["podium_queue_length", busy] == 2
    assert 600 <= samples["podium_queue_age_seconds", busy] < 900
    assert samples["podium_queue_length", idle] == samples["podium_queue_age_seconds", idle] == 0


@pytest.mark.django_db
def test_workers_and_leases_are_told(
    make_evaluation: Callable[..., Evaluation], alice: User, bob: User, track: Track
) -> None:
    now = database_now()
    sign = Sign(
        name="w:1",
        machine="w",
        version="1",
        started_at=now,
        queues=("cpu",),
        clock_ahead_s=7.5,
        free_bytes=10**9,
    )
    workers.show(sign, now=now)
    for user, at in ((alice, now), (bob, now - timedelta(hours=1))):
        lifecycle.claim(make_evaluation(user, track, at=at).pk, owner="w:1", now=at)

    samples = told()

    assert samples["podium_workers", (("queue", "cpu"), ("state", Worker.State.SERVING.value))] == 1
    assert samples["podium_worker_clock_ahead_seconds", (("worker", "w:1"),)] == 7.5
    assert samples["podium_worker_free_bytes", (("worker", "w:1"),)] == 10**9
    assert (samples["podium_evaluations_running", ()], samples["podium_leases_expired", ()]) == (1, 1)


@pytest.mark.django_db
def test_a_class_that_nobody_serves_has_no_workers(track: Track) -> None:
    assert told()["podium_workers", (("queue", "cpu"), ("state", "serving"))] == 0


# --- what is counted -----------------------------------------------------------------------------


@pytest.mark.django_db
def test_uploads_and_requests_are_counted(client: Client, alice: User, track: Track) -> None:
    client.force_login(alice)
    address = reverse("submit", args=[track.slug])
    names = {"view": "submit", "method": "POST", "status": "302"}
    before = (
        counted(metrics.UPLOAD_BYTES, track=track.slug),
        counted(metrics.UPLOADS_REFUSED, code="already_submitted"),
        counted(metrics.REQUEST_SECONDS, **names),
    )

    for _ in range(2):
        client.post(address, {"entry": SimpleUploadedFile("e.zip", b"12345")})

    after = (
        counted(metrics.UPLOAD_BYTES, track=track.slug),
        counted(metrics.UPLOADS_REFUSED, code="already_submitted"),
        counted(metrics.REQUEST_SECONDS, **names),
    )
    assert tuple(b - a for a, b in zip(before, after, strict=True)) == (5, 1, 1)
    assert ("podium_upload_bytes_total", (("track", track.slug),)) in told()


class Inner:
    """Ports that do nothing, or lose the lease."""

    def __init__(self, *, lost: bool = False) -> None:
        self.lost = lost

    def claim(self) -> Work | None:
        lease = lifecycle.Lease(evaluation=1, owner="w", fence=1)
        return Work(lease=lease, submission="s")

    def __getattr__(self, name: str) -> Callable[..., object]:
        def act(*_: object, **__: object) -> None:
            if self.lost:
                raise lifecycle.LeaseLost("gone")

        return act


@pytest.fixture
def times() -> list[float]:
    return [0.0, 1.0, 4.0]


def test_what_goes_through_the_ports_is_counted(times: list[float]) -> None:
    queue, refused = "counted", Rejected(Finding(code="crashed"))
    ports = CountedPorts(inner=Inner(), queue=queue, clock=lambda: times.pop(0))  # type: ignore[arg-type]
    measured = counted(metrics.STAGE_SECONDS, stage="intake"), counted(metrics.STAGE_SECONDS, stage="measure")
    rejections, faults = counted(metrics.REJECTIONS, code="crashed"), counted(metrics.FAULTS, cause="disk")

    work = ports.claim()
    assert work is not None
    ports.note_stage(work, Stage.INTAKE)
    ports.note_stage(work, Stage.MEASURE)
    ports.renew(work)
    ports.check(work)
    ports.score(None, workdir=Path(), note=print)  # type: ignore[arg-type]
    ports.record_scored(work, scored_report())
    ports.record_rejected(work, refused)
    ports.record_cancelled(work)
    ports.record_fault(work, reference="r", detail="d", cause="disk")
    ports.release(work)

    assert counted(metrics.CLAIMS, queue=queue) == counted(metrics.RENEWALS, queue=queue) == 1
    outcomes = ("scored", "rejected", "cancelled", "fault", "released")
    assert [counted(metrics.OUTCOMES, queue=queue, outcome=each) for each in outcomes] == [1] * 5
    assert counted(metrics.REJECTIONS, code="crashed") - rejections == 1
    assert counted(metrics.FAULTS, cause="disk") - faults == 1
    assert counted(metrics.STAGE_SECONDS, stage="intake") - measured[0] == 1
    assert counted(metrics.STAGE_SECONDS, stage="measure") - measured[1] == 1


@pytest.mark.parametrize("name", ["renew", "check", "release", "record_cancelled"])
def test_a_lost_lease_is_counted_and_told(name: str) -> None:
    ports = CountedPorts(inner=Inner(lost=True), queue=name)  # type: ignore[arg-type]
    work = ports.claim()

    with pytest.raises(lifecycle.LeaseLost):
        getattr(ports, name)(work)

    assert counted(metrics.LEASES_LOST, queue=name) == 1
    assert counted(metrics.RENEWALS, queue=name) == 0


# --- rules and dashboard -------------------------------------------------------------------------

ALERTS = yaml.safe_load((ROOT / "docs/operations/alerts.yml").read_text())["groups"][0]["rules"]
PANELS = json.loads((ROOT / "docs/operations/dashboard.json").read_text())["panels"]


def names_in(expression: str) -> set[str]:
    return {re.sub("_(bucket|count|sum|total)$", "", name) for name in re.findall(r"podium_\w+", expression)}


@pytest.fixture
def known(track: Track) -> set[str]:
    counters = {value._name for value in vars(metrics).values() if isinstance(value, Counter | Histogram)}
    return counters | {metric.name for metric in exposition.SiteCollector().collect()}


@pytest.mark.django_db
def test_rules_and_dashboard_ask_for_numbers_that_there_are(known: set[str]) -> None:
    asked = {name for rule in ALERTS for name in names_in(rule["expr"])}
    shown = {name for panel in PANELS for target in panel["targets"] for name in names_in(target["expr"])}

    assert asked - known == shown - known == set()
    assert known - shown == set()


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_the_runbook_says_what_to_do_about_each_alert(rule: dict[str, dict[str, str]]) -> None:
    runbook = (ROOT / "docs/runbook.md").read_text()

    assert f"\n## {rule['alert']}\n" in runbook
    assert rule["annotations"]["runbook"] == f"docs/runbook.md#{str(rule['alert']).lower()}"
