"""Files of the store that no row names: what processes leave that are killed between storing and committing."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Final
from uuid import UUID

from django.core.files.storage import default_storage

from competition.storage import StoredFile, stored_files
from competition.submissions.models import Submission
from competition.tracks.models import Dataset, Picture

SAFE_AGE: Final = timedelta(days=1)
"""A younger file may belong to an upload or an import that is not committed yet."""
BATCH: Final = 1000

log = logging.getLogger(__name__)


def orphans(now: datetime) -> Iterator[StoredFile]:
    """Yield the files older than the safe age that no row names."""
    files = chain.from_iterable(map(stored_files, ("entries", "datasets", "pictures")))
    old = (file for file in files if file.modified_at < now - SAFE_AGE)
    while batch := tuple(islice(old, BATCH)):
        # Asked after the store was: a row that came meanwhile is found.
        named = _named(file.name for file in batch)
        yield from (file for file in batch if file.name not in named)


def remove_orphans(now: datetime) -> int:
    """Remove them; return how many there were."""
    removed = 0
    for file in orphans(now):
        default_storage.delete(file.name)
        log.warning("orphan_removed", extra={"fields": {"file": file.name, "bytes": file.size}})
        removed += 1
    return removed


def _named(names: Iterable[str]) -> set[str]:
    # By the key that an entry's name ends in: a million names have no index.
    keys = [key for name in names if (key := _key(name))]
    entries = Submission.objects.filter(pk__in=keys).order_by().values_list("entry", flat=True)
    archives = Dataset.objects.order_by().values_list("archive", flat=True)
    pictures = Picture.objects.order_by().values_list("file", "small")
    return {*entries, *archives, *chain.from_iterable(pictures)}


def _key(name: str) -> UUID | None:
    try:
        return UUID(name.rsplit("/", 1)[-1])
    except ValueError:
        return None
