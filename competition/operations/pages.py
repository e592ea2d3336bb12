"""The operations page of those who run the site, and the acts that it and the pages of tracks and entries offer."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from competition.accounts.people import signed_in_user
from competition.clock import database_now
from competition.submissions import operating, services
from competition.submissions.models import Submission, Worker
from competition.submissions.overview import overview
from competition.submissions.selectors import may_operate, submissions_visible_to
from competition.tracks.access import sees_all
from competition.tracks.models import Track
from competition.tracks.selectors import may_change, tracks_for

POLL_S: Final = 5
RELOAD_S: Final = 15
"""Without scripts the whole page is loaded again."""
MAX_REASON: Final = 1_000

View = Callable[..., HttpResponse]


class ReasonForm(forms.Form):
    """Why an entry is put in quarantine."""

    reason = forms.CharField(
        max_length=MAX_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The participant reads it, and it stays in the audit trail.",
    )


def for_operators(view: View) -> View:
    """Admit superusers; others learn nothing but that it is not for them."""

    @login_required
    @wraps(view)
    def admitted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not sees_all(request.user):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return admitted


# --- the page ------------------------------------------------------------------------------------


@for_operators
@never_cache
@require_safe
def operations(request: HttpRequest) -> HttpResponse:
    """Show how workers and queues do, what went wrong, and what is held up."""
    return render(request, "operations/overview.html", _context() | {"reload_s": RELOAD_S})


@for_operators
@never_cache
@require_safe
def operations_live(request: HttpRequest) -> HttpResponse:
    """Show the part of the page that changes."""
    return render(request, "operations/live.html", _context())


def _context() -> dict[str, object]:
    return {"overview": overview(database_now()), "poll_s": POLL_S}


# --- workers -------------------------------------------------------------------------------------


@for_operators
@require_http_methods(["GET", "HEAD", "POST"])
def drain_worker(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then let the worker end what it has and claim nothing more."""
    worker = get_object_or_404(Worker, pk=pk)
    if request.method == "POST":
        drained = operating.drain(worker=worker, by=request.user)
        _tell(request, drained, f"{worker} ends what it has and claims no more.", "It was drained already.")
        return redirect("operations")
    sentence = (
        "It ends the evaluation that it works on, if there is one, and claims no more. Then it says that it is "
        "drained, and you can stop it."
    )
    context = {"title": f"Drain {worker}", "sentence": sentence, "button": "Drain"}
    return _confirm(request, context, back=reverse("operations"))


@for_operators
@require_POST
def resume_worker(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the worker claim again."""
    worker = get_object_or_404(Worker, pk=pk)
    resumed = operating.resume_worker(worker=worker, by=request.user)
    _tell(request, resumed, f"{worker} claims entries again.", "It was not drained.")
    return redirect("operations")


# --- tracks --------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def pause_track(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask, then let no worker claim the track's entries."""
    track = _own_track(request, slug)
    if request.method == "POST":
        paused = operating.pause_track(track=track, by=request.user)
        _tell(request, paused, f"{track} is paused.", "It was paused already.")
        return redirect(_way_back(request, track))
    sentence = (
        "No worker begins an entry of this track until you resume it. What runs is finished. Uploads stay open; "
        "participants read that the organisers paused the track, and that their place is kept."
    )
    context = {"title": f"Pause {track}", "sentence": sentence, "button": "Pause"}
    return _confirm(request, context, back=_way_back(request, track))


@login_required
@require_POST
def resume_track(request: HttpRequest, slug: str) -> HttpResponse:
    """Let workers claim the track's entries again."""
    track = _own_track(request, slug)
    resumed = operating.resume_track(track=track, by=request.user)
    _tell(request, resumed, f"{track} goes on.", "It was not paused.")
    return redirect(_way_back(request, track))


def _own_track(request: HttpRequest, slug: str) -> Track:
    """Return the track, "not found" for those who may not see it, a refusal for those who may not change it."""
    track = get_object_or_404(tracks_for(request.user), slug=slug)
    if not may_change(request.user, track):
        raise PermissionDenied
    return track


# --- submissions ---------------------------------------------------------------------------------


@login_required
@require_POST
def retry_submission(request: HttpRequest, submission_id: UUID) -> HttpResponse:
    """Queue the newest evaluation of a submission again, if it failed."""
    submission = _operable(request, submission_id)
    retried = services.retry_failed(submission=submission, by=request.user)
    _tell(request, retried, f"{submission} waits for a worker again.", "It has not failed.")
    return redirect(_way_back(request, submission))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def quarantine_submission(request: HttpRequest, submission_id: UUID) -> HttpResponse:
    """Ask for the reason, then let no worker claim the submission."""
    submission = _operable(request, submission_id)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        held = operating.quarantine(submission=submission, reason=reason, by=request.user)
        _tell(request, held, f"{submission} is in quarantine.", "It was in quarantine already.")
        return redirect(_way_back(request, submission))
    sentence = (
        "No worker evaluates this submission until it is released; one that does so now stops. It keeps its place "
        "and uses no slot of the quota meanwhile."
    )
    context = {
        "title": f"Quarantine {submission}",
        "sentence": sentence,
        "button": "Quarantine",
        "form": form,
    }
    return _confirm(request, context, back=_way_back(request, submission))


@login_required
@require_POST
def release_submission(request: HttpRequest, submission_id: UUID) -> HttpResponse:
    """Let workers claim the submission again."""
    submission = _operable(request, submission_id)
    released = operating.release(submission=submission, by=request.user)
    _tell(request, released, f"{submission} is released.", "It was not in quarantine.")
    return redirect(_way_back(request, submission))


def _operable(request: HttpRequest, submission_id: UUID) -> Submission:
    """Return the submission, as `_own_track` does."""
    viewer = signed_in_user(request)
    submission = get_object_or_404(submissions_visible_to(viewer), pk=submission_id)
    if not may_operate(viewer, submission):
        raise PermissionDenied
    return submission


# --- what acts share -----------------------------------------------------------------------------


def _confirm(request: HttpRequest, context: dict[str, Any], *, back: str) -> HttpResponse:
    form = context.get("form")
    status = 422 if form is not None and form.errors else 200
    return render(request, "operations/confirm.html", context | {"back": back}, status=status)


def _way_back(request: HttpRequest, to: Track | Submission) -> str:
    """Return where somebody came from: the operations page, or that of the track or submission."""
    came_from = request.POST.get("from") or request.GET.get("from")
    return reverse("operations") if came_from == "operations" else to.get_absolute_url()


def _tell(request: HttpRequest, was_done: bool, done: str, otherwise: str) -> None:
    if was_done:
        messages.success(request, done)
    else:
        messages.warning(request, f"{otherwise} Nothing was changed.")
