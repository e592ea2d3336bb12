"""Measures every page and API route of a site of some size, as its busiest visitors ask for them."""

from __future__ import annotations

import os
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from tests.benchmarks.million import BUSIEST, EARLY, ORGANISER, SUPERUSER, Size, database, fill

if TYPE_CHECKING:
    from django.test import Client

MATRIX: Final = Path(__file__).parents[1] / "competition" / "permissions" / "matrix.txt"
GET_LINE: Final = re.compile(r"^GET +/(?P<route>\S*) +(?P<roles>\w.*)$", re.MULTILINE)
ROUNDS: Final = 40
ROUNDS_OF_QUERIES: Final = 3


class Visitor(StrEnum):
    """Who asks; the early organiser has a small competition, whose submissions are older than all others."""

    PARTICIPANT = "participant"
    ORGANISER = "organiser"
    EARLY_ORGANISER = "early organiser"
    SUPERUSER = "superuser"


COLUMNS: Final = {Visitor.PARTICIPANT: 1, Visitor.ORGANISER: 3, Visitor.SUPERUSER: 6}
"""The columns of the matrix in which they stand."""
ELSEWHERE: Final = re.compile(
    r"^accounts/|^pip/|^(healthz|readyz)$|/entry/$|^api/uploads/<|^admin/submissions/(disqualification|quarantine)/<|^admin/(\^|login|jsi18n|password|socialaccount|usersessions)"
    r"|^admin/(account|mfa)/|/<path:object_id>/$|/(add|delete)/$|/from-document/$|\[hidden\]"
)
"""Libraries' pages, those of the machine, forms that list nothing, and stored files, which are not there."""
CUT_SHORT: Final = re.compile(r"^admin/.*/(export|csv)/$")
"""Files of everything there is: streamed, and not read to their end."""
LISTS: Final = (
    "admin/submissions/submission/",
    "admin/submissions/evaluation/",
    "admin/leaderboard/standing/",
    "admin/audit/auditrecord/",
)
MORE: Final[dict[Visitor, tuple[str, ...]]] = {
    Visitor.PARTICIPANT: (
        "tracks/<slug:slug>/leaderboard/?page=150",
        "api/tracks/<slug:slug>/leaderboard/?after=7000",
        "submissions/?track=large-0",
        "submissions/?page=3",
        "api/submissions/?status=scored",
        "api/submissions/?track=large-0",
        "api/submissions/?page=2&page_size=25",
    ),
    Visitor.ORGANISER: (
        *(f"{page}?p=20" for page in LISTS[:3]),
        "admin/submissions/submission/?q=participant77",
        "admin/submissions/submission/?track__id__exact=<track>",
        "admin/submissions/submission/?status=queued",
        "admin/submissions/submission/?status=failed",
        "admin/submissions/evaluation/?status__exact=queued",
        "admin/submissions/evaluation/?status__exact=failed",
        "admin/submissions/evaluation/?code=parameters_over_budget",
        "admin/submissions/evaluation/?priority__exact=10",
        "admin/submissions/evaluation/?q=participant77",
        "admin/submissions/evaluation/?benchmark__track__id__exact=<track>",
        "admin/leaderboard/standing/?benchmark__track__id__exact=<track>",
        "admin/leaderboard/standing/?q=participant77",
        "admin/audit/auditrecord/?act=track.edited",
    ),
    Visitor.EARLY_ORGANISER: (*LISTS, "admin/tracks/track/"),
    Visitor.SUPERUSER: (
        *(f"{page}?p=20" for page in LISTS[:3]),
        "admin/submissions/submission/?q=participant77",
        "admin/submissions/evaluation/?status__exact=queued",
        "admin/submissions/evaluation/?status__exact=failed",
        "admin/submissions/evaluation/?q=participant77",
        "admin/auth/user/?q=participant77",
    ),
}
"""Addresses that ask more than their route alone, such as a page deep inside a list."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a route took in each round: seconds of processor time of the site and of its database, and queries."""

    visitor: Visitor
    route: str
    took_s: list[float]
    wall_s: list[float]
    queries: set[int]

    @property
    def name(self) -> str:
        """Return who asked for what."""
        return f"{self.visitor} /{self.route}"

    @property
    def p95_ms(self) -> float:
        """Return what 95% of the rounds stayed below, in milliseconds of processor time."""
        return 1000 * quantiles(self.took_s, n=20)[-1]

    @property
    def median_ms(self) -> float:
        """Return the median round, in milliseconds of processor time."""
        return 1000 * median(self.took_s)


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


def routes() -> list[tuple[Visitor, str]]:
    """Return who asks for which address: what each may read by the matrix, and more ways to ask for some of it.

    The superuser asks for what organisers may not, and for the long lists, which are longer for them.
    """
    lines = [(line["route"], line["roles"].split()) for line in GET_LINE.finditer(MATRIX.read_text("utf-8"))]
    found = []
    for visitor in Visitor:
        read = {route for route, roles in lines if _reads(visitor, route, roles)}
        found += [(visitor, route) for route in sorted({*read, *MORE[visitor]})]
    return found


def _reads(visitor: Visitor, route: str, roles: Sequence[str]) -> bool:
    if visitor not in COLUMNS or roles[COLUMNS[visitor]] != "ok" or ELSEWHERE.search(route):
        return False
    in_admin = route.startswith("admin/")
    if visitor is Visitor.PARTICIPANT:
        return not in_admin
    if visitor is Visitor.SUPERUSER:
        return in_admin and (roles[COLUMNS[Visitor.ORGANISER]] != "ok" or route in LISTS)
    return in_admin or "[private]" in route or route.startswith(("submissions/<", "api/submissions/<"))


def _measured() -> Measured:
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["*"]
    settings.STAFF_SECOND_FACTOR = False
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    visit = _visits()
    for visitor, route in routes():
        visit(visitor, route, 0)
    before = _memory_mb()
    asked = [_asked(visit, visitor, route) for visitor, route in routes()]
    return Measured(asked=asked, growth_mb=_memory_mb() - before)


@dataclass(frozen=True, kw_only=True)
class Took:
    """What an answer took until its first bytes, in seconds: of processor time, and on the clock."""

    processor_s: float
    wall_s: float


Visit: TypeAlias = Callable[[Visitor, str, int], Took]


def _visits() -> Visit:
    """Sign everybody in; return what asks for an address, another row of it in each round."""
    from django.contrib.auth.models import User
    from django.test import Client

    from competition.submissions.models import Submission

    names = {Visitor.PARTICIPANT: BUSIEST, Visitor.ORGANISER: ORGANISER, Visitor.EARLY_ORGANISER: EARLY}
    clients = {}
    for visitor in Visitor:
        clients[visitor] = Client()
        clients[visitor].force_login(User.objects.get(username=names.get(visitor, SUPERUSER)))
    newest = Submission.objects.filter(participant__username=BUSIEST).order_by("-created_at")
    own = list(newest.values_list("pk", flat=True)[: 2 * ROUNDS])
    keys = {route: _keys(route) for _, route in routes() if "/<path:object_id>/" in route}

    def visit(visitor: Visitor, route: str, number: int) -> Took:
        address = route.removesuffix(" [private]")
        if route in keys:
            address = address.replace("<path:object_id>", str(keys[route][number % len(keys[route])]))
        address = re.sub("<uuid:[^>]*>", str(own[number % len(own)]), address)
        address = address.replace("<slug:slug>", "large" if "competitions/" in route else "large-0")
        address = re.sub("<id>|<int:pk>|<track>", str(_track()), address)
        private = "?split=private" if "[private]" in route else ""
        return _ask(clients[visitor], f"/{address}{private}", whole=not CUT_SHORT.search(route))

    return visit


def _keys(route: str) -> list[object]:
    """Return keys of rows that an address of the admin shows, from all parts of their table."""
    from django.apps import apps

    _, app, model, *_ = route.split("/")
    rows: Any = apps.get_model(app, model)._default_manager.order_by("pk")
    if model in {"competition", "dataset"}:
        rows = rows.filter(**{"slug" if model == "competition" else "competition__slug": "large"})
    if model in {"track", "benchmarkversion"}:
        rows = rows.filter(**{"slug" if model == "track" else "track__slug": "large-0"})
    return list(rows.values_list("pk", flat=True)[: 2 * ROUNDS])


@cache
def _track() -> int:
    from competition.tracks.models import Track

    return Track.objects.get(slug="large-0").pk


def _asked(visit: Visit, visitor: Visitor, route: str) -> Asked:
    took = [visit(visitor, route, number) for number in range(ROUNDS)]
    return Asked(
        visitor=visitor,
        route=route,
        took_s=[each.processor_s for each in took],
        wall_s=[each.wall_s for each in took],
        queries={_queries(visit, visitor, route, number) for number in range(ROUNDS_OF_QUERIES)},
    )


def _ask(client: Client, address: str, *, whole: bool) -> Took:
    """Ask for an address until the first bytes come; then read the rest, if the whole is wanted."""
    started, on_the_clock = _busy_s(), time.perf_counter()
    answer: Any = client.get(address)
    pieces: Iterator[bytes] = iter(answer)
    next(pieces, b"")
    took = Took(processor_s=_busy_s() - started, wall_s=time.perf_counter() - on_the_clock)
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answered {answer.status_code}")
    if whole:
        deque(pieces, maxlen=0)
    answer.close()
    return took


def _queries(visit: Visit, visitor: Visitor, route: str, number: int) -> int:
    """Return how many queries an answer takes; counting them slows them down."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        visit(visitor, route, number)
    return len(captured)


def _busy_s() -> float:
    """Return the processor time of this process and of the one that answers it in the database.

    A busy machine makes neither longer. Where the database is on another machine, it is the time that passed.
    """
    from django.db import connection

    connection.ensure_connection()  # the end of an answer may have closed an old one
    backend = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    if not backend.exists():
        return time.perf_counter()
    return time.process_time() + int(backend.read_text().split()[0]) / 10**9


def _memory_mb() -> float:
    """Return how much memory the process holds now."""
    found = re.search(r"VmRSS:\s*(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) / 1000 if found else 0.0
