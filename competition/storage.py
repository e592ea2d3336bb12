"""Files of the store: brought onto this machine and held to the digest that they came with, or listed."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from django.core.files.storage import Storage, default_storage
from django.db.models.fields.files import FieldFile

from scoring.errors import Cause, Fault

CHUNK_BYTES: Final = 2**20
LIBRARIES: Final = frozenset({"boto3", "botocore", "s3transfer", "google", "azure", "urllib3"})
"""Whose exceptions tell of a store; which of them are installed depends on the settings."""
AWAY: Final = frozenset(
    {errno.EIO, errno.EROFS, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT, errno.EHOSTDOWN}
)
"""What the system says of a folder whose disk or server is away."""
OWN_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
"""What only writing can meet: of the two files, the one on this machine."""


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file of the store as the store lists it."""

    name: str
    size: int
    modified_at: datetime


def stored_files(folder: str) -> Iterator[StoredFile]:
    """Yield every file below a folder of the store, in no order."""
    bucket = getattr(default_storage, "bucket", None)
    if bucket is None:
        yield from _walk(default_storage, folder)
        return
    # A bucket tells size and time with each name; asked by name, it would be asked once for each file.
    root = f"{default_storage.location}/".lstrip("/")  # type: ignore[attr-defined]  # of a bucket
    for item in bucket.objects.filter(Prefix=f"{root}{folder}/"):
        yield StoredFile(name=item.key.removeprefix(root), size=item.size, modified_at=item.last_modified)


def _walk(storage: Storage, folder: str) -> Iterator[StoredFile]:
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in (f"{folder}/{file}" for file in files):
        try:
            size, modified_at = storage.size(name), storage.get_modified_time(name)
        except FileNotFoundError:  # deleted meanwhile
            continue
        yield StoredFile(name=name, size=size, modified_at=modified_at)
    for inner in folders:
        yield from _walk(storage, f"{folder}/{inner}")


def is_away(error: BaseException | None) -> bool:
    """Say whether an exception, or one that led to it, tells of a store that does not do what it is asked."""
    while error is not None:
        if type(error).__module__.split(".")[0] in LIBRARIES:
            return True
        if isinstance(error, OSError) and error.errno in AWAY:
            return True
        error = error.__cause__ or error.__context__
    return False


def fetch(stored: FieldFile, target: Path, *, sha256: str, what: str, tick: Callable[[], None]) -> None:
    """Copy a stored file to `target`; `tick` is called after each piece, and what it raises ends it.

    Raises Fault, in which `what` names the file, when the store does not give back what it was given.
    """
    fetched = hashlib.sha256()
    try:
        with stored.storage.open(str(stored.name)) as source, target.open("wb") as out:
            for chunk in source.chunks(CHUNK_BYTES):
                fetched.update(chunk)
                out.write(chunk)
                tick()
    except FileNotFoundError as exc:
        raise Fault(f"{what} cannot be fetched from storage: it is gone", cause=Cause.LOST_FILE) from exc
    except OSError as exc:
        cause = Cause.DISK if exc.errno in OWN_DISK else Cause.STORAGE
        raise Fault(f"{what} cannot be fetched from storage: {exc.strerror}", cause=cause) from exc
    if fetched.hexdigest() != sha256:
        raise Fault(f"{what} in storage is not what was stored there", cause=Cause.LOST_FILE)
