"""Times as people read them where no script rewrites them in the reader's own zone."""

from __future__ import annotations

from datetime import UTC, datetime


def in_utc(moment: datetime) -> str:
    """Return a time to the minute, with its zone."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
