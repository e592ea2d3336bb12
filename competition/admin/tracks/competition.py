"""Competitions in the admin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from competition.admin.permissions import OfOwnCompetitions
from competition.admin.tracks.competition_form import CompetitionForm
from competition.tracks.access import sees_all
from competition.tracks.models import Competition

WHO_SEES_WHAT: Final = (
    "Organisers see the competition's hidden tracks, private scores, submissions and datasets. Nobody else does, "
    "except superusers."
)


@admin.register(Competition)
class CompetitionAdmin(OfOwnCompetitions, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    form = CompetitionForm
    list_display = ("name", "slug", "is_public", "track_count", "organised_by", "created_at")
    list_filter = ("is_public",)
    search_fields = ("name", "slug")
    prepopulated_fields: ClassVar = {"slug": ("name",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Competition]:
        rows: QuerySet[Competition] = super().get_queryset(request).annotate(tracks_counted=Count("tracks"))
        return rows.prefetch_related("organisers", "organiser_groups")

    def get_fieldsets(self, request: HttpRequest, obj: Competition | None = None) -> Any:
        """Show who organises it; where data may be imported from is for superusers to say."""
        texts = ("name", "slug", "summary", "description", "is_public")
        people = ["organisers"] if obj is not None else []
        may_edit = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        people += ["new_organisers"] if may_edit else []
        sets = [
            (None, {"fields": texts}),
            ("Organisers", {"fields": (*people, "organiser_groups"), "description": WHO_SEES_WHAT}),
        ]
        if sees_all(request.user):
            sets.append(("Data on the server", {"fields": ("server_folder",)}))
        return sets

    def get_form(
        self,
        request: HttpRequest,
        obj: Competition | None = None,
        change: bool = False,
        *,
        fields: Sequence[str] = (),
        **kwargs: Any,
    ) -> Any:
        """Tell the form for whom it is; a new competition has organisers too, though none is listed yet."""
        fields = [*fields, "organisers"]
        form: Any = super().get_form(request, obj, change, fields=fields, **kwargs)
        form.viewer = request.user
        return form

    @admin.display(description="Tracks", ordering="tracks_counted")
    def track_count(self, row: Any) -> int:
        return int(row.tracks_counted)

    @admin.display(description="Organisers")
    def organised_by(self, row: Competition) -> str:
        people = [user.get_username() for user in row.organisers.all()]
        return ", ".join([*people, *(group.name for group in row.organiser_groups.all())]) or "none"
