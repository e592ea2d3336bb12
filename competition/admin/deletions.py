"""Deletions in the admin go into the audit trail, with what was deleted."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from competition.audit.models import Act
from competition.audit.recording import columns_of, record
from competition.tracks.models import Competition, Track


class RecordsDeletions(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Competitions or tracks whose deletion is told, one by one."""

    deletion: ClassVar[Act]

    @transaction.atomic
    def delete_model(self, request: HttpRequest, obj: Competition | Track) -> None:
        """Record, then delete."""
        competition_id = obj.competition_id if isinstance(obj, Track) else obj.pk
        record(self.deletion, obj, by=request.user, competition_id=competition_id, before=columns_of(obj))
        super().delete_model(request, obj)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Competition | Track]) -> None:
        """Do so with each of a list."""
        for row in queryset:
            self.delete_model(request, row)
