"""The one thing that the reader of a track's page would do next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.contrib.auth.models import User

from competition.leaderboard.selectors import Board, Row, row_of
from competition.submissions.models import Submission
from competition.submissions.quotas import Slots
from competition.submissions.selectors import submissions_of
from competition.tracks.models import Track
from scoring.contracts import Status


class Next(StrEnum):
    """What it is; each has its words and its button on the page."""

    SEE_THE_END = "see-the-end"
    PREVIEW = "preview"
    WAIT_FOR_OPENING = "wait-for-opening"
    SIGN_IN = "sign-in"
    FOLLOW = "follow"
    WAIT_FOR_SLOT = "wait-for-slot"
    UPLOAD_FIRST = "upload-first"
    MEND = "mend"
    IMPROVE = "improve"


@dataclass(frozen=True, kw_only=True)
class NextStep:
    """What to do next, with the reader's row on the board and newest submission, where there are any."""

    kind: Next
    own: Row | None = None
    newest: Submission | None = None


def next_step(
    track: Track, board: Board, *, viewer: User | None, slots: Slots | None, now: datetime
) -> NextStep:
    """Return what the reader would do next; one who submitted is told of their result whatever comes."""
    newest = submissions_of(viewer, track_slug=track.slug).first() if viewer else None
    own = row_of(board, viewer.pk) if viewer else None
    return NextStep(kind=_kind(track, viewer, newest, own, slots, now), own=own, newest=newest)


def _kind(
    track: Track,
    viewer: User | None,
    newest: Submission | None,
    own: Row | None,
    slots: Slots | None,
    now: datetime,
) -> Next:
    if not track.is_open:
        return Next.PREVIEW
    if track.is_closed(now):
        return Next.SEE_THE_END
    if not track.is_taking_submissions(now):
        return Next.WAIT_FOR_OPENING
    if viewer is None:
        return Next.SIGN_IN
    if newest is not None and _is_waiting(newest):
        return Next.FOLLOW
    if slots is not None and slots.next_slot_at is not None:
        return Next.WAIT_FOR_SLOT
    if newest is None:
        return Next.UPLOAD_FIRST
    return Next.MEND if own is None else Next.IMPROVE


def _is_waiting(submission: Submission) -> bool:
    evaluation = next(iter(submission.evaluations.all()), None)
    return evaluation is not None and evaluation.status in (Status.QUEUED, Status.RUNNING)
