"""What the acts of the track admin share: who may, the page that asks, the answer afterwards."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from competition.tracks.models import Track

PAGE: Final = "admin/tracks/act.html"


def found(admin: ModelAdmin[Track], request: HttpRequest, pk: int) -> Track:
    """Return the track that this person may see, or end in a 404 or 403."""
    track = admin.get_object(request, str(pk))
    if track is None:
        raise Http404
    if not admin.has_view_permission(request, track):
        raise PermissionDenied
    return track


def changeable(admin: ModelAdmin[Track], request: HttpRequest, pk: int) -> Track:
    """Return the track that this person may change, or end in a 404 or 403."""
    track = found(admin, request, pk)
    if not admin.has_change_permission(request, track):
        raise PermissionDenied
    return track


def page(
    admin: ModelAdmin[Any],
    request: HttpRequest,
    track: Track | None,
    *,
    title: str,
    form: forms.Form | None = None,
    **context: Any,
) -> HttpResponseBase:
    """Show the page that explains an act, with its form and button."""
    media = admin.media + form.media if form else admin.media
    shared = {**admin.admin_site.each_context(request), "opts": admin.opts, "media": media}
    return TemplateResponse(
        request, PAGE, {**shared, "title": title, "track": track, "form": form, **context}
    )


def done(request: HttpRequest, track: Track, sentence: str) -> None:
    """Tell the person and the track's history."""
    LogEntry.objects.log_actions(
        request.user.pk or 0, [track], CHANGE, change_message=sentence, single_object=True
    )
    messages.success(request, sentence)


def back(track: Track) -> HttpResponse:
    """Lead back to the track's form."""
    return redirect("admin:tracks_track_change", track.pk)


def as_file(answer: HttpResponseBase, name: str) -> HttpResponseBase:
    """Make the answer a file to keep."""
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
