"""The time that decides: the database's. Machines may disagree with it, and are told by how much."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from django.db import connection
from django.utils import timezone

TOLERATED_S: Final = 5.0
"""How far a machine's clock may be from the database's before somebody is told."""

# What each database calls the moment at which the statement began; a transaction's start would stand still.
_MOMENT: Final = {
    "postgresql": "SELECT statement_timestamp()",
    "mysql": "SELECT CURRENT_TIMESTAMP(6)",
    "oracle": "SELECT SYSTIMESTAMP FROM dual",
}


def database_now() -> datetime:
    """Return the time by the database's clock: every lease, order and expiry is written and compared with it.

    SQLite runs in this process, so the machine's clock is the database's.
    """
    question = _MOMENT.get(connection.vendor)
    if question is None:
        return datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute(question)
        moment: datetime = cursor.fetchone()[0]
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def clock_ahead_s() -> float:
    """Return how far this machine's clock is ahead of the database's; negative where it is behind."""
    before = timezone.now()
    there = database_now()
    here = before + (timezone.now() - before) / 2
    return (here - there).total_seconds()
