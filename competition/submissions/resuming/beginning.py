"""A partial upload begins: everything is checked that can be before a byte is sent."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser

from competition.clock import database_now
from competition.submissions import services
from competition.submissions.models import PartialUpload
from competition.submissions.resuming.ending import end, remove_expired
from competition.submissions.resuming.files import create_file, remove_file
from competition.submissions.resuming.parts import abort, begin_parts
from competition.tracks.binding import bound, max_upload_bytes
from competition.tracks.models import Track
from competition.tracks.wording import accepted_suffixes
from scoring.errors import reject

MOST_AT_ONCE: Final = 3
"""Of a participant. One more ends the one that was left alone for longest: each holds room on the disk."""


def begin(
    *,
    participant: AbstractBaseUser,
    track: Track,
    name: str,
    entry_bytes: int,
    sha256: str = "",
    metadata: str = "",
    past_the_site: bool = False,
    now: datetime | None = None,
) -> PartialUpload:
    """Take room for an entry that will come in pieces, or whose parts will go past the site into the store.

    Raises Rejected for what could only be refused in the end: as `accept_submission`, and with unrecognised_format for
    a name that none of the track's formats has, no_room_for_upload or too_many_uploads.
    """
    now = now or database_now()
    name = services.shown_name(name)
    _check_size(track, entry_bytes)
    _check_suffix(track, name)
    services.refuse_unread(
        participant=participant, track=track, announced_bytes=entry_bytes, sha256=sha256, now=now
    )
    remove_expired(now)
    _end_more_than_allowed(participant)
    upload = PartialUpload(
        id=uuid4(),
        track=track,
        participant_id=participant.pk,
        entry_name=name,
        entry_bytes=entry_bytes,
        sha256=sha256,
        metadata=metadata,
        created_at=now,
        expires_at=now + timedelta(seconds=settings.UPLOAD_EXPIRES_S),
    )
    with ExitStack() as undo:
        if past_the_site:
            upload.multipart_id = begin_parts(upload)
            undo.callback(abort, upload)
        else:
            create_file(upload.id, entry_bytes)
            undo.callback(remove_file, upload.id)
        upload.save(force_insert=True)
        undo.pop_all()
    return upload


def _check_size(track: Track, entry_bytes: int) -> None:
    allowed_bytes = max_upload_bytes(track)
    if entry_bytes > allowed_bytes:
        raise reject("upload_too_large", allowed_bytes=allowed_bytes)
    if entry_bytes == 0:
        raise reject("empty_upload")


def _check_suffix(track: Track, name: str) -> None:
    endings = accepted_suffixes(bound(track).spec()).split(",")
    if not name.lower().endswith(tuple(endings)):
        raise reject("unrecognised_format", why=f"The name “{name}” does not end in {' or '.join(endings)}.")


def _end_more_than_allowed(participant: AbstractBaseUser) -> None:
    own = PartialUpload.objects.filter(participant_id=participant.pk, submission=None)
    for upload in own.order_by("-expires_at")[MOST_AT_ONCE - 1 :]:
        end(upload)
