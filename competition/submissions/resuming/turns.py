"""Who may write to a partial upload: whoever came last, unless it is being made a submission."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction

from competition.clock import database_now
from competition.submissions.models import PartialUpload
from competition.submissions.resuming.refusals import Elsewhere, Occupied


@transaction.atomic
def take_over(upload: PartialUpload, offset: int) -> int:
    """Become the writer and return its number; whoever wrote until now can change nothing from then on.

    Raises Elsewhere if the upload is not at the offset, and Occupied while it is being made a submission.
    """
    now = database_now()
    row = PartialUpload.objects.select_for_update().filter(pk=upload.pk).first()
    if row is None or row.received_bytes != offset or row.submission_id is not None:
        raise Elsewhere
    if row.finishing_until and row.finishing_until > now:
        raise Occupied
    row.writer += 1
    row.finishing_until = None
    row.expires_at = now + timedelta(seconds=settings.UPLOAD_EXPIRES_S)
    row.save(update_fields=["writer", "finishing_until", "expires_at"])
    return row.writer
