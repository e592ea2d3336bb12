"""An entry on its way past the site: each part is put into the store, at an address that the site signs for it."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from scoring.cli.answers import PASSING, Passing, Unreachable, odd, read
from scoring.cli.in_pieces import GONE, piece_of
from scoring.cli.parcel import Parcel, Standing

TIMEOUT: Final = httpx.Timeout(60.0, connect=10.0)
WAY: Final = "parts"


@dataclass(frozen=True, kw_only=True)
class _Upload:
    """What the site tells of an upload."""

    id: UUID
    part_bytes: int
    parts: int
    received: frozenset[int]
    submission: UUID | None


class InParts:
    """Puts part after part into the store."""

    def __init__(self, parcel: Parcel) -> None:
        self._parcel = parcel
        self._id = parcel.kept(WAY)

    def go_on(self) -> Standing:
        """Ask which parts are there, and put the next one, or let the site make a submission of all."""
        if self._id is None:
            self._begin()
        response = self._parcel.site.exchange("GET", f"uploads/{self._id}/parts/")
        if response.status_code in GONE:
            self.forget()
            return Standing(offset=0, submission=None)
        self._parcel.check(response)
        upload = _upload(read(response))
        if upload.submission:
            return Standing(offset=self._parcel.size, submission=upload.submission)
        missing = [number for number in range(1, upload.parts + 1) if number not in upload.received]
        if not missing:
            return self._complete()
        self._parcel.note(self._arrived(upload))
        self._put(upload, missing[0])
        return Standing(offset=self._arrived(upload) + 1, submission=None)

    def forget(self) -> None:
        """Keep nothing of it."""
        self._id = None
        self._parcel.keep(WAY, None)

    def _begin(self) -> None:
        entry = {
            "entry_name": self._parcel.entry.name,
            "entry_bytes": self._parcel.size,
            "sha256": self._parcel.sha256,
        }
        response = self._parcel.site.exchange(
            "POST", f"tracks/{self._parcel.track}/direct-uploads/", json=entry
        )
        self._parcel.check(response)
        self._id = _upload(read(response)).id
        self._parcel.keep(WAY, self._id)

    def _arrived(self, upload: _Upload) -> int:
        return min(len(upload.received) * upload.part_bytes, self._parcel.size)

    def _put(self, upload: _Upload, number: int) -> None:
        asked = self._parcel.site.exchange("POST", f"uploads/{self._id}/parts/", json={"numbers": [number]})
        self._parcel.check(asked)
        offset = (number - 1) * upload.part_bytes
        size = min(upload.part_bytes, self._parcel.size - offset)
        with self._parcel.entry.open("rb") as file:
            content = piece_of(file, offset, size, self._parcel)
            try:
                # Not by the site's connection, which bears the token.
                answer = httpx.put(
                    _address(read(asked)),
                    content=content,
                    headers={"Content-Length": str(size)},
                    timeout=TIMEOUT,
                )
            except httpx.TransportError as exc:
                raise Passing(f"The store of {self._parcel.site.server} does not answer ({exc}).") from exc
        if answer.is_success:
            return
        told = f"The store of {self._parcel.site.server} refuses a part (status {answer.status_code})."
        # An address that has run out is signed anew.
        if answer.status_code in PASSING or answer.status_code in {
            HTTPStatus.FORBIDDEN,
            HTTPStatus.REQUEST_TIMEOUT,
        }:
            raise Passing(told)
        raise Unreachable(told)

    def _complete(self) -> Standing:
        response = self._parcel.site.exchange("POST", f"uploads/{self._id}/complete/")
        self._parcel.check(response)
        submission = read(response).get("submission")
        try:
            return Standing(offset=self._parcel.size, submission=UUID(str(submission)))
        except ValueError as exc:
            raise odd("no submission") from exc


def _upload(body: dict[str, Any]) -> _Upload:
    try:
        submission = body.get("submission")
        return _Upload(
            id=UUID(body["id"]),
            part_bytes=int(body["part_bytes"]),
            parts=int(body["parts"]),
            received=frozenset(map(int, body["parts_received"])),
            submission=UUID(submission) if submission else None,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise odd("no word of the upload's parts") from exc


def _address(body: dict[str, Any]) -> str:
    try:
        address = str(body["parts"][0]["url"])
    except (KeyError, IndexError, TypeError) as exc:
        raise odd("no address of a part") from exc
    if urlsplit(address).scheme not in {"http", "https"}:
        raise odd("no address of a part")
    return address
