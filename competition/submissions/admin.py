"""Submissions and evaluations in the admin: everything to look at, and the three acts of staff."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.forms import BaseModelForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from competition.submissions import services
from competition.submissions.models import Evaluation, Score, Submission
from competition.tracks import publishing
from competition.tracks.models import Track
from scoring.codes import CODES
from scoring.contracts import Finding
from scoring.errors import render


class ReadOnlyRows:
    """Rows that only the program writes."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class EvaluationInline(ReadOnlyRows, admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    model = Evaluation
    fields = ("benchmark", "status", "stage", "code", "attempts", "queued_at", "finished_at", "reference")
    readonly_fields = fields
    show_change_link = True
    extra = 0

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Submission)
class SubmissionAdmin(ReadOnlyRows, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = ("short_id", "entry_name", "participant", "track", "latest", "created_at")
    list_filter = ("track", "evaluations__status")
    list_select_related = ("participant", "track")
    search_fields = (
        "id",
        "entry_name",
        "participant__username",
        "participant__email",
        "sha256",
        "evaluations__reference",
    )
    search_help_text = "Id, file name, participant, sha256 of the entry, or a reference id."
    date_hierarchy = "created_at"
    fields = ("id", "track", "participant", "entry_name", "entry_bytes", "sha256", "created_at", "page")
    readonly_fields = fields
    inlines = (EvaluationInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Submission]:
        return super().get_queryset(request).prefetch_related("evaluations__benchmark__track")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @admin.display(description="Id", ordering="id")
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


class CodeFilter(admin.SimpleListFilter):
    """The codes that occur, with how often."""

    title = "code"
    parameter_name = "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        used = Evaluation.objects.exclude(code="").order_by("code").values_list("code", flat=True).distinct()
        return [(code, code) for code in used]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Evaluation]) -> QuerySet[Evaluation]:
        return queryset.filter(code=self.value()) if self.value() else queryset


class ScoreInline(ReadOnlyRows, admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    model = Score
    fields = ("metric", "split", "value", "ci_low", "ci_high", "version", "details")
    readonly_fields = fields
    extra = 0

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Evaluation)
class EvaluationAdmin(ReadOnlyRows, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = (
        "row",
        "participant",
        "benchmark",
        "progress",
        "code",
        "reference",
        "queued_at",
    )
    list_filter = ("status", CodeFilter, "benchmark__track", "priority")
    list_select_related = ("submission__participant", "submission__track", "benchmark__track")
    search_fields = (
        "reference",
        "submission__id",
        "submission__participant__username",
        "submission__entry_name",
    )
    search_help_text = "Reference id of a fault, submission id, participant, or file name."
    date_hierarchy = "queued_at"
    inlines = (ScoreInline,)
    actions = ("cancel", "retry", "rescore")
    fieldsets = (
        (None, {"fields": ("submission_link", "participant", "benchmark", "priority")}),
        ("State", {"fields": ("status", "stage", "code", "found", "cancel_requested")}),
        ("Fault", {"fields": ("reference", "fault_text", "attempts")}),
        (
            "Times and lease",
            {
                "fields": (
                    "queued_at",
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

    @admin.display(description="Submission", ordering="submission")
    def row(self, evaluation: Evaluation) -> str:
        return evaluation.submission.short_id

    @admin.display(description="Submission")
    def submission_link(self, evaluation: Evaluation) -> SafeString:
        address = reverse("admin:submissions_submission_change", args=[evaluation.submission_id])
        return format_html('<a href="{}">{}</a>', address, evaluation.submission)

    @admin.display(description="Participant", ordering="submission__participant")
    def participant(self, evaluation: Evaluation) -> str:
        return evaluation.submission.participant.get_username()

    @admin.display(description="Status", ordering="status")
    def progress(self, evaluation: Evaluation) -> str:
        return f"{evaluation.status}: {evaluation.stage}" if evaluation.stage else evaluation.status

    @admin.display(description="Findings")
    def found(self, evaluation: Evaluation) -> SafeString | str:
        findings = [finding for finding in evaluation.findings if finding.get("code") in CODES]
        rows = format_html_join(
            "", "<li><code>{}</code> {}: {}</li>", (_sentence(finding) for finding in findings)
        )
        return format_html("<ul>{}</ul>", rows) if findings else "none"

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

    @admin.action(description="Cancel", permissions=["change"])
    def cancel(self, request: HttpRequest, chosen: QuerySet[Evaluation]) -> HttpResponse | None:
        """Ask, then cancel those that have not ended."""
        if "confirmed" not in request.POST:
            return _confirm(
                self, request, chosen, act="cancel", sentence="These evaluations will be cancelled."
            )
        cancelled = sum(services.cancel_evaluation(evaluation=evaluation) for evaluation in chosen)
        _tell(request, cancelled, "cancelled, or asked to stop", chosen.count())
        return None

    @admin.action(description="Retry failed", permissions=["change"])
    def retry(self, request: HttpRequest, chosen: QuerySet[Evaluation]) -> HttpResponse | None:
        """Ask, then queue again those that failed by a fault of ours."""
        if "confirmed" not in request.POST:
            sentence = "Those of these evaluations that failed will be queued again."
            return _confirm(self, request, chosen, act="retry", sentence=sentence)
        queued = sum(services.retry_failed(evaluation=evaluation) for evaluation in chosen)
        _tell(request, queued, "queued again", chosen.count())
        return None

    @admin.action(description="Rescore their tracks", permissions=["change"])
    def rescore(self, request: HttpRequest, chosen: QuerySet[Evaluation]) -> HttpResponse | None:
        """Lead to the pages that explain and do it: rescoring is an act on a whole track."""
        tracks = Track.objects.filter(submissions__evaluations__in=chosen).distinct()
        for track in tracks:
            address = reverse("admin:tracks_track_publish", args=[track.pk])
            count = publishing.submissions_to_rescore(track)
            messages.info(
                request,
                format_html(
                    '<a href="{}">{}: publish and rescore {} submissions</a>', address, track.name, count
                ),
            )
        return None


def _sentence(stored: dict[str, Any]) -> tuple[str, str, str]:
    finding = render(Finding(code=stored["code"], path=stored.get("path", ""), facts=stored.get("facts", {})))
    return finding.code, finding.path or "entry", finding.message


def _preformatted(text: str) -> SafeString | str:
    return format_html('<pre class="podium-log">{}</pre>', text) if text else "–"


def _confirm(
    model_admin: admin.ModelAdmin[Evaluation],
    request: HttpRequest,
    chosen: QuerySet[Evaluation],
    *,
    act: str,
    sentence: str,
) -> HttpResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": f"{act.capitalize()} {chosen.count():,} evaluations",
        "sentence": sentence,
        "chosen": chosen,
        "act": act,
    }
    return TemplateResponse(request, "admin/submissions/confirm.html", context)


def _tell(request: HttpRequest, done: int, what: str, asked: int) -> None:
    left = asked - done
    messages.success(request, f"{done:,} evaluations were {what}.")
    if left:
        messages.warning(request, f"{left:,} were left as they are, for their status does not allow it.")
