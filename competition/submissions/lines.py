"""The order of the queue as rows, so that neither a claim nor a place has to read all that waits.

Who submits to a track has a line there. What waits in it stands in lanes: one for each benchmark version and
priority, since those decide which worker may take an entry, and how soon. `lifecycle` is the only writer.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import Q

from competition.tracks.models import BenchmarkVersion, Track

NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""When somebody was served who never was: before everybody else."""
ORDER: Final = ("priority", "served_at", "next_queued_at", "next_evaluation")
"""Which lane of a track comes first: served longest ago, then waiting longest."""


class Line(models.Model):
    """A participant on a track. Whoever changes what waits in it holds the row's lock."""

    track = models.ForeignKey(Track, on_delete=models.CASCADE, related_name="lines")
    participant = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="lines")
    served_at = models.DateTimeField(default=NEVER, help_text="When the last of its evaluations was begun.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["track", "participant"], name="one_line_per_track_and_participant"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["track", "served_at"], name="line_served")]

    def __str__(self) -> str:
        return f"{self.participant} on {self.track}"


class Lane(models.Model):
    """What waits in a line for one benchmark version at one priority: how many, and which is next.

    `served_at` repeats the line's while something waits, so that one index holds the order.
    """

    line = models.ForeignKey(Line, on_delete=models.CASCADE, related_name="lanes")
    # Without an index of its own, which would lead by way of all that was ever emptied: `lane_order` does not.
    benchmark = models.ForeignKey(
        BenchmarkVersion, db_index=False, on_delete=models.CASCADE, related_name="lanes"
    )
    priority = models.PositiveSmallIntegerField()
    waiting = models.PositiveIntegerField(default=0)
    served_at = models.DateTimeField(default=NEVER)
    next_queued_at = models.DateTimeField(null=True)
    next_evaluation = models.BigIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["line", "benchmark", "priority"], name="one_lane_of_each_kind")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["benchmark", *ORDER],
                condition=Q(waiting__gt=0),
                name="lane_order",
            )
        ]

    def __str__(self) -> str:
        return f"{self.waiting} of {self.line} for {self.benchmark}"
