"""Which submission a participant chose to count on the private board."""

from __future__ import annotations

from uuid import UUID

from competition.submissions.models import Participation


def of_track(track_id: int, *, participant_id: int | None = None) -> frozenset[UUID]:
    """Return the submissions that were chosen as final on a track, by everybody or by one participant."""
    rows = Participation.objects.filter(track=track_id, final__isnull=False)
    if participant_id is not None:
        rows = rows.filter(participant=participant_id)
    return frozenset(rows.values_list("final_id", flat=True))
