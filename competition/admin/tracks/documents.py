"""Track documents in the admin: a track from one, a track's own, and its submissions as CSV."""

from __future__ import annotations

from itertools import chain

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from competition.admin.tracks.forms import DocumentForm, NewDocumentForm
from competition.admin.tracks.pages import as_file, back, changeable, done, found, page
from competition.csv_cells import UTF8_MARK
from competition.submissions.results_csv import csv_rows
from competition.tracks import services
from competition.tracks.models import Competition, Track
from scoring.tracks import InvalidTrack, TrackDocument, dump_track


def new_from_document(admin: ModelAdmin[Track], request: HttpRequest) -> HttpResponseBase:
    """Create a track from a preset or a track.yaml."""
    if not admin.has_add_permission(request):
        raise PermissionDenied
    form = NewDocumentForm(request.POST or None, request.FILES or None, viewer=request.user)
    if request.method == "POST" and form.is_valid():
        return _bring_in_line(request, form.cleaned_data["document"], form.cleaned_data["competition"])
    text = "The new track is closed. You can change every field afterwards."
    return page(
        admin,
        request,
        None,
        title="New track from a preset or a track.yaml",
        text=text,
        form=form,
        button="Create",
    )


def upload_document(admin: ModelAdmin[Track], request: HttpRequest, pk: int) -> HttpResponseBase:
    """Bring the track in line with an uploaded track.yaml."""
    track = changeable(admin, request, pk)
    form = DocumentForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        document = form.cleaned_data["file"]
        if document.spec.slug == track.slug:
            return _bring_in_line(request, document, track.competition)
        form.add_error("file", f"This file describes the track “{document.spec.slug}”, not “{track.slug}”.")
    text = "Every field is set to the file's value. The dataset stays."
    return page(admin, request, track, title="Upload a track.yaml", text=text, form=form, button="Upload")


def download_document(admin: ModelAdmin[Track], request: HttpRequest, pk: int) -> HttpResponseBase:
    """Answer with the track.yaml."""
    track = found(admin, request, pk)
    try:
        text = dump_track(track.document())
    except InvalidTrack as exc:
        messages.error(request, f"The track has no document yet: {exc}")
        return back(track)
    return as_file(HttpResponse(text, content_type="application/yaml"), f"{track.slug}.yaml")


def export_csv(admin: ModelAdmin[Track], request: HttpRequest, pk: int) -> HttpResponseBase:
    """Answer with the submissions, private scores included."""
    track = found(admin, request, pk)
    if not request.user.has_perm("submissions.view_submission"):
        raise PermissionDenied
    answer = StreamingHttpResponse(
        chain([UTF8_MARK], csv_rows(track)), content_type="text/csv; charset=utf-8"
    )
    return as_file(answer, f"{track.slug}-submissions.csv")


def _bring_in_line(
    request: HttpRequest, document: TrackDocument, competition: Competition
) -> HttpResponseBase:
    synced = services.bring_in_line(document=document, competition=competition, dataset=None, by=request.user)
    changed = f" ({', '.join(synced.changed)})" if synced.changed else ""
    done(request, synced.track, f"The track was {synced.outcome} from its document{changed}.")
    return back(synced.track)
