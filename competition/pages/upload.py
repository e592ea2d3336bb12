"""The upload page. What cannot be taken is refused before its body is read, and its script asks before it sends.

The script's question is a GET that accepts JSON and names the file's size. The answer is what stands against the
upload, or the CSRF token to send it with: that of the page is void once its reader has signed in anew.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Final

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from competition.accounts.people import signed_in_user
from competition.clock import database_now
from competition.metrics import UPLOADS_REFUSED
from competition.pages.forms import EntryForm
from competition.submissions import quotas, resuming, selectors, services
from competition.submissions.upload_size import announced_bytes, refuse_large_body
from competition.tracks import wording
from competition.tracks.binding import bound, max_upload_bytes
from competition.tracks.models import Track
from competition.tracks.selectors import tracks_for
from competition.uploads import STATUSES, refusal_headers
from scoring.errors import Rejected, reject, render_all

SESSION_ENDED: Final = {
    "code": "session_ended",
    "message": "Your session ended.",
    "hint": "Sign in, and the upload goes on: the file stays chosen here.",
}
ASKED_BYTES: Final = re.compile(r"[0-9]{1,15}")


# The token is checked by the inner view: checking it here would read the whole body before the size is known.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def submit(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the upload form, say whether an upload could be taken, or take one."""
    if not request.user.is_authenticated:
        return _ask_to_sign_in(request)
    track = get_object_or_404(tracks_for(request.user), slug=slug)
    try:
        refuse_large_body(request, allowed_bytes=max_upload_bytes(track))
    except Rejected as refusal:
        return _refuse(request, track, refusal, status=413)
    try:
        if request.method == "POST" or wants_json(request):
            _refuse_unread(request, track)
        response: HttpResponse = _submit(request, track)
    except Rejected as refusal:  # midway through the body, whoever read it
        return _refuse(request, track, refusal, status=422)
    return response


def _ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    """Lead to the sign-in page and back; tell a script, which would take that page for an answer."""
    way = redirect_to_login(request.path)
    if not wants_json(request):
        return way
    finding = {**SESSION_ENDED, "link": way.url, "link_text": "Sign in (in a new tab)"}
    return JsonResponse({"findings": [finding]}, status=401)


def _refuse_unread(request: HttpRequest, track: Track) -> None:
    size = announced_bytes(request) if request.method == "POST" else _asked_bytes(request)
    services.refuse_unread(participant=signed_in_user(request), track=track, announced_bytes=size)


def _asked_bytes(request: HttpRequest) -> int:
    asked = request.GET.get("bytes", "")
    return int(asked) if ASKED_BYTES.fullmatch(asked) else 0


@csrf_protect
def _submit(request: HttpRequest, track: Track) -> HttpResponse:
    if request.method != "POST" and wants_json(request):
        return JsonResponse({"csrf_token": get_token(request), "participant": request.user.pk})
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
    slots = quotas.slots(participant=signed_in_user(request), track=track, now=now)
    taking_submissions = track.is_taking_submissions(now)
    return {
        "track": track,
        "form": EntryForm(),
        "formats": wording.formats_in_words(spec),
        "suffixes": wording.accepted_suffixes(spec),
        "max_bytes": max_upload_bytes(track),
        "direct_uploads": resuming.go_past_the_site(),
        "slots": slots,
        "taking_submissions": taking_submissions,
        "may_submit": taking_submissions and slots.next_slot_at is None,
    }
