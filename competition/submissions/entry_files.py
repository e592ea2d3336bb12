"""An entry given back to whoever may have it, as it came, with the digest that it came with."""

from __future__ import annotations

import base64
import logging

from django.contrib.auth.models import User
from django.http import FileResponse, Http404

from competition.submissions.models import Submission

log = logging.getLogger(__name__)


def entry_response(submission: Submission, *, reader: User) -> FileResponse:
    """Return the entry as a download under the name that it had; who took it stands in the log.

    Raises Http404 for one that was pruned.
    """
    if not submission.entry:
        raise Http404("this entry was removed after its time")
    log.info(
        "entry_downloaded",
        extra={"fields": {"submission": str(submission.pk), "user": reader.get_username()}},
    )
    response = FileResponse(
        submission.entry.open("rb"),
        as_attachment=True,
        filename=submission.entry_name,
        content_type="application/octet-stream",
    )
    digest = base64.b64encode(bytes.fromhex(submission.sha256)).decode()
    response.headers["Repr-Digest"] = f"sha-256=:{digest}:"  # RFC 9530
    response.headers["Cache-Control"] = "private, no-store"
    return response
