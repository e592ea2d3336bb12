"""A claim and a place in the queue on PostgreSQL: a hundred thousand evaluations wait, or one in a hundred of them.

Times are processor time of this process and of its session on the server, on average, since the kernel counts the
server's in hundredths of seconds. Other work on the machine changes them least.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from tests.benchmarks.figures import Figure
from tests.benchmarks.million import Size, database, fill
from tests.benchmarks.timing import in_child, processor_s_of, say

LARGE: Final = Size(submissions=150_000, queued=100_000)
SMALL: Final = Size(submissions=15_000, queued=1_000)
ROUNDS: Final = 300
AT_MOST_S: Final = {"claim": 0.010, "place": 0.005}
AT_MOST_RATIO: Final = 1.5


def bench() -> Iterator[Figure]:
    """Yield seconds of a claim and of a place in the large queue, and the ratios to the small one."""
    small, large = (in_child(measure, size.submissions, size.queued) for size in (SMALL, LARGE))
    for name, at_most in AT_MOST_S.items():
        yield Figure(
            name=f"{name}, {LARGE.queued:,} waiting",
            value=large[name],
            unit="s",
            at_most=at_most,
            rounds=ROUNDS,
            note=f"on the server {1000 * large[f'{name}_on_server']:.1f} ms of it",
        )
        yield Figure(
            name=f"{name}, to the same with {SMALL.queued:,} waiting",
            value=large[name] / small[name],
            at_most=AT_MOST_RATIO,
            rounds=ROUNDS,
            note=f"{1000 * large[name]:.1f} ms and {1000 * small[name]:.1f} ms",
        )


def measure(submissions: int, queued: int) -> dict[str, float]:
    """Return what a claim and a place take in a database that is filled for it."""
    with database(f"podium_bench_queue_{os.getpid()}"):
        say(f"filling in {submissions:,} submissions, of which {queued:,} wait")
        fill(Size(submissions=submissions, queued=queued))
        places = [partial(_place, evaluation) for evaluation in _waiting()]
        return {**_mean("claim", [_claim] * ROUNDS), **_mean("place", places)}


def _mean(name: str, works: Sequence[Callable[[], None]]) -> dict[str, float]:
    server = _server()
    works[0]()  # what is read once and kept
    here, there = time.process_time(), processor_s_of(server)
    for work in works[1:]:
        work()
    on_server = (processor_s_of(server) - there) / len(works[1:])
    return {name: (time.process_time() - here) / len(works[1:]) + on_server, f"{name}_on_server": on_server}


def _server() -> int:
    """Return the process that serves this session; it runs on this machine."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def _claim() -> None:
    from competition.clock import database_now
    from competition.submissions import queue
    from scoring.environment import installed_environment

    environment, now = installed_environment(), database_now()
    lease = queue.claim_next(owner="bench", queues=("cpu",), environment=environment, now=now)
    assert lease is not None


def _waiting() -> list[int]:
    """Return evaluations from all parts of the queue."""
    from competition.submissions.models import Evaluation

    rows = list(Evaluation.objects.filter(status="queued").order_by("pk").values_list("pk", flat=True))
    return rows[ROUNDS :: len(rows) // ROUNDS]


def _place(evaluation: int) -> None:
    from competition.submissions.models import Evaluation
    from competition.submissions.places import place_of

    row = Evaluation.objects.select_related("lane", "submission__track").get(pk=evaluation)
    place_of(row)
