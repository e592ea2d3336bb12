"""Benchmark versions in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from competition.admin.permissions import OfOwnCompetitions, ReadOnly
from competition.tracks.models import BenchmarkVersion
from scoring.tracks import dump_track


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
        rows: QuerySet[BenchmarkVersion] = (
            super().get_queryset(request).annotate(evaluations_counted=Count("evaluations"))
        )
        return rows

    @admin.display(description="Evaluations")
    def evaluation_count(self, row: Any) -> int:
        return int(row.evaluations_counted)

    @admin.display(description="Current", boolean=True)
    def is_current(self, row: BenchmarkVersion) -> bool:
        return row.track.benchmark_id == row.pk

    @admin.display(description="Track document")
    def document(self, row: BenchmarkVersion) -> SafeString:
        return format_html('<pre class="podium-document">{}</pre>', dump_track(row.document()))

    @admin.display(description="Environment")
    def packages(self, row: BenchmarkVersion) -> str:
        return ", ".join(f"{name} {version}" for name, version in row.environment.items())
