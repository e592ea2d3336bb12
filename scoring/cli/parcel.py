"""An entry that is to be sent, which upload of the site it is by now, and how far that has come."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import UUID

import httpx

from scoring.cli import kept
from scoring.cli.answers import PASSING, Passing, json_of, read, told_wait_of

MOST_KEPT: Final = 50
READ_BYTES: Final = 2**20
PASSING_CODES: Final = frozenset(
    {"wrong_offset", "upload_busy", "upload_expired", "too_many_uploads", "parts_missing", "throttled", 429}
)
_FILE: Final = "uploads.json"


class Site(Protocol):
    """What sending needs of a site."""

    server: str

    def exchange(self, method: str, address: str, **content: Any) -> httpx.Response:
        """Send one request; raises Passing if no answer comes."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How many bytes of an upload have arrived; `submission` is what it became, once all have."""

    offset: int
    submission: UUID | None


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """One file for one track. `note` hears how many bytes have left."""

    site: Site
    track: str
    entry: Path
    sha256: str
    note: Callable[[int], None]

    @cached_property
    def size(self) -> int:
        """Return the file's bytes."""
        return self.entry.stat().st_size

    def kept(self, way: str) -> UUID | None:
        """Return which upload an earlier call began, on a way of sending."""
        with suppress(ValueError):
            return UUID(kept.read(_FILE).get(self._key(way), ""))
        return None

    def keep(self, way: str, upload: UUID | None) -> None:
        """Remember which upload it is, or nothing; a home that nobody can write to only costs going on later."""
        known = kept.read(_FILE)
        known.pop(self._key(way), None)
        if upload:
            known[self._key(way)] = str(upload)
        with suppress(OSError):
            kept.write(_FILE, dict(list(known.items())[-MOST_KEPT:]))

    def check(self, response: httpx.Response) -> None:
        """Raise Passing, Refused or Unreachable for an answer that is none of success."""
        if response.is_success:
            return
        # An answer to HEAD has a status alone.
        code = json_of(response).get("code") or response.status_code
        if code in PASSING_CODES or response.status_code in PASSING:
            message = f"{self.site.server} does not take the upload at the moment ({code})."
            raise Passing(message, wait_s=told_wait_of(response))
        read(response)

    def _key(self, way: str) -> str:
        return f"{way} {self.site.server.lower()} {self.track} {self.sha256}"
