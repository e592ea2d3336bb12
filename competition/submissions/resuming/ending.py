"""Partial uploads end without a submission: stopped, refused for good, or left alone for too long."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Q

from competition.submissions.models import PartialUpload
from competition.submissions.resuming.files import ids_with_files, remove_file
from competition.submissions.resuming.parts import abort
from competition.uploads import SAFE_AGE_S

AT_ONCE: Final = 100

log = logging.getLogger(__name__)


def end(upload: PartialUpload) -> bool:
    """Forget an upload that has become no submission; return False if it has, or if somebody forgot it before."""
    deleted, _ = PartialUpload.objects.filter(pk=upload.pk, submission=None).delete()
    if deleted and upload.multipart_id:
        abort(upload)
    elif deleted:
        remove_file(upload.pk)
    return bool(deleted)


def remove_expired(now: datetime) -> int:
    """Forget what was left alone, and remove files that no row names; return how many uploads were ended."""
    idle = Q(finishing_until=None) | Q(finishing_until__lt=now)
    ended = 0
    for upload in PartialUpload.objects.filter(idle, expires_at__lt=now).order_by("expires_at")[:AT_ONCE]:
        if upload.submission_id is not None:
            upload.delete()  # what became of it has been there to be asked for long enough
        elif end(upload):
            ended += 1
            log.info("upload_expired", extra={"fields": {"upload": str(upload.pk)}})
    for upload_id in without_row():
        remove_file(upload_id)
    return ended


def without_row() -> Iterator[UUID]:
    """Yield the files that belong to no upload under way."""
    found = set(ids_with_files(older_than_s=SAFE_AGE_S))
    known = PartialUpload.objects.filter(pk__in=found, submission=None).values_list("pk", flat=True)
    yield from sorted(found - set(known))
