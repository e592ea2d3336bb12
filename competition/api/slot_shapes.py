"""A participant's quota as the API shows it, with a track and with a submission."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from rest_framework import serializers

from competition.clock import database_now
from competition.submissions import quotas
from competition.tracks.models import Track


class SlotsOutput(serializers.Serializer[Any]):
    """How much of a participant's quota is used."""

    used = serializers.IntegerField()
    allowed = serializers.IntegerField()
    window_hours = serializers.IntegerField()
    next_slot_at = serializers.DateTimeField(allow_null=True, help_text="Null while you can submit.")
    free_rejections = serializers.IntegerField(
        help_text="Rejections before the measure stage that use no slot, in an hour."
    )
    free_rejections_used = serializers.IntegerField(help_text="How many of these came in the last hour.")


def own_slots(participant: AbstractBaseUser, track: Track) -> dict[str, object]:
    """Return what `SlotsOutput` shows of a participant's slots on a track now."""
    slots = quotas.slots(participant=participant, track=track, now=database_now())
    return dict(SlotsOutput(slots).data)
