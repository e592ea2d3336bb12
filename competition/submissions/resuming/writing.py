"""A piece of a partial upload is written behind those that came before, as it comes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Final, Protocol

from django.conf import settings
from django.db.models import QuerySet

from competition.clock import database_now
from competition.submissions.models import PartialUpload
from competition.submissions.resuming.ending import end
from competition.submissions.resuming.files import locked, path_of, settle, write_at
from competition.submissions.resuming.finishing import finish
from competition.submissions.resuming.refusals import Damaged, Elsewhere, Lost, TooLong
from competition.submissions.resuming.turns import take_over
from competition.uploads import disk_may_be_full

READ_BYTES: Final = 2**20
NOTED_EVERY_BYTES: Final = 8 * 2**20
"""What is sent again at most after a process was killed."""


class Body(Protocol):
    """What a request carries; may end early, when its line breaks."""

    def read(self, size: int, /) -> bytes:
        """Return at most so many bytes; none at the end."""


@dataclass(frozen=True, kw_only=True)
class Checksum:
    """What a piece's digest must be, by an algorithm of hashlib's."""

    algorithm: str
    digest: bytes


def append(
    upload: PartialUpload, body: Body, *, offset: int, piece_bytes: int, checksum: Checksum | None = None
) -> PartialUpload:
    """Write a piece that begins at an offset; return how the upload stands then, a submission if it is complete.

    Whoever comes last writes on: a connection that is dead without anybody knowing keeps nobody waiting. A piece
    with a checksum counts only as a whole, of another as much as came.

    Raises Elsewhere, Occupied, TooLong, Damaged or Lost, and Rejected as `accept_submission` does.
    """
    if offset + piece_bytes > upload.entry_bytes:
        raise TooLong
    writer = take_over(upload, offset)
    try:
        file = path_of(upload.pk).open("r+b")
    except FileNotFoundError as exc:
        end(upload)
        raise Lost from exc
    with file:
        reached = _Writer(upload, writer, file, offset).write_all(body, piece_bytes, checksum)
    if reached == upload.entry_bytes:
        finish(upload, writer)
    return PartialUpload.objects.get(pk=upload.pk)


class _Writer:
    """Writes one piece under a number, and moves the row on behind it."""

    def __init__(self, upload: PartialUpload, number: int, file: IO[bytes], offset: int) -> None:
        self._upload = upload
        self._number = number
        self._file = file
        self._position = offset
        self._noted = offset

    def write_all(self, body: Body, piece_bytes: int, checksum: Checksum | None) -> int:
        """Write what comes and return where it ends."""
        digest = hashlib.new(checksum.algorithm, usedforsecurity=False) if checksum else None
        left = piece_bytes
        try:
            while left and (piece := _read(body, min(left, READ_BYTES))):
                self._write(piece)
                left -= len(piece)
                if digest:
                    digest.update(piece)
                elif self._position - self._noted >= NOTED_EVERY_BYTES:
                    self._note()
        finally:
            if not checksum:
                self._note()
        if checksum and digest:
            if left:
                return self._noted
            if digest.digest() != checksum.digest:
                raise Damaged
            self._note()
        return self._position

    def _write(self, piece: bytes) -> None:
        # Under the file's lock: what a writer before us checked before we came cannot reach the file after us.
        with locked(self._file):
            if not self._own_row().exists():
                raise Elsewhere
            with disk_may_be_full(len(piece)):
                write_at(self._file, piece, self._position)
        self._position += len(piece)

    def _note(self) -> None:
        """Move the row on, once the disk has the bytes; not to the end, which only a submission reaches."""
        if self._position in {self._noted, self._upload.entry_bytes}:
            return
        settle(self._file)
        expires_at = database_now() + timedelta(seconds=settings.UPLOAD_EXPIRES_S)
        if not self._own_row().update(received_bytes=self._position, expires_at=expires_at):
            raise Elsewhere
        self._noted = self._position

    def _own_row(self) -> QuerySet[PartialUpload]:
        return PartialUpload.objects.filter(pk=self._upload.pk, writer=self._number)


def _read(body: Body, size: int) -> bytes:
    """Return the next bytes; none if the line broke."""
    try:
        return body.read(size)
    except OSError:  # Django's UnreadablePostError is one
        return b""
