"""An entry on its way to a site by the tus protocol, in pieces, however often the line breaks.

Which upload belongs to which file is kept beside the logins, so that the same command goes on where it was stopped.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any, Final, Protocol
from uuid import UUID

import httpx

from scoring.cli import kept
from scoring.cli.answers import PASSING, Passing, json_of, odd, read, told_wait_of

PIECE_BYTES: Final = 32 * 2**20
"""What is lost at most behind a proxy that passes on only whole requests."""
READ_BYTES: Final = 2**20
FAILURES: Final = 10
"""In a row, without a byte that has arrived, after which the upload is given up."""
SLOWEST_S: Final = 60.0
MOST_KEPT: Final = 50
RESUMABLE: Final = {"Tus-Resumable": "1.0.0"}
PIECE: Final = {**RESUMABLE, "Content-Type": "application/offset+octet-stream"}
PASSING_CODES: Final = frozenset(
    {
        "wrong_offset",
        "upload_busy",
        "upload_expired",
        "too_many_uploads",
        "throttled",
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_FILE: Final = "uploads.json"


class Site(Protocol):
    """What sending needs of a site."""

    server: str

    def exchange(self, method: str, address: str, **content: Any) -> httpx.Response:
        """Send one request; raises Passing if no answer comes."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far an upload is; `submission` is what it became, once all is there."""

    offset: int
    submission: UUID | None


def send(
    site: Site,
    *,
    track: str,
    entry: Path,
    sha256: str,
    note: Callable[[int], None],
    pause: Callable[[float], None],
) -> UUID:
    """Return the submission that the entry became; raises Refused, or Unreachable once nothing arrives any more."""
    sending = _Sending(site, track, entry, sha256, note)
    failures, furthest = 0, -1
    while True:
        try:
            standing = sending.go_on()
        except Passing as passing:
            failures += 1
            if failures > FAILURES:
                raise
            pause(min(passing.wait_s or 2.0 ** (failures - 1), SLOWEST_S))
            continue
        if standing.submission:
            sending.forget()
            return standing.submission
        if standing.offset > furthest:
            failures, furthest = 0, standing.offset


class _Sending:
    """One file on its way; `uploads.json` says which upload it is."""

    def __init__(self, site: Site, track: str, entry: Path, sha256: str, note: Callable[[int], None]) -> None:
        self._site = site
        self._track = track
        self._entry = entry
        self._size = entry.stat().st_size
        self._sha256 = sha256
        self._note = note
        self._key = f"{site.server.lower()} {track} {sha256}"
        self._upload: UUID | None = None
        with suppress(ValueError):
            self._upload = UUID(kept.read(_FILE).get(self._key, ""))

    def go_on(self) -> Standing:
        """Begin if need be, ask how far it is, and send the next piece."""
        if self._upload is None:
            self._begin()
        standing = self._ask()
        if standing is None:
            self.forget()
            return Standing(offset=0, submission=None)
        if standing.submission:
            return standing
        self._note(standing.offset)
        return self._send_piece(standing.offset)

    def forget(self) -> None:
        """Keep nothing of it."""
        self._upload = None
        self._keep()

    def _begin(self) -> None:
        metadata = {"filename": self._entry.name, "sha256": self._sha256}
        pairs = (f"{name} {base64.b64encode(text.encode()).decode()}" for name, text in metadata.items())
        told = {"Upload-Length": str(self._size), "Upload-Metadata": ",".join(pairs)}
        response = self._site.exchange(
            "POST", f"tracks/{self._track}/uploads/", headers={**RESUMABLE, **told}
        )
        self._check(response)
        # Of the address only the id is taken: a token goes to the site that the user typed and to no other.
        found = re.search(r"/uploads/([0-9a-f-]{36})/$", response.headers.get("Location", ""))
        if found is None:
            raise odd("no address of the upload")
        self._upload = UUID(found[1])
        self._keep()

    def _ask(self) -> Standing | None:
        """Return how far it is; None if the site knows nothing of it."""
        response = self._site.exchange("HEAD", self._address, headers=RESUMABLE)
        if response.status_code in GONE:
            return None
        self._check(response)
        return _standing(response)

    def _send_piece(self, offset: int) -> Standing:
        size = min(PIECE_BYTES, self._size - offset)
        headers = {**PIECE, "Upload-Offset": str(offset), "Content-Length": str(size)}
        with self._entry.open("rb") as file:
            response = self._site.exchange(
                "PATCH", self._address, headers=headers, content=self._piece(file, offset, size)
            )
        self._check(response)
        return _standing(response)

    def _piece(self, file: IO[bytes], offset: int, size: int) -> Iterator[bytes]:
        file.seek(offset)
        end = offset + size
        while offset < end and (chunk := file.read(min(READ_BYTES, end - offset))):
            offset += len(chunk)
            yield chunk
            self._note(offset)

    @property
    def _address(self) -> str:
        return f"uploads/{self._upload}/"

    def _check(self, response: httpx.Response) -> None:
        """Raise Passing, Refused or Unreachable for an answer that is none of success."""
        if response.is_success:
            return
        # An answer to HEAD has a status alone.
        code = json_of(response).get("code") or response.status_code
        if code in PASSING_CODES or response.status_code in PASSING:
            message = f"{self._site.server} does not take the upload at the moment ({code})."
            raise Passing(message, wait_s=told_wait_of(response))
        read(response)

    def _keep(self) -> None:
        """Remember which upload it is; a home that cannot be written to costs no more than going on later."""
        known = kept.read(_FILE)
        known.pop(self._key, None)
        if self._upload:
            known[self._key] = str(self._upload)
        with suppress(OSError):
            kept.write(_FILE, dict(list(known.items())[-MOST_KEPT:]))


def _standing(response: httpx.Response) -> Standing:
    told = response.headers
    try:
        submission = UUID(told["Podium-Submission"]) if "Podium-Submission" in told else None
        return Standing(offset=int(told["Upload-Offset"]), submission=submission)
    except (KeyError, ValueError) as exc:
        raise odd("no word of how far the upload is") from exc
