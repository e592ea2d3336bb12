"""The files of partial uploads: one each in the upload folder, from its beginning as large as it will be."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final
from uuid import UUID

from django.core.files import File

from competition.uploads import PARTIAL, disk_may_be_full, take_room, upload_folder

LINK: Final = ".link"


def path_of(upload_id: UUID) -> Path:
    """Return where the pieces are put together."""
    return upload_folder() / f"{upload_id}{PARTIAL}"


def has_file(upload_id: UUID) -> bool:
    """Say whether the pieces are on this machine."""
    return path_of(upload_id).is_file()


def create_file(upload_id: UUID, announced_bytes: int) -> None:
    """Take the room; raises Rejected where there is none."""
    path = path_of(upload_id)
    with disk_may_be_full(announced_bytes):
        file = path.open("xb")
    with file:
        try:
            take_room(file.fileno(), path, announced_bytes)
        except BaseException:
            path.unlink()
            raise


def remove_file(upload_id: UUID) -> None:
    """Remove the file, if it is there."""
    path_of(upload_id).unlink(missing_ok=True)


def ids_with_files(*, older_than_s: float) -> Iterator[UUID]:
    """Yield whose files there are; a younger one may not have its row yet."""
    for path in upload_folder().glob(f"*{PARTIAL}*"):
        try:
            is_old = time.time() - path.stat().st_mtime > older_than_s
            upload_id = UUID(path.name.partition(PARTIAL)[0])
        except (FileNotFoundError, ValueError):
            continue
        if is_old:
            yield upload_id


@contextmanager
def locked(file: IO[bytes]) -> Iterator[None]:
    """Keep other processes and threads from writing to the same file for the moment."""
    fcntl.flock(file.fileno(), fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file.fileno(), fcntl.LOCK_UN)


def write_at(file: IO[bytes], piece: bytes, position: int) -> None:
    """Write a piece, all of it."""
    left = memoryview(piece)
    while left:
        written = os.pwrite(file.fileno(), left, position)
        left, position = left[written:], position + written


def settle(file: IO[bytes]) -> None:
    """Return once the disk has what was written."""
    os.fdatasync(file.fileno())


class Arrived(File):  # type: ignore[type-arg]  # generic in django-stubs alone
    """A file that is complete, for the service that stores it.

    A store on the same disk renames what it is given. It gets a second name of the file, so that the first one is
    still there if the rows cannot be written.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path.open("rb"), name=path.name)
        self._path = path

    def temporary_file_path(self) -> str:
        """Return a name that may be taken away."""
        link = self._path.with_name(f"{self._path.name}{LINK}")
        link.unlink(missing_ok=True)
        try:
            link.hardlink_to(self._path)
        except OSError:  # a file system without second names
            shutil.copyfile(self._path, link)
        return str(link)
