"""Evaluations in the admin: everything to look at, nothing to write."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.db import connection
from django.db.models import QuerySet
from django.forms import BaseModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from competition.admin.long_lists import LongList, OwnTracksFilter, period_of
from competition.admin.permissions import NeverAddedOrDeleted, ReadOnly
from competition.admin.submissions.acts import cancel, rescore, retry
from competition.admin.submissions.searching import HELP, keys_found
from competition.submissions.models import Evaluation, Score
from scoring.contracts import Finding
from scoring.errors import render_stored


def occurring_codes(benchmarks: list[int] | None) -> list[str]:
    """Return the codes that evaluations have, of some benchmark versions or of all, in their order.

    From each code the next one is looked up in the index: `DISTINCT` would read all rows.
    """
    own = "" if benchmarks is None else f"AND benchmark_id IN ({', '.join(map(str, benchmarks)) or 'NULL'})"
    least = f"SELECT MIN(code) FROM submissions_evaluation WHERE code <> '' AND code > %s {own}"  # noqa: S608  # of numbers
    following = least.replace("%s", "found.code")
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE found(code) AS ({least} UNION ALL SELECT ({following}) FROM found "  # noqa: S608
            "WHERE found.code IS NOT NULL) SELECT code FROM found WHERE code IS NOT NULL",
            [""],
        )
        return [code for (code,) in cursor.fetchall()]


class CodeFilter(admin.SimpleListFilter):
    """The codes that occur."""

    title = "code"
    parameter_name = "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(code, code) for code in occurring_codes(model_admin.own_keys(request))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Evaluation]) -> QuerySet[Evaluation]:
        return queryset.filter(code=self.value()) if self.value() else queryset


class ScoreInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    model = Score
    fields = ("metric", "split", "value", "ci_low", "ci_high", "version", "details")
    readonly_fields = fields
    extra = 0


@admin.register(Evaluation)
class EvaluationAdmin(LongList, NeverAddedOrDeleted, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = (
        "row",
        "participant",
        "benchmark",
        "progress",
        "code",
        "reference",
        "queued_at",
    )
    nearest = "benchmark"
    sortable_by = ("queued_at",)
    list_filter = (
        period_of("queued_at"),
        "status",
        CodeFilter,
        ("benchmark__track", OwnTracksFilter),
        "priority",
    )
    list_select_related = ("submission__participant", "submission__track", "benchmark__track")
    search_fields = ("reference",)  # what the search does, `get_search_results` says
    search_help_text = HELP
    inlines = (ScoreInline,)
    actions = (cancel, retry, rescore)
    fieldsets = (
        (None, {"fields": ("submission_link", "participant", "benchmark", "priority")}),
        ("State", {"fields": ("status", "stage", "code", "found", "cancel_requested")}),
        ("Fault", {"fields": ("reference", "fault_text", "attempts")}),
        (
            "Times and lease",
            {
                "fields": (
                    "queued_at",
                    "not_before",
                    "started_at",
                    "finished_at",
                    "lease_owner",
                    "lease_expires_at",
                    "fence",
                )
            },
        ),
        ("Measured", {"classes": ("collapse",), "fields": ("usage_text", "report_text")}),
        ("Log of the measure stage", {"classes": ("collapse",), "fields": ("log_text",)}),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Evaluation], search_term: str
    ) -> tuple[QuerySet[Evaluation], bool]:
        """Search by the submissions that are found."""
        return (queryset.filter(submission__in=keys_found(search_term)) if search_term else queryset), False

    def get_readonly_fields(self, request: HttpRequest, obj: Evaluation | None = None) -> list[str]:
        """Show every field and let none be written: lifecycle is the only writer."""
        return [str(name) for _, options in self.fieldsets for name in options["fields"]]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show no buttons that save: there is nothing to save."""
        hidden = {
            "title": "Evaluation",
            "show_save": False,
            "show_save_and_continue": False,
            "show_save_and_add_another": False,
        }
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **hidden})

    def save_model(
        self, request: HttpRequest, obj: Evaluation, form: BaseModelForm[Evaluation], change: bool
    ) -> None:
        """Write nothing, whatever was posted."""

    @admin.display(description="Submission")
    def row(self, evaluation: Evaluation) -> str:
        return evaluation.submission.short_id

    @admin.display(description="Submission")
    def submission_link(self, evaluation: Evaluation) -> SafeString:
        address = reverse("admin:submissions_submission_change", args=[evaluation.submission_id])
        return format_html('<a href="{}">{}</a>', address, evaluation.submission)

    @admin.display(description="Participant")
    def participant(self, evaluation: Evaluation) -> str:
        return evaluation.submission.participant.get_username()

    @admin.display(description="Status")
    def progress(self, evaluation: Evaluation) -> str:
        return f"{evaluation.status}: {evaluation.stage}" if evaluation.stage else evaluation.status

    @admin.display(description="Findings")
    def found(self, evaluation: Evaluation) -> SafeString | str:
        rows = format_html_join(
            "", "<li><code>{}</code> {}: {}</li>", (_sentence(finding) for finding in evaluation.findings)
        )
        return format_html("<ul>{}</ul>", rows) if evaluation.findings else "none"

    @admin.display(description="What happened")
    def fault_text(self, evaluation: Evaluation) -> SafeString | str:
        return _preformatted(evaluation.fault)

    @admin.display(description="Log")
    def log_text(self, evaluation: Evaluation) -> SafeString | str:
        return _preformatted(evaluation.log)

    @admin.display(description="Usage")
    def usage_text(self, evaluation: Evaluation) -> SafeString | str:
        return _preformatted(json.dumps(evaluation.usage, indent=2) if evaluation.usage else "")

    @admin.display(description="Report")
    def report_text(self, evaluation: Evaluation) -> SafeString | str:
        return _preformatted(json.dumps(evaluation.report, indent=2) if evaluation.report else "")


def _sentence(stored: dict[str, Any]) -> tuple[str, str, str]:
    finding = render_stored(Finding(code=stored["code"], path=stored["path"], facts=stored["facts"]))
    return finding.code, finding.path or "entry", finding.message


def _preformatted(text: str) -> SafeString | str:
    return format_html('<pre class="podium-log">{}</pre>', text) if text else "–"
