"""Acts of the track admin: each has a page that explains, and changes something only by POST."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone

from competition.tracks import publishing, services
from competition.tracks.admin_forms import CloneForm, DocumentForm, ImportForm, NewDocumentForm
from competition.tracks.export import csv_rows
from competition.tracks.models import Competition, Dataset, Track
from competition.tracks.readiness import examine
from scoring.contracts import Reader
from scoring.tracks import InvalidTrack, TrackDocument, dump_track

PAGE: Final = "admin/tracks/act.html"


def state(track: Track) -> str:
    """Say in words whether the track takes submissions now."""
    now = timezone.now()
    if not track.is_open:
        return "closed"
    if track.is_closed(now):
        return "open, window passed"
    return "open" if track.is_taking_submissions(now) else "open, window to come"


def panel(track: Track, *, may_change: bool) -> dict[str, Any]:
    """Return what stands above a track's form: its state, its checks and what differs."""
    checks = examine(track)
    return {
        "track": track,
        "may_change": may_change,
        "state": state(track),
        "checks": checks,
        "ready": all(check.ok for check in checks),
        "differs": services.has_evaluations(track) and services.differs_from_benchmark(track),
        "to_rescore": publishing.submissions_to_rescore(track),
    }


def as_yaml(document: TrackDocument) -> str:
    """Return the document as its track.yaml."""
    return dump_track(document)


def open_track(admin: ModelAdmin[Track], request: HttpRequest, pk: int) -> HttpResponseBase:
    """Open the track, if every check passes."""
    track = _changeable(admin, request, pk)
    if request.method != "POST":
        checks = examine(track)
        ready = all(check.ok for check in checks)
        text = "It becomes visible to everybody and takes submissions inside its window."
        return _page(
            admin,
            request,
            track,
            title="Open the track",
            text=text,
            checks=checks,
            button="Open" if ready else "",
        )
    try:
        services.open_track(track=track)
    except services.NotReady as exc:
        for check in exc.checks:
            messages.error(request, f"{check.name}: {check.message}")
    else:
        _done(request, track, "Opened the track.")
    return _back(track)


def close_track(admin: ModelAdmin[Track], request: HttpRequest, pk: int) -> HttpResponseBase:
    """Close the track."""
    track = _changeable(admin, request, pk)
    if request.method == "POST":
        services.close_track(track=track)
        _done(request, track, "Closed the track.")
        return _back(track)
    waiting = publishing.unfinished(track)
    text = (
        "It disappears from the public pages, its leaderboard too, and takes no submissions. "
        f"Evaluations that wait or run ({waiting:,}) are finished. To end submissions and keep the board public, "
        "set the end of its window instead."
    )
    return _page(admin, request, track, title="Close the track", text=text, button="Close")


def clone(admin: ModelAdmin[Track], request: HttpRequest, pk: int) -> HttpResponseBase:
    """Copy the track under another slug."""
    track = _changeable(admin, request, pk)
    if not admin.has_add_permission(request):
        raise PermissionDenied
    form = CloneForm(request.POST or None, initial={"slug": f"{track.slug}-copy"[:60]})
    if request.method == "POST" and form.is_valid():
        copy = services.clone_track(track=track, slug=form.cleaned_data["slug"])
        _done(request, copy, f"Cloned from “{track.name}”; the copy is closed and has no submissions.")
        return _back(copy)
    text = "All fields and the dataset are copied. The copy is closed and has no submissions."
    return _page(admin, request, track, title="Clone the track", text=text, form=form, button="Clone")


def import_data(admin: ModelAdmin[Track], request: HttpRequest, pk: int) -> HttpResponseBase:
    """Import a dataset and give it to the track."""
    track = _changeable(admin, request, pk)
    if not request.user.has_perm("tracks.add_dataset"):
        raise PermissionDenied
    form = ImportForm(request.POST or None, request.FILES or None, initial={"name": track.name})
    reader = Reader(track.reader)
    dataset = _import(form, reader) if request.method == "POST" and form.is_valid() else None
    if dataset is not None:
        services.assign_dataset(track=track, dataset=dataset)
        _done(request, track, f"The track has the dataset {dataset}.")
        return _back(track)
    text = "The track has this dataset from then on; its old one stays among the datasets."
    if services.has_evaluations(track):
        text += " Evaluations are held to the old one until you publish a new benchmark version."
    return _page(admin, request, track, title="Import a dataset", text=text, form=form, button="Import")


def publish(admin: ModelAdmin[Track], request: HttpRequest, pk: int) -> HttpResponseBase:
    """Publish a new benchmark version and score the submissions again."""
    track = _changeable(admin, request, pk)
    if request.method == "POST":
        try:
            published = publishing.publish(track=track)
        except (InvalidTrack, services.NotReady) as exc:
            messages.error(request, f"Nothing was published: {exc}")
            return _back(track)
        count = f"{published.rescored:,} submissions wait to be scored on it."
        _done(request, track, f"Benchmark version {published.version.number} is current. {count}")
        return _back(track)
    return _page(
        admin, request, track, title="Publish a new benchmark version and rescore", **_publishing(track)
    )


def upload_document(admin: ModelAdmin[Track], request: HttpRequest, pk: int) -> HttpResponseBase:
    """Bring the track in line with an uploaded track.yaml."""
    track = _changeable(admin, request, pk)
    form = DocumentForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        document = form.cleaned_data["file"]
        if document.spec.slug == track.slug:
            return _bring_in_line(request, document, track.competition)
        form.add_error("file", f"This file describes the track “{document.spec.slug}”, not “{track.slug}”.")
    text = "Every field is set to what the file says; the dataset stays."
    return _page(admin, request, track, title="Upload a track.yaml", text=text, form=form, button="Upload")


def download_document(admin: ModelAdmin[Track], request: HttpRequest, pk: int) -> HttpResponseBase:
    """Answer with the track.yaml."""
    track = _found(admin, request, pk)
    try:
        text = as_yaml(track.document())
    except InvalidTrack as exc:
        messages.error(request, f"The track has no document yet: {exc}")
        return _back(track)
    return _file(HttpResponse(text, content_type="application/yaml"), f"{track.slug}.yaml")


def export_csv(admin: ModelAdmin[Track], request: HttpRequest, pk: int) -> HttpResponseBase:
    """Answer with the submissions, private scores included."""
    track = _found(admin, request, pk)
    if not request.user.has_perm("submissions.view_submission"):
        raise PermissionDenied
    answer = StreamingHttpResponse(csv_rows(track), content_type="text/csv; charset=utf-8")
    return _file(answer, f"{track.slug}-submissions.csv")


ACTS: Final[dict[str, Callable[[ModelAdmin[Track], HttpRequest, int], HttpResponseBase]]] = {
    "open": open_track,
    "close": close_track,
    "clone": clone,
    "import": import_data,
    "publish": publish,
    "upload": upload_document,
    "document": download_document,
    "csv": export_csv,
}


def new_from_document(admin: ModelAdmin[Track], request: HttpRequest) -> HttpResponseBase:
    """Create a track from a preset or a track.yaml."""
    if not admin.has_add_permission(request):
        raise PermissionDenied
    form = NewDocumentForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        return _bring_in_line(request, form.cleaned_data["document"], form.cleaned_data["competition"])
    text = "The track is created closed; every field can be changed afterwards."
    return _page(
        admin,
        request,
        None,
        title="New track from a preset or a track.yaml",
        text=text,
        form=form,
        button="Create",
    )


def import_without_track(admin: ModelAdmin[Dataset], request: HttpRequest) -> HttpResponseBase:
    """Import a dataset that no track has yet."""
    if not request.user.has_perm("tracks.add_dataset"):
        raise PermissionDenied
    form = ImportForm(request.POST or None, request.FILES or None)
    dataset = _import(form) if request.method == "POST" and form.is_valid() else None
    if dataset is not None:
        messages.success(request, f"Imported: {dataset}.")
        return redirect("admin:tracks_dataset_change", dataset.pk)
    text = "A dataset is never changed after its import. Importing equal data again gives the same dataset."
    return _page(admin, request, None, title="Import a dataset", text=text, form=form, button="Import")


def _publishing(track: Track) -> dict[str, Any]:
    try:
        changes = publishing.differences(track)
    except InvalidTrack as exc:
        return {"text": f"The track's fields are not valid: {exc}", "button": ""}
    if track.dataset is None:
        return {"text": "The track has no dataset. Import one first.", "button": ""}
    count = publishing.submissions_to_rescore(track)
    text = (
        f"{count:,} submissions are scored again, after all fresh ones. The public board starts empty and fills "
        "as they are scored; scores of the old version stay with their submissions."
    )
    if not services.differs_from_benchmark(track):
        text = (
            "Nothing that scoring depends on has changed: the current version stays, and submissions without an "
            "evaluation on it are queued."
        )
    return {"text": text, "changes": changes, "button": f"Publish and rescore {count:,} submissions"}


def _import(form: ImportForm, reader: Reader | None = None) -> Dataset | None:
    """Import what a valid form names for a track's reader, if it is for one; findings go back to the form."""
    name, folder, archive = (form.cleaned_data.get(key) for key in ("name", "folder", "archive"))
    try:
        if isinstance(folder, Path):
            return services.import_dataset_folder(name=str(name), folder=folder, reader=reader)
        return services.import_dataset(name=str(name), archive=archive, reader=reader)  # type: ignore[arg-type]  # the form checked
    except services.DatasetProblem as exc:
        for finding in exc.findings:
            form.add_error(None, finding)
    return None


def _bring_in_line(
    request: HttpRequest, document: TrackDocument, competition: Competition
) -> HttpResponseBase:
    synced = services.bring_in_line(document=document, competition=competition, dataset=None)
    changed = f" ({', '.join(synced.changed)})" if synced.changed else ""
    _done(request, synced.track, f"The track was {synced.outcome} from its document{changed}.")
    return _back(synced.track)


def _found(admin: ModelAdmin[Track], request: HttpRequest, pk: int) -> Track:
    track = admin.get_object(request, str(pk))
    if track is None:
        raise Http404
    if not admin.has_view_permission(request, track):
        raise PermissionDenied
    return track


def _changeable(admin: ModelAdmin[Track], request: HttpRequest, pk: int) -> Track:
    track = _found(admin, request, pk)
    if not admin.has_change_permission(request, track):
        raise PermissionDenied
    return track


def _page(
    admin: ModelAdmin[Any],
    request: HttpRequest,
    track: Track | None,
    *,
    title: str,
    form: forms.Form | None = None,
    **context: Any,
) -> HttpResponseBase:
    media = admin.media + form.media if form else admin.media
    shared = {**admin.admin_site.each_context(request), "opts": admin.opts, "media": media}
    return TemplateResponse(
        request, PAGE, {**shared, "title": title, "track": track, "form": form, **context}
    )


def _done(request: HttpRequest, track: Track, sentence: str) -> None:
    """Tell the person and the track's history."""
    LogEntry.objects.log_actions(
        request.user.pk or 0, [track], CHANGE, change_message=sentence, single_object=True
    )
    messages.success(request, sentence)


def _back(track: Track) -> HttpResponse:
    return redirect("admin:tracks_track_change", track.pk)


def _file(answer: HttpResponseBase, name: str) -> HttpResponseBase:
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
