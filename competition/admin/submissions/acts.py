"""The three acts of staff on evaluations; those that cannot be taken back ask first."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

from competition import publishing
from competition.submissions import services
from competition.submissions.models import Evaluation
from competition.tracks.models import Track


@admin.action(description="Cancel", permissions=["change"])
def cancel(
    model_admin: admin.ModelAdmin[Evaluation], request: HttpRequest, chosen: QuerySet[Evaluation]
) -> HttpResponse | None:
    """Ask, then cancel those that have not ended."""
    if "confirmed" not in request.POST:
        return _confirm(
            model_admin, request, chosen, act="cancel", sentence="These evaluations will be cancelled."
        )
    cancelled = sum(
        services.cancel_evaluation(evaluation=evaluation, by=request.user) for evaluation in chosen
    )
    _tell(request, cancelled, "cancelled or asked to stop", chosen.count())
    return None


@admin.action(description="Queue failed and cancelled again", permissions=["change"])
def retry(
    model_admin: admin.ModelAdmin[Evaluation], request: HttpRequest, chosen: QuerySet[Evaluation]
) -> HttpResponse | None:
    """Ask, then queue again those that failed by a fault of ours or were cancelled."""
    if "confirmed" not in request.POST:
        sentence = "The failed and cancelled ones among these evaluations will be queued again."
        return _confirm(model_admin, request, chosen, act="retry", sentence=sentence)
    queued = sum(services.retry(evaluation=evaluation, by=request.user) for evaluation in chosen)
    _tell(request, queued, "queued again", chosen.count())
    return None


@admin.action(description="Rescore their tracks", permissions=["change"])
def rescore(
    model_admin: admin.ModelAdmin[Evaluation], request: HttpRequest, chosen: QuerySet[Evaluation]
) -> HttpResponse | None:
    """Lead to the pages that explain and do it: rescoring is an act on a whole track."""
    named = set(chosen.values_list("benchmark__track", flat=True))
    tracks = Track.objects.filter(pk__in=named)
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
        messages.warning(request, f"{left:,} were left alone, because their status does not allow it.")
