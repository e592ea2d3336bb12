"""A partial upload that is complete becomes a submission: one, however often its last piece is sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.db.models import QuerySet

from competition.clock import database_now
from competition.submissions import services
from competition.submissions.models import PartialUpload, Submission
from competition.submissions.resuming.ending import end
from competition.submissions.resuming.files import Arrived, path_of, remove_file
from competition.submissions.resuming.parts import Stored, is_put_together, missing, put_together, received
from competition.submissions.resuming.refusals import Elsewhere, Incomplete
from competition.submissions.resuming.turns import take_over
from competition.uploads import STATUSES
from scoring.errors import Rejected

LEAST_S: Final = 30.0
READ_AND_STORED_PER_S: Final = 32 * 2**20
"""In bytes, on a slow day: whoever comes back after a killed process waits for as long as it could have taken."""
PASSING: Final = frozenset({*STATUSES, "quota_used_up"})
"""Refusals after which the same bytes may be accepted later; after any other the upload is over."""


def finish(upload: PartialUpload, writer: int) -> None:
    """Hand the file over as a form's upload would be; raises Rejected, and Elsewhere if somebody else writes on."""
    _claim(upload, writer)
    with Arrived(path_of(upload.pk)) as arrived:
        _hand_over(upload, writer, arrived)
    remove_file(upload.pk)


def finish_parts(upload: PartialUpload) -> None:
    """Let the store make one entry of the parts, and hand that over; raises as `finish`, and Incomplete."""
    writer = take_over(upload, offset=0)
    _claim(upload, writer)
    try:
        if not is_put_together(upload):
            found = received(upload)
            if numbers := missing(upload, found):
                raise Incomplete(numbers)
            put_together(upload, found)
    except BaseException:
        _own(upload, writer).update(finishing_until=None)
        raise
    _hand_over(upload, writer, Stored(upload), stored_with=upload.pk)


def _hand_over(
    upload: PartialUpload, writer: int, arrived: File[Any], stored_with: UUID | None = None
) -> None:
    try:
        services.accept_submission(
            participant=upload.participant,
            track=upload.track,
            upload=arrived,
            name=upload.entry_name,
            sha256=upload.sha256,
            stored_with=stored_with,
            also=lambda submission: _become(upload, writer, submission),
        )
    except Rejected as refusal:
        if refusal.code not in PASSING:
            end(upload)
        raise
    finally:
        _own(upload, writer).update(finishing_until=None)


def _claim(upload: PartialUpload, writer: int) -> None:
    """Keep others from writing, for as long as reading and storing may take."""
    taken_s = LEAST_S + upload.entry_bytes / READ_AND_STORED_PER_S
    until = database_now() + timedelta(seconds=taken_s)
    if not _own(upload, writer).update(finishing_until=until):
        raise Elsewhere


def _become(upload: PartialUpload, writer: int, submission: Submission) -> None:
    """Note the submission in the transaction that writes it; raises Elsewhere, which undoes it."""
    become = _own(upload, writer).update(
        submission=submission,
        received_bytes=upload.entry_bytes,
        finishing_until=None,
        expires_at=database_now() + timedelta(seconds=settings.UPLOAD_EXPIRES_S),
    )
    if not become:
        raise Elsewhere


def _own(upload: PartialUpload, writer: int) -> QuerySet[PartialUpload]:
    return PartialUpload.objects.filter(pk=upload.pk, writer=writer, submission=None)
