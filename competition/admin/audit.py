"""The audit trail in the admin: to look at, to filter and to take away as CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from competition.admin.long_lists import LongList, period_of
from competition.admin.permissions import ReadOnly
from competition.audit.models import Act, AuditRecord
from competition.csv_cells import UTF8_MARK, Echo, inert
from competition.tracks.access import competitions_of

COLUMNS: Final = (
    "at",
    "actor",
    "act",
    "object_type",
    "object_id",
    "object_name",
    "competition",
    "before",
    "after",
    "reason",
)
ROWS_AT_ONCE: Final = 500


class ActFilter(admin.SimpleListFilter):
    """What was done."""

    title = "act"
    parameter_name = "act"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(act.value, act.value) for act in Act]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditRecord]) -> QuerySet[AuditRecord]:
        return queryset.filter(act=self.value()) if self.value() else queryset


class OwnCompetitionsFilter(admin.SimpleListFilter):
    """The competitions that the viewer organises."""

    title = "competition"
    parameter_name = "competition"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(own.pk), own.name) for own in competitions_of(request.user).order_by("name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditRecord]) -> QuerySet[AuditRecord]:
        chosen = self.value() or ""
        return queryset.filter(competition=int(chosen)) if chosen.isdecimal() else queryset


@admin.register(AuditRecord)
class AuditRecordAdmin(LongList, ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    change_list_template = "admin/audit/change_list.html"
    list_display = ("at", "who", "act", "object_name", "competition", "reason")
    nearest = "competition"
    sortable_by = ("at",)
    list_filter = (period_of("at"), ActFilter, OwnCompetitionsFilter)
    list_select_related = ("competition",)
    search_fields = ("actor_name", "object_name", "object_id", "reason")
    search_help_text = "Who acted, name or id of what was changed, or a word of the reason."
    actions = None
    fields = (
        "at",
        "who",
        "act",
        "object_type",
        "object_id",
        "object_name",
        "competition",
        "was",
        "became",
        "reason",
    )

    def has_view_permission(self, request: HttpRequest, obj: AuditRecord | None = None) -> bool:
        """Show it to those who may change competitions, of their own alone."""
        return request.user.has_perm("tracks.change_competition")

    @admin.display(description="Who", ordering="actor_name")
    def who(self, row: AuditRecord) -> str:
        return row.actor_name or "a command on the server"

    @admin.display(description="Before")
    def was(self, row: AuditRecord) -> SafeString:
        return _preformatted(row.before)

    @admin.display(description="After")
    def became(self, row: AuditRecord) -> SafeString:
        return _preformatted(row.after)

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """Answer with the rows that the filters leave, as CSV."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = self.get_changelist_instance(request).get_queryset(request)
        answer = StreamingHttpResponse(
            chain([UTF8_MARK], csv_lines(rows)), content_type="text/csv; charset=utf-8"
        )
        answer.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
        return answer

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export)
        return [path("export/", view, name="audit_auditrecord_export"), *super().get_urls()]


def csv_lines(rows: QuerySet[AuditRecord]) -> Iterator[str]:
    """Yield the trail's rows, a few of them in memory at a time."""
    line: Callable[[Iterable[object]], str] = csv.writer(Echo(), lineterminator="\n").writerow
    yield line(COLUMNS)
    for row in rows.iterator(chunk_size=ROWS_AT_ONCE):
        texts = (row.actor_name, row.act, row.object_type, row.object_id, row.object_name)
        competition = row.competition.slug if row.competition else ""
        facts = (json.dumps(facts, ensure_ascii=False) for facts in (row.before, row.after))
        yield line([row.at.isoformat(), *map(inert, texts), competition, *facts, inert(row.reason)])


def _preformatted(facts: dict[str, Any]) -> SafeString:
    text = json.dumps(facts, indent=2, ensure_ascii=False, sort_keys=True)
    return format_html('<pre class="podium-document">{}</pre>', text)
