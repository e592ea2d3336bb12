"""Benchmark versions in the admin."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.db.models import IntegerField, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from competition.admin.permissions import OfOwnCompetitions, ReadOnly
from competition.submissions.models import Evaluation
from competition.tracks.models import BenchmarkVersion
from scoring.tracks import dump_track

MOST_COUNTED: Final = 1_000


class _CountOf(Subquery):
    """How many rows a query finds."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


@admin.register(BenchmarkVersion)
class BenchmarkVersionAdmin(OfOwnCompetitions, ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = ("__str__", "dataset", "metric_version", "evaluation_count", "is_current", "created_at")
    list_filter = (("track", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("track", "dataset")
    search_fields = ("digest", "track__slug")
    fields = (
        "track",
        "number",
        "dataset",
        "reader_version",
        "metric_version",
        "packages",
        "digest",
        "spec_digest",
        "document",
        "created_at",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[BenchmarkVersion]:
        own = Evaluation.objects.filter(benchmark=OuterRef("pk")).order_by()
        some = own.values("pk")[: MOST_COUNTED + 1]
        rows: QuerySet[BenchmarkVersion] = (
            super().get_queryset(request).annotate(evaluations_counted=_CountOf(some))
        )
        return rows

    @admin.display(description="Evaluations")
    def evaluation_count(self, row: Any) -> str:
        found = row.evaluations_counted
        return f"more than {MOST_COUNTED:,}" if found > MOST_COUNTED else f"{found:,}"

    @admin.display(description="Current", boolean=True)
    def is_current(self, row: BenchmarkVersion) -> bool:
        return row.track.benchmark_id == row.pk

    @admin.display(description="Track document")
    def document(self, row: BenchmarkVersion) -> SafeString:
        return format_html('<pre class="podium-document">{}</pre>', dump_track(row.document()))

    @admin.display(description="Environment")
    def packages(self, row: BenchmarkVersion) -> str:
        return ", ".join(f"{name} {version}" for name, version in row.environment.items())
