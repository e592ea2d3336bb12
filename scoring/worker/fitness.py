"""What a worker tries before it claims: an entry must not be what finds out that a machine is unwell."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.core.files.storage import default_storage
from django.db import connection

from competition.submissions.models import Evaluation
from competition.tracks.models import Dataset
from scoring.errors import Cause, Fault
from scoring.sandbox.trial import trial_failure
from scoring.worker.causes import cause_of

TRIED_BYTES: Final = 2**16
NEWEST: Final = 2

Test = Callable[[], None]


@dataclass(frozen=True, kw_only=True)
class Unfit:
    """What does not work here, and how that showed."""

    cause: Cause
    why: str


def first_unfit(tests: Mapping[Cause, Test]) -> Unfit | None:
    """Make the tests in their order; return what the first that fails found."""
    for cause, test in tests.items():
        try:
            test()
        except Exception as exc:  # noqa: BLE001  # a store's own exceptions are those of a library we may not have
            known = cause_of(exc)
            return Unfit(cause=cause if known.counts else known, why=f"{type(exc).__name__}: {exc}")
    return None


def try_disk(folders: Collection[Path], *, min_free_bytes: int) -> None:
    """Write to each folder's disk and have it reach the disk; raise Fault if too little is free."""
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        free_bytes = shutil.disk_usage(folder).free
        if free_bytes < min_free_bytes:
            why = f"{free_bytes:,} bytes are free below {folder.name}; at least {min_free_bytes:,} must be"
            raise Fault(why, cause=Cause.DISK)
        with tempfile.TemporaryFile(dir=folder) as written:
            written.write(bytes(TRIED_BYTES))
            written.flush()
            os.fsync(written.fileno())


def try_storage() -> None:
    """Ask the store for the newest files: it must answer, and have one of them at least."""
    datasets = Dataset.objects.order_by("-pk").values_list("archive", flat=True)[:NEWEST]
    entries = Evaluation.objects.order_by("-pk").values_list("submission__entry", flat=True)[:NEWEST]
    names = [*entries, *datasets]
    # One file may be lost; a store that is not mounted has lost them all.
    if not any(default_storage.exists(name) for name in names) and names:
        raise Fault("the store has none of the newest files", cause=Cause.STORAGE)


def try_database(show: Callable[[], None]) -> None:
    """Write the worker's own row, on a new connection if the old one is broken."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
    show()


def try_sandbox(name: str, *, has_spare: Callable[[], bool]) -> None:
    """Start a sandbox, unless one that was started ahead stands by."""
    failure = "" if has_spare() else trial_failure(name)
    if failure:
        raise Fault(failure, cause=Cause.SANDBOX)
