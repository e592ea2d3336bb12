"""How long the database is waited for, and what its refusals mean.

A session that waits for a lock, or that holds one and has gone silent, ends after seconds: what one
participant waits for must not keep everybody else from the site.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from django.db import DatabaseError, InterfaceError, OperationalError

CONNECT_S: Final = 5
PROBES: Final = 3
SQLITE_BUSY: Final = 5
SQLITE_LOCKED: Final = 6
# lock_not_available, query_canceled, deadlock_detected, serialization_failure
HELD: Final = frozenset({"55P03", "57014", "40P01", "40001"})
# too_many_connections, admin_shutdown, crash_shutdown, cannot_connect_now, idle_in_transaction_session_timeout
AWAY: Final = frozenset({"53300", "57P01", "57P02", "57P03", "25P03"})
CONNECTION_LOST: Final = "08"


class Trouble(StrEnum):
    """Why the database did not do what it was asked, where asking again later helps; also the code of the API."""

    BUSY = "busy"
    AWAY = "database_away"


def sqlite_options(*, lock_s: float) -> dict[str, object]:
    """Return how SQLite is opened: writes take their lock at once and wait so long for it."""
    return {
        "transaction_mode": "IMMEDIATE",
        "timeout": lock_s,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }


def postgresql_options(
    given: Mapping[str, object],
    *,
    lock_s: float,
    statement_s: float,
    idle_transaction_s: float,
    silence_s: int,
) -> dict[str, object]:
    """Return how PostgreSQL is connected to; what DATABASE_URL gave comes last and wins. Zero means no limit.

    Both ends look for the other's signs of life, so that neither a database nor a client that vanished
    without a word is waited for longer than `silence_s`. The system's own limit is two hours.
    """
    idle_s, interval_s = max(1, silence_s // 2), max(1, silence_s // 2 // PROBES)
    limits: dict[str, object] = {
        "lock_timeout": round(lock_s * 1000),
        "statement_timeout": round(statement_s * 1000),
        "idle_in_transaction_session_timeout": round(idle_transaction_s * 1000),
        "jit": "off",  # it compiles for tens of milliseconds what then runs for one
    }
    ours: dict[str, object] = {"connect_timeout": CONNECT_S}
    if silence_s:
        limits |= {
            "tcp_keepalives_idle": idle_s,
            "tcp_keepalives_interval": interval_s,
            "tcp_keepalives_count": PROBES,
            "tcp_user_timeout": silence_s * 1000,
        }
        ours |= {
            "keepalives_idle": idle_s,
            "keepalives_interval": interval_s,
            "keepalives_count": PROBES,
            "tcp_user_timeout": silence_s * 1000,
        }
    session = " ".join(f"-c {name}={value}" for name, value in limits.items())
    return {**ours, **given, "options": f"{session} {given.get('options', '')}".strip()}


def trouble_of(exc: BaseException | None) -> Trouble | None:
    """Return what an error of the database means; None for what is a defect of ours, or no such error."""
    if not isinstance(exc, DatabaseError | InterfaceError):
        return None
    sqlite_code = getattr(exc.__cause__, "sqlite_errorcode", None)
    if sqlite_code is not None:
        # The low byte is the kind of the error, the rest its variety.
        return Trouble.BUSY if sqlite_code & 0xFF in {SQLITE_BUSY, SQLITE_LOCKED} else None
    state = getattr(exc.__cause__, "sqlstate", None)
    if state is None:  # no server answered
        return Trouble.AWAY if isinstance(exc, OperationalError | InterfaceError) else None
    if state in HELD:
        return Trouble.BUSY
    return Trouble.AWAY if state in AWAY or state.startswith(CONNECTION_LOST) else None
