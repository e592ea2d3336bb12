"""A backup: a folder with every row, every file that a row names, and the site's key.

manifest.json        what made it, what it holds, and its digests; written last, so that without it nothing is whole
rows.jsonl.gz        a line for each row
files.jsonl          a line for each file: name, size, sha256
files/…              the files, under the names that they have in the store
secret.key           what signs sessions and second factors
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any, Final

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from competition.submissions.models import Submission
from competition.tracks.models import Dataset, Picture
from competition.upkeep import rows

FORMAT: Final = 1
CHUNK_BYTES: Final = 2**20
MANIFEST, ROWS, FILES, FOLDER, KEY = "manifest.json", "rows.jsonl.gz", "files.jsonl", "files", "secret.key"


class BackupProblem(Exception):
    """A backup that cannot be made, or cannot be restored; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a backup holds."""

    format: int
    version: str
    made_at: str
    migrations: list[str]
    rows: int
    rows_sha256: str
    files: int
    file_bytes: int
    files_sha256: str


def back_up(target: Path, now: datetime) -> Manifest:
    """Write a backup into a new folder; raises BackupProblem."""
    if target.exists() and any(target.iterdir()):
        raise BackupProblem(f"{target} is not empty")
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    with rows.one_moment():
        count = _write_rows(target / ROWS)
        names = [(name, sha256) for name, sha256 in _named_files()]
    # Later than the rows: a file never changes, and what the rows name is there before them.
    sizes = _write_files(target, names)
    _write_key(target / KEY)
    manifest = Manifest(
        format=FORMAT,
        version=version("podium"),
        made_at=now.isoformat(),
        migrations=applied_migrations(),
        rows=count,
        rows_sha256=digest_of(target / ROWS),
        files=len(sizes),
        file_bytes=sum(sizes),
        files_sha256=digest_of(target / FILES),
    )
    (target / MANIFEST).write_text(json.dumps(asdict(manifest), indent=2) + "\n")
    return manifest


def applied_migrations() -> list[str]:
    """Return the names of all migrations that the database has: what its tables look like."""
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


def digest_of(file: Path) -> str:
    """Return the sha256 of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def place_of(target: Path, name: str) -> Path:
    """Return where a backup keeps a stored file; a name that leads out of it is no name of a backup's."""
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or name.startswith("/"):
        raise BackupProblem(f"“{name}” is no name of a stored file")
    return target.joinpath(FOLDER, *parts)


def _write_rows(target: Path) -> int:
    count = 0
    with gzip.open(target, "wt", encoding="utf-8", compresslevel=6) as out:
        for line in rows.dump():
            out.write(f"{line}\n")
            count += 1
    return count


def _named_files() -> Iterator[tuple[str, str]]:
    entries = Submission.objects.exclude(entry="").order_by("pk").values_list("entry", "sha256")
    archives = Dataset.objects.order_by("pk").values_list("archive", "digest")
    pictures = Picture.objects.order_by("pk").values_list("file", "sha256")
    small = Picture.objects.order_by("pk").values_list("small", "small_sha256")
    seen = set()
    for name, digest in chain.from_iterable(each.iterator() for each in (entries, archives, pictures, small)):
        if name not in seen:  # competitions share the archive of equal datasets
            seen.add(name)
            yield name, digest.removeprefix("sha256:")


def _write_files(target: Path, names: list[tuple[str, str]]) -> list[int]:
    with (target / FILES).open("w", encoding="utf-8") as out:
        sizes = []
        for name, sha256 in names:
            size = _copy(name, place_of(target, name), sha256)
            out.write(json.dumps({"name": name, "size": size, "sha256": sha256}) + "\n")
            sizes.append(size)
    return sizes


def _copy(name: str, target: Path, sha256: str) -> int:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    try:
        with default_storage.open(name) as source, target.open("wb") as out:
            for chunk in source.chunks(CHUNK_BYTES):
                digest.update(chunk)
                out.write(chunk)
    except OSError as exc:
        raise BackupProblem(
            f"{name} cannot be copied: {exc}; `manage.py audit` lists what is missing"
        ) from exc
    if digest.hexdigest() != sha256:
        raise BackupProblem(f"{name} in the store is not what was stored there")
    return target.stat().st_size


def _write_key(target: Path) -> None:
    target.touch(mode=0o600)
    target.write_text(settings.SECRET_KEY)


def read_manifest(source: Path) -> Manifest:
    """Return what a backup says of itself; raises BackupProblem for one that is not whole or not ours."""
    try:
        told: dict[str, Any] = json.loads((source / MANIFEST).read_text())
        manifest = Manifest(**told)
    except (OSError, ValueError, TypeError) as exc:
        raise BackupProblem(f"{source} holds no whole backup: {exc}") from exc
    if manifest.format != FORMAT:
        raise BackupProblem(f"the backup has format {manifest.format}; this release reads {FORMAT}")
    return manifest
