"""The upload page. A file that is too large is refused before its body is read."""

from __future__ import annotations

from dataclasses import asdict

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from competition.accounts.people import signed_in_user
from competition.clock import database_now
from competition.metrics import UPLOADS_REFUSED
from competition.pages.forms import EntryForm
from competition.submissions import quotas, selectors, services
from competition.submissions.upload_size import refuse_large_body
from competition.tracks import wording
from competition.tracks.binding import bound, max_upload_bytes
from competition.tracks.models import Track
from competition.tracks.selectors import tracks_for
from competition.uploads import STATUSES, refusal_headers
from scoring.errors import Rejected, reject, render_all


# The token is checked by the inner view: checking it here would read the whole body before the size is known.
@csrf_exempt
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def submit(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the upload form, or take an upload whose declared size fits."""
    track = get_object_or_404(tracks_for(request.user), slug=slug)
    try:
        refuse_large_body(request, allowed_bytes=max_upload_bytes(track))
    except Rejected as refusal:
        return _refuse(request, track, refusal, status=413)
    try:
        response: HttpResponse = _submit(request, track)
    except Rejected as refusal:  # midway through the body, whoever read it
        return _refuse(request, track, refusal, status=422)
    return response


@csrf_protect
def _submit(request: HttpRequest, track: Track) -> HttpResponse:
    if request.method != "POST":
        return render(request, "submissions/submit.html", _context(request, track))
    form = EntryForm(request.POST, request.FILES)
    if not form.is_valid():
        raise reject("empty_upload")
    upload = form.cleaned_data["entry"]
    submission = services.accept_submission(
        participant=signed_in_user(request), track=track, upload=upload, name=upload.name
    )
    if wants_json(request):
        return JsonResponse({"location": submission.get_absolute_url()}, status=201)
    return redirect(submission)


def wants_json(request: HttpRequest) -> bool:
    """Say whether the page's own script asks, which shows in place what it is told."""
    return request.headers.get("Accept") == "application/json"


def _refuse(request: HttpRequest, track: Track, refusal: Rejected, *, status: int) -> HttpResponse:
    UPLOADS_REFUSED.labels(code=refusal.code).inc()
    link, status = _link(refusal), STATUSES.get(refusal.code, status)
    headers = refusal_headers(refusal)
    findings = [{**asdict(finding), "link": link} for finding in render_all(refusal.findings)]
    if wants_json(request):
        return JsonResponse({"findings": findings}, status=status, headers=headers)
    context = {**_context(request, track), "findings": findings}
    page = render(request, "submissions/submit.html", context, status=status)
    for name, value in headers.items():
        page.headers[name] = value
    return page


def _link(refusal: Rejected) -> str:
    """Return the page that the hint speaks of, if it is one of ours."""
    if refusal.code != "already_submitted":
        return ""
    return selectors.earlier_submission(refusal).get_absolute_url()


def _context(request: HttpRequest, track: Track) -> dict[str, object]:
    now = database_now()
    spec = bound(track).spec()
    return {
        "track": track,
        "form": EntryForm(),
        "formats": wording.formats_in_words(spec),
        "suffixes": wording.accepted_suffixes(spec),
        "max_bytes": max_upload_bytes(track),
        "slots": quotas.slots(participant=signed_in_user(request), track=track, now=now),
        "taking_submissions": track.is_taking_submissions(now),
    }
