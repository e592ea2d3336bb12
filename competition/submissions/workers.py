"""Which workers there are, as they showed themselves: who serves a hardware class, and since when nobody does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Final

from competition.submissions.models import Worker

BEAT_S: Final = 10.0
"""How often a worker shows itself."""
ALIVE_FOR: Final = timedelta(seconds=45)
"""Who was seen longer ago than this is thought to be gone: several signs of life were missed."""
KEPT_FOR: Final = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Sign:
    """What a worker shows of itself; the times are the database's."""

    name: str
    machine: str
    version: str
    started_at: datetime | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    queues: tuple[str, ...] = ()
    memory_bytes: int | None = None
    state: Worker.State = Worker.State.SERVING
    evaluation_id: int | None = None
    free_bytes: int | None = None
    clock_ahead_s: float | None = None
    fault_at: datetime | None = None
    fault_cause: str = ""
    fault_reference: str = ""
    rests_since: datetime | None = None
    rest_cause: str = ""
    next_try_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Service:
    """Whether anybody works off a hardware class's queue; if not, when somebody last did, as far as is known."""

    is_served: bool
    seen_at: datetime | None = None


def show(sign: Sign, *, now: datetime) -> None:
    """Write a worker's sign of life."""
    fields = asdict(sign) | {
        "environment": dict(sign.environment),
        "queues": list(sign.queues),
        "seen_at": now,
    }
    Worker.objects.update_or_create(name=fields.pop("name"), defaults=fields)


def alive(now: datetime) -> list[Worker]:
    """Return the workers that showed themselves lately and did not say that they stop."""
    rows = Worker.objects.filter(seen_at__gt=now - ALIVE_FOR).exclude(state=Worker.State.STOPPED)
    return list(rows.select_related("evaluation__submission"))


def is_asked_to_drain(name: str) -> bool:
    """Say whether the worker is to claim nothing more."""
    return Worker.objects.filter(name=name, drain_requested_at__isnull=False).exists()


def vanished(now: datetime) -> list[Worker]:
    """Return the workers that did not show themselves lately and never said that they stop, the last seen first."""
    rows = Worker.objects.filter(seen_at__lte=now - ALIVE_FOR, seen_at__gt=now - KEPT_FOR)
    return list(rows.exclude(state=Worker.State.STOPPED).order_by("-seen_at"))


def hold_to_claim(name: str) -> bool:
    """Say whether the worker may claim, which stays true until the transaction ends.

    Whoever drains it waits for that: once it is asked to drain, it begins nothing.
    """
    row = Worker.objects.select_for_update(no_key=True).filter(name=name)
    return row.values_list("drain_requested_at").first() in (None, (None,))


def machine_of(name: str) -> str:
    """Return the machine of a worker that signs leases as “machine:process”."""
    return name.rpartition(":")[0] or name


def machines(queue: str, now: datetime, *states: Worker.State) -> set[str]:
    """Return the machines with a worker for the hardware class that is alive and in one of these states."""
    return {
        worker.machine for worker in alive(now) if queue in worker.queues and worker.present_state in states
    }


def free(queue: str, now: datetime) -> int:
    """Return how many workers of the hardware class wait for work."""
    serving = (
        each for each in alive(now) if each.present_state == Worker.State.SERVING and queue in each.queues
    )
    return sum(1 for each in serving if each.evaluation_id is None)


def service(queue: str, now: datetime, *, fits: Callable[[Worker], bool] = lambda _: True) -> Service:
    """Say whether a worker serves the hardware class: one that rests will again, one that drains will not.

    `fits` tells which workers count.
    """
    rows = Worker.objects.order_by("-seen_at").only(
        "queues", "environment", "memory_bytes", "state", "drain_requested_at", "seen_at"
    )
    of_queue = [row for row in rows if queue in row.queues and fits(row)]
    serving = (Worker.State.SERVING, Worker.State.RESTING)
    if any(row.present_state in serving and row.seen_at > now - ALIVE_FOR for row in of_queue):
        return Service(is_served=True)
    return Service(is_served=False, seen_at=of_queue[0].seen_at if of_queue else None)


def forget_gone(now: datetime) -> int:
    """Remove the rows of workers that are long gone, except who was last seen at each set of queues."""
    rows = Worker.objects.order_by("seen_at").values_list("pk", "queues")
    last_of = {tuple(queues): pk for pk, queues in rows}
    gone = Worker.objects.filter(seen_at__lte=now - KEPT_FOR).exclude(pk__in=last_of.values())
    return gone.delete()[0]
