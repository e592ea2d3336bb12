"""The Celery tasks. They hold no logic and no content: a message may be lost, doubled or late."""

from __future__ import annotations

import os
import socket
from functools import cache, partial
from importlib.metadata import version
from operator import attrgetter

from celery import shared_task
from celery.signals import beat_embedded_init, worker_init, worker_ready, worker_shutdown
from celery.worker import WorkController
from celery.worker.consumer import Consumer
from celery.worker.state import maybe_shutdown
from django.conf import settings
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector

from competition.clock import database_now
from competition.submissions import rescoring
from competition.submissions.resuming import remove_expired
from competition.submissions.wakeup import EVALUATE
from competition.submissions.workers import Sign
from competition.telemetry import starting
from competition.upkeep.orphans import remove_orphans
from scoring.environment import installed_environment
from scoring.errors import Cause
from scoring.files.workdirs import workdir
from scoring.sandbox import open_for_strangers
from scoring.sandbox.warm import WarmSandbox
from scoring.worker.cache_size import trim_cache
from scoring.worker.counted import CountedPorts
from scoring.worker.embedded_beat import die_with_the_worker
from scoring.worker.evaluate import Workplace, drain
from scoring.worker.fitness import Test, first_unfit, try_database, try_disk, try_sandbox, try_storage
from scoring.worker.ports import Ports
from scoring.worker.presence import Presence, measured_at
from scoring.worker.rest import Rest
from scoring.worker.self_check import refuse_unfit_worker
from scoring.worker.site import SitePorts
from scoring.worker.sweep import sweep


@shared_task(name=EVALUATE, ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def evaluate_waiting(queue: str) -> None:
    """Evaluate what waits for a hardware class until nothing is left."""
    sandbox = own_sandbox()
    rest = own_rest()
    ports = SitePorts(
        owner=owner(),
        queue=queue,
        sandbox=sandbox,
        cache=settings.CACHE_DIR,
        presence=own_presence(),
        memory_bytes=settings.WORKER_MEMORY_BYTES,
    )
    workplace = Workplace(
        work_root=settings.HOME / "work",
        lease_s=settings.LEASE_S,
        stop=maybe_shutdown,
        rest=rest,
        trim=partial(trim_cache, settings.CACHE_DIR, max_bytes=settings.CACHE_MAX_BYTES),
        refill=sandbox.refill,
    )
    counted = CountedPorts(inner=ports, queue=queue)
    drain(_traced(counted) if settings.OTLP_ENDPOINT else counted, workplace)


def _traced(ports: Ports) -> Ports:
    from scoring.worker.traced import traced  # needs podium[telemetry]

    return traced(ports)


@shared_task(name="podium.sweep", ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def sweep_queue() -> None:
    """Wake whoever has work and end what was abandoned for the last time."""
    sweep(database_now())


@shared_task(name="podium.catch_up", ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def queue_left_out() -> None:
    """Queue what has no evaluation on its track's current benchmark version."""
    rescoring.catch_up(database_now())


@shared_task(name="podium.tidy", ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def tidy_store() -> None:
    """Remove files that a killed process left in the store, and uploads in pieces that were left alone."""
    remove_expired(database_now())
    remove_orphans(database_now())


@cache
def own_sandbox() -> WarmSandbox:
    """Return this worker's sandbox, which keeps spares from one message to the next.

    None are kept where inputs lie on another file system than entries, since both are linked into a spare.
    """
    inner = open_for_strangers(settings.SANDBOX)
    folder = settings.HOME / "spares"
    for each in (folder, settings.CACHE_DIR):
        each.mkdir(parents=True, exist_ok=True)
    can_link = settings.CACHE_DIR.stat().st_dev == folder.stat().st_dev
    spares = partial(workdir, folder)
    return WarmSandbox(inner, spares, most=settings.SPARES if can_link else 0)


@cache
def own_presence() -> Presence:
    """Return what this worker shows of itself."""
    sign = Sign(
        name=owner(),
        machine=machine(),
        version=version("podium"),
        environment=installed_environment(),
        memory_bytes=settings.WORKER_MEMORY_BYTES,
    )
    return Presence(sign, measure=partial(measured_at, settings.HOME))


@cache
def own_rest() -> Rest:
    """Return what decides when this worker may claim."""
    return Rest(examine=partial(first_unfit, own_tests()), show=own_presence().note_rest, stop=maybe_shutdown)


def own_tests() -> dict[Cause, Test]:
    """Return what this worker tries before it claims."""
    folders = (settings.HOME / "work", settings.CACHE_DIR)
    has_spare = attrgetter("has_spare")
    return {
        Cause.DATABASE: partial(try_database, own_presence().write),
        Cause.DISK: partial(try_disk, folders, min_free_bytes=settings.MIN_FREE_BYTES),
        Cause.STORAGE: try_storage,
        Cause.SANDBOX: partial(try_sandbox, settings.SANDBOX, has_spare=partial(has_spare, own_sandbox())),
    }


@worker_ready.connect  # type: ignore[untyped-decorator]  # Celery has no types
def begin_presence(sender: Consumer, **_: object) -> None:
    """Show from now on that this worker is there, and for which hardware classes."""
    own_presence().note(queues=tuple(sorted(sender.app.amqp.queues.consume_from)))
    own_presence().start()


@worker_ready.connect  # type: ignore[untyped-decorator]  # Celery has no types
def show_numbers(**_: object) -> None:
    """Show Prometheus what this machine's processes counted, if the settings say where."""
    if settings.WORKER_METRICS:
        host, _, port = settings.WORKER_METRICS.rpartition(":")
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
        start_http_server(int(port), addr=host or "127.0.0.1", registry=registry)


@worker_shutdown.connect  # type: ignore[untyped-decorator]  # Celery has no types
def end_presence(**_: object) -> None:
    """Say that this worker is gone, if it was ever there."""
    if own_presence.cache_info().currsize:
        own_presence().end()


@worker_shutdown.connect  # type: ignore[untyped-decorator]  # Celery has no types
def end_spares(**_: object) -> None:
    """End what waits for a next evaluation, if there was one before."""
    if own_sandbox.cache_info().currsize:
        own_sandbox().close()


@worker_init.connect  # type: ignore[untyped-decorator]  # Celery has no types
def start_telemetry(**_: object) -> None:
    """Send errors and traces where the settings say."""
    starting.start("worker")


@worker_init.connect  # type: ignore[untyped-decorator]  # Celery has no types
def check_worker(sender: WorkController, **_: object) -> None:
    """Refuse to start where entries could not be evaluated safely."""
    refuse_unfit_worker(sender, sandbox=settings.SANDBOX)


@beat_embedded_init.connect  # type: ignore[untyped-decorator]  # Celery has no types
def tie_beat_to_worker(**_: object) -> None:
    """End the scheduler inside a worker together with it."""
    die_with_the_worker()


def owner() -> str:
    """Return this process's name on leases."""
    return f"{machine()}:{os.getpid()}"


def machine() -> str:
    """Return this machine's name."""
    return socket.gethostname()[:80]
