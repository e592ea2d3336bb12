"""Submissions in the admin: everything to look at, nothing to change."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from competition.admin.long_lists import LongList, OwnTracksFilter, period_of
from competition.admin.permissions import ReadOnly
from competition.admin.submissions.disqualifying import ActsOfCarers, disqualify, disqualify_participants
from competition.admin.submissions.searching import HELP, submissions_found
from competition.submissions.disqualified import with_reasons
from competition.submissions.models import Evaluation, Submission
from scoring.contracts import Status


class EvaluationInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    model = Evaluation
    fields = ("benchmark", "status", "stage", "code", "attempts", "queued_at", "finished_at", "reference")
    readonly_fields = fields
    show_change_link = True
    extra = 0


class StatusFilter(admin.SimpleListFilter):
    """The statuses that an evaluation of the submission may have."""

    title = "status of an evaluation"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(status.value, status.value) for status in Status]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Submission]) -> QuerySet[Submission]:
        evaluations = Evaluation.objects.filter(submission=OuterRef("pk"), status=self.value())
        return queryset.filter(Exists(evaluations)) if self.value() else queryset


@admin.register(Submission)
class SubmissionAdmin(ActsOfCarers, LongList, ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = (
        "short_id",
        "entry_name",
        "participant",
        "track",
        "latest",
        "is_disqualified",
        "created_at",
    )
    nearest = "track"
    sortable_by = ("created_at",)
    list_filter = (period_of("created_at"), ("track", OwnTracksFilter), StatusFilter)
    list_select_related = ("participant", "track")
    search_fields = ("id",)  # what the search does, `get_search_results` says
    search_help_text = HELP
    fields = (
        "id",
        "track",
        "participant",
        "entry_name",
        "entry_bytes",
        "sha256",
        "created_at",
        "why_disqualified",
        "page",
    )
    readonly_fields = fields
    inlines = (EvaluationInline,)
    actions = (disqualify, disqualify_participants)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Submission]:
        rows = with_reasons(super().get_queryset(request))
        return rows.prefetch_related("evaluations__benchmark__track")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Submission], search_term: str
    ) -> tuple[QuerySet[Submission], bool]:
        """Search by what has an index."""
        return (queryset.filter(submissions_found(search_term)) if search_term else queryset), False

    @admin.display(description="Disqualified", boolean=True)
    def is_disqualified(self, row: Any) -> bool:
        return row.disqualified_because is not None

    @admin.display(description="Disqualified because")
    def why_disqualified(self, row: Any) -> str:
        return row.disqualified_because or "it is not"

    @admin.display(description="Id")
    def short_id(self, row: Submission) -> str:
        return row.short_id

    @admin.display(description="Latest evaluation")
    def latest(self, row: Submission) -> str:
        evaluations = sorted(row.evaluations.all(), key=lambda evaluation: evaluation.benchmark.number)
        if not evaluations:
            return "none"
        last = evaluations[-1]
        return f"{last.status} ({last.code})" if last.code else last.status

    @admin.display(description="Page of the submission")
    def page(self, row: Submission) -> SafeString:
        return format_html('<a href="{}">Report, scores and log</a>', row.get_absolute_url())
