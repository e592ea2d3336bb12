"""Datasets in the admin: their sizes and kinds, never their contents."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from competition.admin.permissions import OfOwnCompetitions, ReadOnly
from competition.admin.tracks.imports import import_without_track
from competition.tracks.access import competitions_of, for_organiser
from competition.tracks.models import Dataset, Track
from competition.tracks.templatetags.podium import binary_bytes
from scoring.contracts import Split

SHOWN_CLASSES = 200


@admin.register(Dataset)
class DatasetAdmin(OfOwnCompetitions, ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    change_list_template = "admin/tracks/dataset/change_list.html"
    list_display = (
        "name",
        "samples",
        "public",
        "private_samples",
        "size",
        "owner",
        "used_by",
        "created_at",
    )
    list_select_related = ("competition",)
    search_fields = ("name", "digest")
    fields = (
        "name",
        "samples",
        "public",
        "private_samples",
        "classes",
        "size",
        "digest",
        "owner",
        "used_by",
        "created_at",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dataset]:
        own = for_organiser(Track.objects.all(), request.user)
        owner = competitions_of(request.user).filter(pk=OuterRef("competition"))
        rows: QuerySet[Dataset] = super().get_queryset(request).annotate(is_own=Exists(owner))
        return rows.prefetch_related(Prefetch("tracks", queryset=own, to_attr="own_tracks"))

    @admin.display(description="Public samples")
    def public(self, row: Dataset) -> int:
        return row.samples - row.private_samples

    @admin.display(description="Size")
    def size(self, row: Dataset) -> str:
        return binary_bytes(row.archive_bytes)

    @admin.display(description="Competition")
    def owner(self, row: Any) -> str:
        """Name the competition to its organisers: who uses its dataset may not even know that it exists."""
        if row.competition is None:
            return "none"
        return str(row.competition) if row.is_own else "another one"

    @admin.display(description="Tracks")
    def used_by(self, row: Any) -> str:
        return ", ".join(track.name for track in row.own_tracks) or "none"

    @admin.display(description="Samples of each class")
    def classes(self, row: Dataset) -> SafeString | str:
        public, private = row.labels(Split.PUBLIC), row.labels(Split.PRIVATE)
        labels = sorted(public.keys() | private.keys())
        if not labels:
            return "not counted in masks"
        rows = format_html_join(
            "",
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            (
                (label, f"{public.get(label, 0):,}", f"{private.get(label, 0):,}")
                for label in labels[:SHOWN_CLASSES]
            ),
        )
        more = f"… and {len(labels) - SHOWN_CLASSES:,} more classes" if len(labels) > SHOWN_CLASSES else ""
        head = "<thead><tr><th>Label</th><th>Public</th><th>Private</th></tr></thead>"
        return format_html(
            '<table class="podium-table">{}<tbody>{}</tbody></table>{}', SafeString(head), rows, more
        )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(partial(import_without_track, self))
        return [path("import/", view, name="tracks_dataset_import"), *super().get_urls()]
