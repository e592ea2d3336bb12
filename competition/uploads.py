"""Uploads on their way to the store: room is taken before the first byte, and given back however a request ends.

Each upload is one file of the upload folder, as large from its beginning as was announced. What all processes on a
machine hold there is therefore the sum of these files, and what is left is the disk's word. A file of Django's
belongs to a request and goes with it; one that comes in pieces stays for the next request.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpRequest, HttpResponse

from scoring.errors import Rejected, reject

STATUSES: Final[Mapping[str, int]] = {"no_room_for_upload": 507, "too_many_uploads": 503}
RETRY_AFTER_S: Final = 30
KEPT_FREE_BYTES: Final = 64 * 2**20
"""What uploads leave of the disk: a database, or logs, may lie beside them."""
MARK: Final = ".upload"
"""In the name that Django gives to an upload's file."""
PARTIAL: Final = ".partial"
"""In the name of the file of an upload that comes in pieces; `competition.submissions.resuming` removes those."""
SAFE_AGE_S: Final = 60.0
"""A younger file may not have its lock yet."""
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
BLOCK_BYTES: Final = 512  # of st_blocks, whatever the file system's own are


class UploadHandler(TemporaryFileUploadHandler):
    """Takes room for what the request announced, and raises Rejected if there is none."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803  # Django's name
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        """Note what is announced; the body may hold several files."""
        self._left_bytes = content_length

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Open the file and take its room."""
        with disk_may_be_full(self._left_bytes):
            super().new_file(*args, **kwargs)
        fcntl.flock(self.file.fileno(), fcntl.LOCK_EX)
        try:
            take_room(self.file.fileno(), Path(self.file.temporary_file_path()), self._left_bytes)
        except BaseException:
            self.give_up()
            raise

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write a piece."""
        with disk_may_be_full(self._left_bytes):
            super().receive_data_chunk(raw_data, start)

    def file_complete(self, file_size: int) -> TemporaryUploadedFile:
        """Hand the file over; from here on the request closes it."""
        self.file.flush()
        self.file.truncate(file_size)
        self._left_bytes -= file_size
        super().file_complete(file_size)
        complete = self.file
        del self.file
        return complete

    def give_up(self) -> None:
        """Close and remove a file that did not become complete."""
        if hasattr(self, "file"):
            self.file.close()
            del self.file

    upload_interrupted = give_up


class UploadsMiddleware:
    """Let no request leave a part of an upload behind: not one that broke off, nor one that was refused midway."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, then close what nobody else does; complete files are the request's own."""
        try:
            return self.get_response(request)
        finally:
            for handler in getattr(request, "_upload_handlers", ()):
                if isinstance(handler, UploadHandler):
                    handler.give_up()


@contextmanager
def disk_may_be_full(wanted_bytes: int) -> Iterator[None]:
    """Raise Rejected where the disk has no room for what is written."""
    try:
        yield
    except OSError as exc:
        if exc.errno in FULL:
            raise _no_room(wanted_bytes) from exc
        raise


def refusal_headers(refusal: Rejected) -> dict[str, str]:
    """Return what is sent with a refusal that passes by itself."""
    return {"Retry-After": str(RETRY_AFTER_S)} if refusal.code in STATUSES else {}


def take_room(descriptor: int, file: Path, wanted_bytes: int) -> None:
    """Make the open file as large as it will be; raises Rejected where disk or limit do not allow that."""
    if wanted_bytes > _free_bytes() - KEPT_FREE_BYTES:
        raise _no_room(wanted_bytes)
    with disk_may_be_full(wanted_bytes):
        _allocate(descriptor, wanted_bytes)
    # Afterwards, so that of several who come at once none is overlooked.
    others_bytes = _held_bytes(besides=file)
    if others_bytes and others_bytes + wanted_bytes > settings.MAX_UPLOADING_BYTES:
        raise reject(
            "too_many_uploads", held_bytes=others_bytes, allowed_bytes=int(settings.MAX_UPLOADING_BYTES)
        )


def _allocate(descriptor: int, wanted_bytes: int) -> None:
    if not wanted_bytes or not hasattr(os, "posix_fallocate"):  # macOS has none
        return
    try:
        os.posix_fallocate(descriptor, 0, wanted_bytes)
    except OSError as exc:
        if exc.errno not in {errno.EOPNOTSUPP, errno.EINVAL}:  # a file system that cannot promise room
            raise


def _no_room(wanted_bytes: int) -> Rejected:
    free_bytes = max(0, _free_bytes() - KEPT_FREE_BYTES)
    return reject("no_room_for_upload", announced_bytes=wanted_bytes, free_bytes=free_bytes)


def _free_bytes() -> int:
    return shutil.disk_usage(upload_folder()).free


def _held_bytes(*, besides: Path) -> int:
    """Return what other uploads hold, those of other processes as well; remove those whose process was killed."""
    held = 0
    for file in upload_folder().iterdir():
        if MARK not in file.name and PARTIAL not in file.name:
            continue
        with suppress(FileNotFoundError):  # it was done meanwhile
            found = file.stat()
            if MARK in file.name and time.time() - found.st_mtime > SAFE_AGE_S and not _is_locked(file):
                file.unlink()
            elif file != besides:
                held += found.st_blocks * BLOCK_BYTES
    return held


def _is_locked(file: Path) -> bool:
    """Say whether the process that receives the file lives: the kernel takes back the locks of dead ones."""
    with file.open("rb") as other:
        try:
            fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def upload_folder() -> Path:
    """Return where files lie until they are stored."""
    return Path(settings.FILE_UPLOAD_TEMP_DIR)
