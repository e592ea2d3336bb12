"""What Prometheus reads: what the processes of this machine counted, and what the database tells of the whole site."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Final

from django.db.models import Count, Min, Q
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from competition.clock import database_now
from competition.submissions import workers
from competition.submissions.models import Evaluation, Quarantine
from competition.submissions.quarantined import quarantined
from competition.tracks.models import Track
from scoring.contracts import Status

KEPT_S: Final = 10.0
"""How long the database's numbers are given again, however many ask."""


class SiteCollector(Collector):
    """Queues, running evaluations and workers, as the database has them."""

    def collect(self) -> Iterable[Metric]:
        """Return the numbers; a track on which nothing waits has zeros, so that rules can compare."""
        return _collected(int(time.monotonic() // KEPT_S))


def exposition() -> bytes:
    """Return all numbers in Prometheus's text format."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library has no types here
    registry.register(SiteCollector())
    return generate_latest(registry)


@lru_cache(maxsize=1)
def _collected(period: int) -> tuple[Metric, ...]:
    now = database_now()
    return (*_queues(now), *_leases(now), *_workers(now))


def _queues(now: datetime) -> Iterator[Metric]:
    labels = ("track", "queue")
    length = GaugeMetricFamily("podium_queue_length", "Evaluations that wait.", labels=labels)
    age = GaugeMetricFamily(
        "podium_queue_age_seconds", "How long the oldest waiting evaluation has waited.", labels=labels
    )
    paused = GaugeMetricFamily("podium_track_paused", "Whether organisers paused the track.", labels=labels)
    waiting = Evaluation.objects.filter(~quarantined(), status=Status.QUEUED).order_by()
    counted = waiting.values("submission__track").annotate(n=Count("pk"), oldest=Min("queued_at"))
    found = {row["submission__track"]: (row["n"], row["oldest"]) for row in counted}
    tracks = Track.objects.order_by("pk").values_list("pk", "slug", "queue", "paused_at")
    for pk, slug, queue, paused_at in tracks:
        count, oldest = found.get(pk, (0, now))
        length.add_metric((slug, queue), count)
        age.add_metric((slug, queue), max(0.0, (now - oldest).total_seconds()))
        paused.add_metric((slug, queue), paused_at is not None)
    held = GaugeMetricFamily(
        "podium_quarantined", "Submissions in quarantine.", value=Quarantine.objects.count()
    )
    yield from (length, age, paused, held)


def _leases(now: datetime) -> Iterator[Metric]:
    running = Evaluation.objects.filter(status=Status.RUNNING)
    lost = Q(lease_expires_at__lte=now)
    counts = running.aggregate(lost=Count("pk", filter=lost), held=Count("pk", filter=~lost))
    held = "Evaluations that a worker works on."
    yield GaugeMetricFamily("podium_evaluations_running", held, value=counts["held"])
    expired = "Evaluations whose worker has vanished."
    yield GaugeMetricFamily("podium_leases_expired", expired, value=counts["lost"])


def _workers(now: datetime) -> Iterator[Metric]:
    count = GaugeMetricFamily("podium_workers", "Workers that are alive.", labels=("queue", "state"))
    clock = GaugeMetricFamily(
        "podium_worker_clock_ahead_seconds", "A worker's clock against the database's.", labels=("worker",)
    )
    disk = GaugeMetricFamily("podium_worker_free_bytes", "Free on a worker's disk.", labels=("worker",))
    rows = workers.alive(now)
    served = set(Track.objects.values_list("queue", flat=True))
    # Zeros again, for the hardware classes that nobody serves.
    alive = Counter({(queue, "serving"): 0 for queue in served})
    alive.update((queue, row.present_state.value) for row in rows for queue in row.queues)
    for labels, number in sorted(alive.items()):
        count.add_metric(labels, number)
    for row in rows:
        if row.clock_ahead_s is not None:
            clock.add_metric((row.name,), row.clock_ahead_s)
        if row.free_bytes is not None:
            disk.add_metric((row.name,), row.free_bytes)
    yield from (count, clock, disk)
