"""The upload page. A file that is too large is refused before its body is read."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from competition.accounts.people import signed_in_user
from competition.submissions import quotas, services
from competition.submissions.forms import EntryForm
from competition.tracks import wording
from competition.tracks.models import Track
from competition.tracks.selectors import tracks_for
from scoring.errors import Rejected, RenderedFinding, reject, render_all

_FORM_OVERHEAD_BYTES: Final = 64 * 1024  # multipart boundaries and the token around the file


# The token is checked by the inner view: checking it here would read the whole body before the size is known.
@csrf_exempt
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def submit(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the upload form, or take an upload whose declared size fits."""
    track = get_object_or_404(tracks_for(request.user), slug=slug)
    if request.method == "POST" and _declared_bytes(request) > max_upload_bytes(track) + _FORM_OVERHEAD_BYTES:
        refusal = reject("upload_too_large", allowed_bytes=max_upload_bytes(track))
        return _refuse(request, track, render_all(refusal.findings), status=413)
    response: HttpResponse = _submit(request, track)
    return response


@csrf_protect
def _submit(request: HttpRequest, track: Track) -> HttpResponse:
    if request.method != "POST":
        return render(request, "submissions/submit.html", _context(request, track))
    form = EntryForm(request.POST, request.FILES)
    try:
        if not form.is_valid():
            raise reject("empty_upload")
        upload = form.cleaned_data["entry"]
        submission = services.accept_submission(
            participant=signed_in_user(request), track=track, upload=upload, name=upload.name
        )
    except Rejected as refusal:
        return _refuse(request, track, render_all(refusal.findings), status=422)
    if _wants_json(request):
        return JsonResponse({"location": submission.get_absolute_url()}, status=201)
    return redirect(submission)


def max_upload_bytes(track: Track) -> int:
    """Return the largest upload that the track and the site accept."""
    site_limit: int = settings.MAX_UPLOAD_BYTES
    return min(track.max_entry_bytes, site_limit)


def _declared_bytes(request: HttpRequest) -> int:
    declared = request.headers.get("Content-Length", "")
    return int(declared) if declared.isascii() and declared.isdecimal() else 0


def _wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept") == "application/json"


def _refuse(
    request: HttpRequest, track: Track, findings: tuple[RenderedFinding, ...], *, status: int
) -> HttpResponse:
    if _wants_json(request):
        plain = [{"code": found.code, "message": found.message, "hint": found.hint} for found in findings]
        return JsonResponse({"findings": plain}, status=status)
    context = {**_context(request, track), "findings": findings}
    return render(request, "submissions/submit.html", context, status=status)


def _context(request: HttpRequest, track: Track) -> dict[str, object]:
    now = timezone.now()
    spec = track.spec()
    return {
        "track": track,
        "form": EntryForm(),
        "formats": wording.formats_in_words(spec),
        "suffixes": wording.accepted_suffixes(spec),
        "max_bytes": max_upload_bytes(track),
        "slots": quotas.slots(participant=signed_in_user(request), track=track, now=now),
        "taking_submissions": track.is_taking_submissions(now),
    }
