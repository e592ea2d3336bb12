"""Measures every page and API route of a site of some size, as its busiest visitors ask for them."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Any, Final

from tests.benchmarks.million import BUSIEST, Size, database, fill

if TYPE_CHECKING:
    from django.test import Client

MATRIX: Final = Path(__file__).parents[1] / "competition" / "permissions" / "matrix.txt"
GET_LINE: Final = re.compile(r"^GET +/(?P<route>\S*) +(?P<roles>\w.*)$", re.MULTILINE)
PARTICIPANT: Final = 1
"""The column of the matrix in which the participant stands."""
ROUNDS: Final = 40
ROUNDS_OF_QUERIES: Final = 3
ELSEWHERE: Final = re.compile(r"^(admin/|accounts/|pip/|healthz$|readyz$)|/entry/$")
"""Addresses of others' pages, of the machine, and of stored files, which the filled database does not have."""
MORE: Final = (
    "tracks/<slug:slug>/leaderboard/?page=150",
    "api/tracks/<slug:slug>/leaderboard/?after=7000",
    "submissions/?track=large-1",
    "submissions/?page=3",
    "api/submissions/?status=scored",
)
"""Addresses that ask more than their route alone, such as a page deep inside a list."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a route took in each round: seconds of processor time of the site and of its database, and queries."""

    route: str
    took_s: list[float]
    queries: set[int]

    @property
    def p95_ms(self) -> float:
        """Return what 95% of the rounds stayed below."""
        return 1000 * quantiles(self.took_s, n=20)[-1]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was measured at one size; `growth_mb` is how much larger the process became after every route was warm."""

    asked: list[Asked] = field(default_factory=list)
    growth_mb: float


def measured_at(size: Size) -> Measured:
    """Fill a database and ask for everything; for a process of its own, since Django knows one database."""
    with database(f"podium_bench_pages_{os.getpid()}"):
        fill(size)
        return _measured()


def routes() -> list[str]:
    """Return every address of pages and API that a participant may read, and more ways to ask for some of them."""
    lines = GET_LINE.finditer(MATRIX.read_text("utf-8"))
    read = (line["route"] for line in lines if line["roles"].split()[PARTICIPANT] == "ok")
    return sorted({*(route for route in read if not ELSEWHERE.search(route)), *MORE})


def _measured() -> Measured:
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["*"]
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    client, visited = _visitors()
    for route in routes():
        _ask(client, visited(route, 0))
    before = _memory_mb()
    asked = [_asked(client, route, visited) for route in routes()]
    return Measured(asked=asked, growth_mb=_memory_mb() - before)


def _visitors() -> tuple[Client, Callable[[str, int], str]]:
    """Sign a participant in who has submissions; return how an address is made for a round."""
    from django.contrib.auth.models import User
    from django.test import Client

    from competition.submissions.models import Submission

    visitor = User.objects.get(username=BUSIEST)
    client = Client()
    client.force_login(visitor)
    newest = Submission.objects.filter(participant=visitor).order_by("-created_at")
    own = list(newest.values_list("pk", flat=True)[: 2 * ROUNDS])

    def address(route: str, number: int) -> str:
        route = re.sub("<uuid:[^>]*>", str(own[number % len(own)]), route)
        return "/" + route.replace("<slug:slug>", "large" if "competitions/" in route else "large-0")

    return client, address


def _asked(client: Client, route: str, address: Callable[[str, int], str]) -> Asked:
    return Asked(
        route=route,
        took_s=[_ask(client, address(route, number)) for number in range(ROUNDS)],
        queries={_queries(client, address(route, number)) for number in range(ROUNDS_OF_QUERIES)},
    )


def _ask(client: Client, address: str) -> float:
    """Return what an answer took until its first bytes; then read the rest."""
    started = _busy_s()
    answer: Any = client.get(address)
    pieces: Iterator[bytes] = iter(answer)
    next(pieces, b"")
    took_s = _busy_s() - started
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answered {answer.status_code}")
    for _ in pieces:
        pass
    return took_s


def _queries(client: Client, address: str) -> int:
    """Return how many queries an answer takes; counting them slows them down."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        _ask(client, address)
    return len(captured)


def _busy_s() -> float:
    """Return the processor time of this process and of the one that answers it in the database.

    A busy machine makes neither longer. Where the database is on another machine, it is the time that passed.
    """
    from django.db import connection

    backend = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    if not backend.exists():
        return time.perf_counter()
    return time.process_time() + int(backend.read_text().split()[0]) / 10**9


def _memory_mb() -> float:
    """Return how much memory the process holds now."""
    found = re.search(r"VmRSS:\s*(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) / 1000 if found else 0.0
