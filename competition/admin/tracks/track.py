"""Tracks in the admin."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import F, ForeignKey, QuerySet
from django.db.models.functions import Coalesce, Now
from django.forms import ModelChoiceField, ModelForm, Script
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from competition.admin.deletions import RecordsDeletions
from competition.admin.permissions import OfOwnCompetitions
from competition.admin.tracks.acts import ACTS
from competition.admin.tracks.documents import new_from_document
from competition.admin.tracks.panel import panel, state
from competition.admin.tracks.track_fieldsets import ONLOOKERS, fieldsets
from competition.admin.tracks.track_form import TrackForm
from competition.audit.models import Act
from competition.audit.recording import columns_of, record_change
from competition.tracks import services
from competition.tracks.access import for_organiser, only_competition_of
from competition.tracks.models import Track
from scoring.contracts import METRIC_FACTS
from scoring.tracks import dump_track


class MetricFilter(admin.SimpleListFilter):
    title = "metric"
    parameter_name = "metric"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(metric.value, facts.title) for metric, facts in METRIC_FACTS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Track]) -> QuerySet[Track]:
        return queryset.filter(body__metric=self.value()) if self.value() else queryset


@admin.register(Track)
class TrackAdmin(OfOwnCompetitions, RecordsDeletions):
    deletion = Act.TRACK_DELETED
    form = TrackForm
    change_form_template = "admin/tracks/track/change_form.html"
    change_list_template = "admin/tracks/track/change_list.html"
    save_on_top = True

    class Media:
        js = (Script("js/track-form.js", defer=True),)

    list_display = ("name", "state", "metric", "dataset", "version", "submission_count", "competition")
    list_filter = ("is_open", ("competition", admin.RelatedOnlyFieldListFilter), MetricFilter)
    list_select_related = ("competition", "dataset", "benchmark", "benchmark__track")
    search_fields = ("name", "slug")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Track]:
        rows: QuerySet[Track] = super().get_queryset(request)
        return rows.annotate(submissions_counted=Coalesce(F("counts__submissions"), 0), asked_at=Now())

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        """Offer competitions and datasets of the viewer's own: a track moves between those, and uses those."""
        rows = db_field.related_model._default_manager.all()
        own = for_organiser(rows, request.user)
        return super().formfield_for_foreignkey(db_field, request, queryset=own, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Choose the competition of a new track, if the viewer has only one."""
        only = only_competition_of(request.user)
        chosen = {"competition": only.pk} if only else {}
        return {**chosen, **super().get_changeform_initial_data(request)}

    @admin.display(description="Metric", ordering="body__metric")
    def metric(self, row: Track) -> str:
        name = str(row.body.get("metric", ""))
        return next((facts.title for metric, facts in METRIC_FACTS.items() if metric == name), name)

    @admin.display(description="State", ordering="is_open")
    def state(self, row: Any) -> str:
        return state(row, row.asked_at)

    @admin.display(description="Version", ordering="benchmark__number")
    def version(self, row: Track) -> int | None:
        return row.benchmark.number if row.benchmark else None

    @admin.display(description="Submissions", ordering="submissions_counted")
    def submission_count(self, row: Any) -> int:
        return int(row.submissions_counted)

    def get_readonly_fields(self, request: HttpRequest, obj: Track | None = None) -> tuple[str, ...]:
        """Fix the address of a track that has submissions: links and stored entries carry it."""
        fixed = ("slug",) if obj is not None and obj.submissions.exists() else ()
        return fixed if self._may_edit(request, obj) else (*fixed, "document")

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: Track | None = None
    ) -> dict[str, Sequence[str]]:
        return {"slug": ("name",)} if obj is None else {}

    def get_fieldsets(self, request: HttpRequest, obj: Track | None = None) -> Any:
        """Show who may only look the document instead of the form."""
        return fieldsets(obj) if self._may_edit(request, obj) else ONLOOKERS

    def _may_edit(self, request: HttpRequest, obj: Track | None) -> bool:
        return self.has_add_permission(request) if obj is None else self.has_change_permission(request, obj)

    @admin.display(description="Track document")
    def document(self, row: Track) -> SafeString:
        return format_html('<pre class="podium-document">{}</pre>', dump_track(row.document()))

    def save_model(self, request: HttpRequest, obj: Track, form: ModelForm[Track], change: bool) -> None:
        """Save, and keep the benchmark version true as long as nothing was evaluated on it."""
        before = columns_of(Track.objects.get(pk=obj.pk)) if change else {}
        super().save_model(request, obj, form, change)
        if obj.benchmark is not None and obj.dataset is not None and not services.has_evaluations(obj):
            services.renew_benchmark(track=obj)
        act = Act.TRACK_EDITED if change else Act.TRACK_CREATED
        after = columns_of(Track.objects.get(pk=obj.pk))
        record_change(act, obj, before, after, by=request.user, competition_id=obj.competition_id)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        track = self.get_object(request, object_id)
        above = panel(track, may_change=self.has_change_permission(request, track)) if track else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **above})

    def get_urls(self) -> list[URLPattern]:
        def act(route: str, view: Any, name: str) -> URLPattern:
            wrapped = self.admin_site.admin_view(partial(view, self))
            return path(route, wrapped, name=f"tracks_track_{name}")

        own = [
            act("from-document/", new_from_document, "from_document"),
            *(act(f"<int:pk>/{name}/", view, name) for name, view in ACTS.items()),
        ]
        return [*own, *super().get_urls()]
