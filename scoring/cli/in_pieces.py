"""An entry on its way through the site, by the tus protocol."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import IO, Final
from uuid import UUID

import httpx

from scoring.cli.answers import odd
from scoring.cli.parcel import READ_BYTES, Parcel, Standing

PIECE_BYTES: Final = 32 * 2**20
"""What is lost at most behind a proxy that passes on only whole requests."""
RESUMABLE: Final = {"Tus-Resumable": "1.0.0"}
PIECE: Final = {**RESUMABLE, "Content-Type": "application/offset+octet-stream"}
GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
WAY: Final = "pieces"


class InPieces:
    """Sends piece after piece to the site."""

    def __init__(self, parcel: Parcel) -> None:
        self._parcel = parcel
        self._upload = parcel.kept(WAY)

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
        self._parcel.note(standing.offset)
        return self._send_piece(standing.offset)

    def forget(self) -> None:
        """Keep nothing of it."""
        self._upload = None
        self._parcel.keep(WAY, None)

    def _begin(self) -> None:
        metadata = {"filename": self._parcel.entry.name, "sha256": self._parcel.sha256}
        pairs = (f"{name} {base64.b64encode(text.encode()).decode()}" for name, text in metadata.items())
        told = {"Upload-Length": str(self._parcel.size), "Upload-Metadata": ",".join(pairs)}
        response = self._parcel.site.exchange(
            "POST", f"tracks/{self._parcel.track}/uploads/", headers={**RESUMABLE, **told}
        )
        self._parcel.check(response)
        # Of the address only the id is taken: a token goes to the site that the user typed and to no other.
        found = re.search(r"/uploads/([0-9a-f-]{36})/$", response.headers.get("Location", ""))
        if found is None:
            raise odd("no address of the upload")
        self._upload = UUID(found[1])
        self._parcel.keep(WAY, self._upload)

    def _ask(self) -> Standing | None:
        """Return how far it is; None if the site knows nothing of it."""
        response = self._parcel.site.exchange("HEAD", self._address, headers=RESUMABLE)
        if response.status_code in GONE:
            return None
        self._parcel.check(response)
        return _standing(response)

    def _send_piece(self, offset: int) -> Standing:
        size = min(PIECE_BYTES, self._parcel.size - offset)
        headers = {**PIECE, "Upload-Offset": str(offset), "Content-Length": str(size)}
        with self._parcel.entry.open("rb") as file:
            content = piece_of(file, offset, size, self._parcel)
            response = self._parcel.site.exchange("PATCH", self._address, headers=headers, content=content)
        self._parcel.check(response)
        return _standing(response)

    @property
    def _address(self) -> str:
        return f"uploads/{self._upload}/"


def piece_of(file: IO[bytes], offset: int, size: int, parcel: Parcel) -> Iterator[bytes]:
    """Yield a piece of the file, noting how far it has left."""
    file.seek(offset)
    end = offset + size
    while offset < end and (chunk := file.read(min(READ_BYTES, end - offset))):
        offset += len(chunk)
        yield chunk
        parcel.note(offset)


def _standing(response: httpx.Response) -> Standing:
    told = response.headers
    try:
        submission = UUID(told["Podium-Submission"]) if "Podium-Submission" in told else None
        return Standing(offset=int(told["Upload-Offset"]), submission=submission)
    except (KeyError, ValueError) as exc:
        raise odd("no word of how far the upload is") from exc
