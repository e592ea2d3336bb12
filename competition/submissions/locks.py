"""The one lock that acts on several rows take first: the participant's."""

from __future__ import annotations

from django.contrib.auth import get_user_model


def lock_participant(participant_id: int) -> None:
    """Hold the participant until the transaction ends.

    Uploads, claims and results of one participant happen one after another, so that a count read
    under the lock is still true when something is written because of it. On SQLite the immediate
    transaction is the lock. `no_key` leaves others free to insert rows that refer to the participant.
    """
    get_user_model().objects.select_for_update(no_key=True).values_list("pk").get(pk=participant_id)
