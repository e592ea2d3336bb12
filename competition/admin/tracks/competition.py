"""Competitions in the admin."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from competition.tracks.models import Competition


@admin.register(Competition)
class CompetitionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = ("name", "slug", "is_public", "track_count", "created_at")
    list_filter = ("is_public",)
    search_fields = ("name", "slug")
    prepopulated_fields: ClassVar = {"slug": ("name",)}
    fields = ("name", "slug", "summary", "description", "is_public")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Competition]:
        rows: QuerySet[Competition] = super().get_queryset(request).annotate(tracks_counted=Count("tracks"))
        return rows

    @admin.display(description="Tracks", ordering="tracks_counted")
    def track_count(self, row: Any) -> int:
        return int(row.tracks_counted)
