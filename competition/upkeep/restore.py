"""A backup brought into an empty installation: files first, then all rows in one transaction."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction

from competition.upkeep import rows
from competition.upkeep.backup import (
    FILES,
    KEY,
    ROWS,
    BackupProblem,
    Manifest,
    applied_migrations,
    digest_of,
    place_of,
    read_manifest,
)


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What came of a restore; `key_differs` if sessions and second factors need the backup's key set by hand."""

    manifest: Manifest
    key_differs: bool


def restore(source: Path) -> Restored:
    """Bring a backup into an empty installation; raises BackupProblem, having written no row.

    It may be repeated: a file that is there already must be the one of the backup.
    """
    manifest = read_manifest(source)
    _check_installation(manifest)
    for name, expected in ((ROWS, manifest.rows_sha256), (FILES, manifest.files_sha256)):
        if digest_of(source / name) != expected:
            raise BackupProblem(f"{name} is damaged")
    for file in _files(source):
        _store(source, file["name"], file["sha256"])
    with transaction.atomic(), gzip.open(source / ROWS, "rt", encoding="utf-8") as lines:
        loaded = rows.load(lines)
        if loaded != manifest.rows:
            raise BackupProblem(f"{loaded:,} rows were loaded, not {manifest.rows:,}")
    return Restored(manifest=manifest, key_differs=not _restore_key(source / KEY))


def _check_installation(manifest: Manifest) -> None:
    here, there = set(applied_migrations()), set(manifest.migrations)
    if here != there:
        differing = ", ".join(sorted(here ^ there))
        raise BackupProblem(
            f"the backup was made by Podium {manifest.version}, whose tables differ from these ({differing}); "
            "restore it with that release, then upgrade"
        )
    occupied = rows.occupied()
    if occupied:
        raise BackupProblem(f"this installation is not empty: {', '.join(occupied)}")


def _files(source: Path) -> Iterator[dict[str, Any]]:
    with (source / FILES).open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _store(source: Path, name: str, sha256: str) -> None:
    file = place_of(source, name)
    if not file.is_file() or digest_of(file) != sha256:
        raise BackupProblem(f"{file} is missing or damaged")
    if default_storage.exists(name):
        if default_storage.size(name) != file.stat().st_size:
            raise BackupProblem(f"the store has another file named {name}")
        return
    with file.open("rb") as stream:
        default_storage.save(name, File(stream))


def _restore_key(kept: Path) -> bool:
    """Let the site's key be the backup's where it is kept in a file; say whether it is now."""
    key = kept.read_text()
    if key == settings.SECRET_KEY:
        return True
    own = settings.HOME / "secret.key"
    if not own.is_file() or own.read_text() != settings.SECRET_KEY:  # the environment names it
        return False
    with NamedTemporaryFile("w", dir=settings.HOME, delete=False) as made:
        made.write(key)
    Path(made.name).replace(own)
    return True
