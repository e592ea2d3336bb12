"""Disqualifying and reinstating in the admin: a page asks for the reason, and lists whom it concerns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from competition.admin.permissions import OfOwnCompetitions, ReadOnly
from competition.leaderboard import disqualifying
from competition.submissions.models import Disqualification, Submission

MAX_REASON: Final = 1000


class ActsOfCarers:
    """Rows that only those act on who may cancel evaluations, too."""

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer, and accept, no act of anybody else."""
        may = request.user.has_perm("submissions.change_evaluation")
        return super().get_actions(request) if may else {}  # type: ignore[misc]  # of the ModelAdmin behind it


class ReasonForm(forms.Form):
    """Why. Nothing happens without a reason."""

    reason = forms.CharField(
        max_length=MAX_REASON,
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
        help_text="The participant reads it, and it stays in the audit trail.",
    )


@admin.action(description="Disqualify these submissions")
def disqualify(
    model_admin: admin.ModelAdmin[Submission], request: HttpRequest, chosen: QuerySet[Submission]
) -> HttpResponse | None:
    """Ask for the reason, then take the submissions off the boards."""

    def act(reason: str) -> int:
        return sum(
            disqualifying.disqualify_submission(submission=row, reason=reason, by=request.user)
            for row in chosen
        )

    return _ask_then(
        act,
        model_admin,
        request,
        chosen,
        action="disqualify",
        title="Disqualify submissions",
        sentence="No board will show these submissions; their participants' next best ones take their places.",
    )


@admin.action(description="Disqualify their participants")
def disqualify_participants(
    model_admin: admin.ModelAdmin[Submission], request: HttpRequest, chosen: QuerySet[Submission]
) -> HttpResponse | None:
    """Ask for the reason, then take the participants off all boards of the competition."""
    pairs = {(row.participant, row.track.competition) for row in chosen}
    shown = sorted(f"{participant.get_username()} in {competition}" for participant, competition in pairs)

    def act(reason: str) -> int:
        return sum(
            disqualifying.disqualify_participant(
                participant=participant, competition=competition, reason=reason, by=request.user
            )
            for participant, competition in pairs
        )

    return _ask_then(
        act,
        model_admin,
        request,
        chosen,
        action="disqualify_participants",
        title="Disqualify participants",
        sentence="No board of the competition will show these participants, and they cannot submit to it any more.",
        shown=shown,
    )


@admin.action(description="Reinstate")
def reinstate(
    model_admin: admin.ModelAdmin[Disqualification], request: HttpRequest, chosen: QuerySet[Disqualification]
) -> HttpResponse | None:
    """Ask for the reason, then put them back on the boards."""

    def act(reason: str) -> int:
        return sum(
            disqualifying.reinstate(disqualification=row, reason=reason, by=request.user) for row in chosen
        )

    return _ask_then(
        act,
        model_admin,
        request,
        chosen,
        action="reinstate",
        title="Reinstate",
        sentence="The boards will be as if these had never been disqualified.",
    )


@admin.register(Disqualification)
class DisqualificationAdmin(ActsOfCarers, OfOwnCompetitions, ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = ("participant", "what", "competition", "reason", "at")
    list_filter = (("competition", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("participant", "competition", "submission__track")
    search_fields = ("participant__username", "reason")
    fields = ("competition", "participant", "submission", "reason", "at")
    actions = (reinstate,)

    def has_view_permission(self, request: HttpRequest, obj: Disqualification | None = None) -> bool:
        """Show them to those who look at submissions."""
        return request.user.has_perm("submissions.view_submission")

    @admin.display(description="What", ordering="submission")
    def what(self, row: Disqualification) -> str:
        return str(row.submission) if row.submission else "the participant"


def _ask_then(
    act: Callable[[str], int],
    model_admin: admin.ModelAdmin[Any],
    request: HttpRequest,
    chosen: QuerySet[Any],
    *,
    action: str,
    title: str,
    sentence: str,
    shown: Sequence[str] = (),
) -> HttpResponse | None:
    """Show the page with the form until it holds a reason; then act and tell how many changed."""
    form = ReasonForm(request.POST if "confirmed" in request.POST else None)
    if form.is_valid():
        changed = act(form.cleaned_data["reason"])
        messages.success(request, f"{title}: {changed:,} done.")
        return None
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": title,
        "sentence": sentence,
        "chosen": chosen,
        "shown": shown,
        "act": action,
        "button": title,
        "form": form,
    }
    return TemplateResponse(request, "admin/submissions/confirm.html", context)
