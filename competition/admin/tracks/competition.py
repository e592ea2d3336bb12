"""Competitions in the admin."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar, Final

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path

from competition.admin.deletions import RecordsDeletions
from competition.admin.permissions import OfOwnCompetitions
from competition.admin.tracks.competition_form import CompetitionForm
from competition.admin.tracks.competition_inlines import Milestones, NewsItems, Pictures, told_of
from competition.admin.tracks.markdown_fields import preview
from competition.audit.models import Act
from competition.audit.recording import columns_of, record_change
from competition.tracks.access import sees_all
from competition.tracks.models import Competition

WHO_SEES_WHAT: Final = (
    "Organisers see the competition's hidden tracks, private scores, submissions and datasets. Nobody else does, "
    "except superusers."
)


@admin.register(Competition)
class CompetitionAdmin(OfOwnCompetitions, RecordsDeletions):
    deletion = Act.COMPETITION_DELETED
    form = CompetitionForm
    list_display = ("name", "slug", "is_public", "track_count", "organised_by", "created_at")
    list_filter = ("is_public",)
    search_fields = ("name", "slug")
    prepopulated_fields: ClassVar = {"slug": ("name",)}
    inlines = (Milestones, NewsItems, Pictures)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Competition]:
        rows: QuerySet[Competition] = super().get_queryset(request).annotate(tracks_counted=Count("tracks"))
        return rows.prefetch_related("organisers", "organiser_groups")

    def get_fieldsets(self, request: HttpRequest, obj: Competition | None = None) -> Any:
        """Show who organises it; where data may be imported from is for superusers to say."""
        facts = ("name", "slug", "summary", "host", "prize", "results_at", "picture", "is_public")
        texts = ("description", "about_data", "rules")
        people = ["organisers"] if obj is not None else []
        may_edit = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        people += ["new_organisers"] if may_edit else []
        sets = [
            (None, {"fields": facts}),
            ("Texts", {"fields": texts}),
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

    def save_model(self, request: HttpRequest, obj: Competition, form: Any, change: bool) -> None:
        """Keep what there was for the audit trail; who organises it is saved after this."""
        stored = Competition.objects.filter(pk=obj.pk).first()
        form.before = ({**columns_of(stored), **told_of(stored)}, people_of(stored)) if stored else ({}, {})
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save who organises it, and record what changed."""
        super().save_related(request, form, formsets, change)
        row, (columns, people) = form.instance, form.before
        act = Act.COMPETITION_EDITED if change else Act.COMPETITION_CREATED
        who: dict[str, Any] = {"by": request.user, "competition_id": row.pk}
        record_change(act, row, columns, {**columns_of(row), **told_of(row)}, **who)
        record_change(Act.ORGANISERS_CHANGED, row, people, people_of(row), **who)

    def get_urls(self) -> list[URLPattern]:
        wrapped = self.admin_site.admin_view(partial(preview, self))
        return [path("preview/", wrapped, name="tracks_competition_preview"), *super().get_urls()]

    @admin.display(description="Tracks", ordering="tracks_counted")
    def track_count(self, row: Any) -> int:
        return int(row.tracks_counted)

    @admin.display(description="Organisers")
    def organised_by(self, row: Competition) -> str:
        people = [user.get_username() for user in row.organisers.all()]
        return ", ".join([*people, *(group.name for group in row.organiser_groups.all())]) or "none"


def people_of(competition: Competition) -> dict[str, list[str]]:
    """Return who organises a competition, by name and by group."""
    people = competition.organisers.order_by("username").values_list("username", flat=True)
    groups = competition.organiser_groups.order_by("name").values_list("name", flat=True)
    return {"organisers": list(people), "groups": list(groups)}
