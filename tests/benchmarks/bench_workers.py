"""Evaluations a second of 1, 2, 4 and 8 workers whose flow takes no time: what claims, leases and results allow.

The workers are real ones on PostgreSQL, each a process with its sessions, on a queue of 20,000 and boards of 10,000
participants. Only the entry is not fetched, and the flow is played: every stage is noted, then there is a score.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.benchmarks.figures import Figure
from tests.benchmarks.million import Size, database, fill
from tests.benchmarks.timing import say

if TYPE_CHECKING:
    from scoring.worker.site import SitePorts

SIZE: Final = Size(submissions=100_000, queued=20_000)
WORKERS: Final = (1, 2, 4, 8)
LASTS_S: Final = 10.0
LOOK_S: Final = 0.02


@dataclass(frozen=True, kw_only=True)
class Served:
    """What one worker did in its time: evaluations, and processor time of itself and of its session."""

    evaluations: int
    here_s: float
    there_s: float


def bench() -> Iterator[Figure]:
    """Yield evaluations a second of so many workers, and what an evaluation takes of processors."""
    with database(f"podium_bench_workers_{os.getpid()}"):
        say(f"filling in {SIZE.submissions:,} submissions, of which {SIZE.queued:,} wait")
        fill(SIZE)
        yield from figures()


def figures() -> Iterator[Figure]:
    """Measure on the database that Django uses."""
    for number in WORKERS:
        served, waits = measure(number)
        done = sum(each.evaluations for each in served) or 1
        here_ms, there_ms = (
            1000 * sum(getattr(each, name) for each in served) / done for name in ("here_s", "there_s")
        )
        looks = sum(waits.values()) or 1
        told = ", ".join(f"{what} {100 * times / looks:.0f}%" for what, times in waits.most_common(4))
        yield Figure(
            name=f"evaluations a second, {number} worker{'s' if number > 1 else ''}, flow in no time",
            value=done / LASTS_S,
            unit="/s",
            note=(
                f"an evaluation takes {here_ms:.1f} ms of the worker and {there_ms:.1f} ms of the database; "
                f"sessions: {told}"
            ),
        )


def measure(workers: int) -> tuple[list[Served], Counter[str]]:
    """Let so many workers serve at once; return what each did, and what their sessions were found at."""
    with get_context("spawn").Pool(workers) as pool, tempfile.TemporaryDirectory() as folder:
        pool.map(_prepare, range(workers), chunksize=1)
        serving = pool.starmap_async(serve, [(number, folder) for number in range(workers)], chunksize=1)
        waits = _looked(lambda: not serving.ready())
        return serving.get(), waits


def _prepare(_: int) -> None:
    import django

    django.setup()
    from scoring.worker import evaluate  # noqa: F401  # what is imported once

    time.sleep(1.0)  # so that each process of the pool takes one


def serve(number: int, folder: str) -> Served:
    """Work as a worker does, for so long."""
    from django.db import connection

    from scoring.worker.evaluate import Workplace, evaluate

    connection.ensure_connection()
    session = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    ports, place = _ports(number), Workplace(work_root=Path(folder), lease_s=60.0)
    done, here, there = 0, time.process_time(), _busy_s(session)
    until = time.monotonic() + LASTS_S
    while time.monotonic() < until:
        place.rest.until_fit()
        work = ports.claim()
        if work is None:
            break
        evaluate(work, ports, place)
        done += 1
    return Served(evaluations=done, here_s=time.process_time() - here, there_s=_busy_s(session) - there)


def _ports(number: int) -> SitePorts:
    """Return the ports of a real worker, but for the entry and the flow."""
    from scoring.contracts import ScoreReport, Stage
    from scoring.sandbox.fake import FakeSandbox
    from scoring.worker.ports import Assignment, Work
    from scoring.worker.site import SitePorts
    from tests.examples import scored_report

    class Played(SitePorts):
        def fetch(self, work: Work, *, workdir: Path, tick: Callable[[], None]) -> Any:
            return None

        def score(
            self, assignment: Assignment, *, workdir: Path, note: Callable[[Stage], None]
        ) -> ScoreReport:
            for stage in Stage:
                note(stage)
            value = 0.3 + 0.6 * random.random()  # no secret
            return scored_report(value, private=value)

    return Played(owner=f"bench:{number}", queue="cpu", sandbox=FakeSandbox(scripts={}), cache=Path("none"))


def _looked(goes_on: Callable[[], bool]) -> Counter[str]:
    """Look at the database's sessions now and then: are they at work, idle, or waiting, and for what?"""
    from django.db import connection

    found: Counter[str] = Counter()
    while goes_on():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT CASE WHEN state = 'active' THEN coalesce(wait_event_type || ' ' || wait_event, 'at work') "
                "ELSE 'between statements' END FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid() AND state IS NOT NULL"
            )
            found.update(what for (what,) in cursor.fetchall())
        time.sleep(LOOK_S)
    return found


def _busy_s(session: Path) -> float:
    return int(session.read_text().split()[0]) / 10**9 if session.exists() else 0.0
