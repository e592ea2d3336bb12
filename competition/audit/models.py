"""One row for each act that changes what others see. A row is written with the act and never again."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models


class Act(StrEnum):
    """What was done. The names are stable: exports and filters use them."""

    COMPETITION_CREATED = "competition.created"
    COMPETITION_EDITED = "competition.edited"
    COMPETITION_DELETED = "competition.deleted"
    ORGANISERS_CHANGED = "competition.organisers_changed"
    TRACK_CREATED = "track.created"
    TRACK_EDITED = "track.edited"
    TRACK_OPENED = "track.opened"
    TRACK_CLOSED = "track.closed"
    TRACK_DELETED = "track.deleted"
    TRACK_PAUSED = "track.paused"
    TRACK_RESUMED = "track.resumed"
    BOARD_SHOWN = "track.board_shown"
    TRACK_PUBLISHED = "track.published"
    DATASET_IMPORTED = "dataset.imported"
    DATASET_DELETED = "dataset.deleted"
    DATASET_ASSIGNED = "dataset.assigned"
    EVALUATION_CANCELLED = "evaluation.cancelled"
    EVALUATION_QUEUED_AGAIN = "evaluation.queued_again"
    QUARANTINED = "submission.quarantined"
    RELEASED = "submission.released"
    DISQUALIFIED = "submission.disqualified"
    REINSTATED = "submission.reinstated"
    PARTICIPANT_DISQUALIFIED = "participant.disqualified"
    PARTICIPANT_REINSTATED = "participant.reinstated"
    WORKER_DRAINED = "worker.drained"
    WORKER_RESUMED = "worker.resumed"
    BASELINE_CHANGED = "submission.baseline_changed"
    ACCOUNT_CHANGED = "account.changed"


class AppendOnly(models.QuerySet["AuditRecord"]):
    """Rows that are added and read, nothing else."""

    def update(self, **fields: Any) -> NoReturn:
        """Refuse."""
        raise TypeError("the audit trail is append-only")

    def delete(self) -> NoReturn:
        """Refuse."""
        raise TypeError("the audit trail is append-only")


class AuditRecord(models.Model):
    """An act: by whom, on what, and what it changed.

    Nothing holds it to the rows it names, which may go: it keeps their names, and no foreign key touches it.
    """

    at = models.DateTimeField(db_index=True, help_text="By the database's clock.")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="+",
    )
    actor_name = models.CharField(max_length=150, help_text="Empty for a command on the server.")
    act = models.CharField(max_length=40)
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=40)
    object_name = models.CharField(max_length=200)
    competition = models.ForeignKey(
        "tracks.Competition", on_delete=models.DO_NOTHING, db_constraint=False, null=True, related_name="+"
    )
    before = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    after = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    reason = models.TextField(default="")

    objects = AppendOnly.as_manager()

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]
        indexes: ClassVar = [
            models.Index(fields=["object_type", "object_id"], name="audit_by_object"),
            models.Index(fields=["competition", "at"], name="audit_by_competition"),
            models.Index(fields=["act", "at"], name="audit_by_act"),
        ]

    def __str__(self) -> str:
        return f"{self.act}: {self.object_name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the row; refuse to write one again."""
        if not self._state.adding:
            raise TypeError("the audit trail is append-only")
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise TypeError("the audit trail is append-only")
