"""Whether all that the site needs answers, asked of each part with a limit in time and not more often than needed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from threading import Lock
from typing import Final
from uuid import uuid4

from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from competition.celery import app

LIMIT_S: Final = 2.0
KEPT_S: Final = 5.0
"""How long an answer is given again: those who ask may be many."""


class NotReady(Exception):
    """A part does not do what the site needs; the message may be shown to anybody."""


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _migrations() -> None:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        raise NotReady(f"migrations not applied: {len(waiting)}")


def _storage() -> None:
    # What is not there: a store that answers says so, one that is away raises.
    default_storage.exists(f"entries/none/{uuid4()}")


def _broker() -> None:
    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, timeout=LIMIT_S)


PARTS: Final[Mapping[str, Callable[[], None]]] = {
    "database": _database,
    "migrations": _migrations,
    "storage": _storage,
    "broker": _broker,
}

NEEDED: Final = frozenset({"database", "migrations"})
"""Without these nothing is served. While a store or a broker is away, pages are, and uploads are told to come again."""


@dataclass
class Readiness:
    """The parts and how they did when they were asked last; one for each process."""

    parts: Mapping[str, Callable[[], None]]
    limit_s: float = LIMIT_S
    kept_s: float = KEPT_S
    clock: Callable[[], float] = time.monotonic
    _asked: dict[str, Future[None]] = field(default_factory=dict)
    _found: dict[str, str] = field(default_factory=dict)
    _found_at: float = float("-inf")
    _asking: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        # A thread for each part: one that hangs keeps its own, and is not asked again until it is done.
        self._pool = ThreadPoolExecutor(max_workers=len(self.parts), thread_name_prefix="ready")

    def look(self) -> Mapping[str, str]:
        """Return for each part “ok”, or what is wrong with it."""
        with self._asking:
            if self.clock() - self._found_at >= self.kept_s:
                self._found = self._ask()
                self._found_at = self.clock()
            return self._found

    def _ask(self) -> dict[str, str]:
        for name, part in self.parts.items():
            if name not in self._asked:
                self._asked[name] = self._pool.submit(_on_a_connection_of_its_own, part)
        wait(self._asked.values(), timeout=self.limit_s)
        return {name: self._told(name) for name in self.parts}

    def _told(self, name: str) -> str:
        if not self._asked[name].done():
            return f"no answer within {self.limit_s:g} s"
        failed = self._asked.pop(name).exception()
        if failed is None:
            return "ok"
        return str(failed) if isinstance(failed, NotReady) else f"fails: {type(failed).__name__}"


def _on_a_connection_of_its_own(part: Callable[[], None]) -> None:
    try:
        part()
    finally:
        connection.close()
