"""Acts of the track admin: each has a page that explains, and changes something only by POST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase

from competition import publishing
from competition.admin.tracks.documents import download_document, export_csv, upload_document
from competition.admin.tracks.forms import CloneForm
from competition.admin.tracks.imports import import_data
from competition.admin.tracks.pages import back, changeable, done, page
from competition.audit.models import Act
from competition.audit.recording import record
from competition.submissions import rescoring
from competition.tracks import services
from competition.tracks.differences import differences
from competition.tracks.models import Track
from competition.tracks.readiness import examine
from scoring.tracks import InvalidTrack


def open_track(admin: ModelAdmin[Track], request: HttpRequest, pk: int) -> HttpResponseBase:
    """Open the track, if every check passes."""
    track = changeable(admin, request, pk)
    if request.method != "POST":
        checks = examine(track)
        ready = all(check.ok for check in checks)
        text = "Everybody will see the track, and it will accept submissions during its window."
        changes = services.unpublished(track)
        if changes:
            text += " Entries are held to the published benchmark version until you publish these changes:"
        return page(
            admin,
            request,
            track,
            title="Open the track",
            text=text,
            checks=checks,
            changes=changes,
            button="Open" if ready else "",
        )
    try:
        services.open_track(track=track, by=request.user)
    except services.NotReady as exc:
        for check in exc.checks:
            messages.error(request, f"{check.name}: {check.message}")
    else:
        done(request, track, "Opened the track.")
    return back(track)


def close_track(admin: ModelAdmin[Track], request: HttpRequest, pk: int) -> HttpResponseBase:
    """Close the track."""
    track = changeable(admin, request, pk)
    if request.method == "POST":
        services.close_track(track=track, by=request.user)
        done(request, track, "Closed the track.")
        return back(track)
    text = (
        "The track and its leaderboard will disappear from the public pages, and it will not accept submissions. "
        "Evaluations that wait or run are finished. To end submissions and keep the board public, "
        "set “Closes at” instead."
    )
    return page(admin, request, track, title="Close the track", text=text, button="Close")


def clone(admin: ModelAdmin[Track], request: HttpRequest, pk: int) -> HttpResponseBase:
    """Copy the track under another slug."""
    track = changeable(admin, request, pk)
    if not admin.has_add_permission(request):
        raise PermissionDenied
    form = CloneForm(request.POST or None, initial={"slug": f"{track.slug}-copy"[:60]})
    if request.method == "POST" and form.is_valid():
        copy = services.clone_track(track=track, slug=form.cleaned_data["slug"], by=request.user)
        done(request, copy, f"Cloned from “{track.name}”; the copy is closed and has no submissions.")
        return back(copy)
    text = "The copy gets all fields and the dataset. It is closed and has no submissions."
    return page(admin, request, track, title="Clone the track", text=text, form=form, button="Clone")


def publish(admin: ModelAdmin[Track], request: HttpRequest, pk: int) -> HttpResponseBase:
    """Publish a new benchmark version and score the submissions again."""
    track = changeable(admin, request, pk)
    if request.method == "POST":
        try:
            published = publishing.publish(track=track, by=request.user)
        except (InvalidTrack, services.NotReady) as exc:
            messages.error(request, f"Nothing was published: {exc}")
            return back(track)
        count = f"Submissions waiting to be rescored: {published.rescored:,}."
        done(request, track, f"Benchmark version {published.version.number} is current. {count}")
        return back(track)
    return page(
        admin, request, track, title="Publish a new benchmark version and rescore", **_publishing(track)
    )


def show_board(admin: ModelAdmin[Track], request: HttpRequest, pk: int) -> HttpResponseBase:
    """Show the current version's board although submissions are still being scored again."""
    track = changeable(admin, request, pk)
    if request.method == "POST":
        with transaction.atomic():
            shown = rescoring.show_now(track)
            if shown:
                record(Act.BOARD_SHOWN, track, by=request.user, competition_id=track.competition_id)
        done(request, track, "The current version's board is shown." if shown else "It was shown already.")
        return back(track)
    state = rescoring.progress(track)
    if state is None:
        text = "The track already shows the board of its current version."
        return page(admin, request, track, title="Show the current board", text=text, button="")
    text = (
        f"{state.done:,} of {state.total:,} submissions have been scored again. The board will show these alone, and "
        "the others as they are scored. If you wait, it takes over by itself when all are."
    )
    return page(admin, request, track, title="Show the current board", text=text, button="Show it now")


def _publishing(track: Track) -> dict[str, Any]:
    try:
        track.document()
    except InvalidTrack as exc:
        return {"text": f"The track's fields are not valid: {exc}", "button": ""}
    if track.dataset is None:
        return {"text": "The track has no dataset. Import one first.", "button": ""}
    changes = differences(track)
    if not changes:
        return _nothing_to_publish(track)
    count = publishing.submissions_to_rescore(track)
    text = (
        f"Podium will rescore {count:,} submission{'' if count == 1 else 's'}, less what was cancelled, after all new "
        "ones. The board "
        "that is shown stays until all of them are; then the new one takes its place. Old scores stay with "
        "their submissions."
    )
    return {"text": text, "changes": changes, "button": f"Publish and rescore ({count:,})"}


def _nothing_to_publish(track: Track) -> dict[str, Any]:
    unchanged = "Nothing that affects scoring has changed: the current version stays"
    text = f"{unchanged}. Submissions that it left out are queued by themselves within minutes, or at once by this."
    return {"text": text, "button": "Queue what was left out"}


ACTS: Final[dict[str, Callable[[ModelAdmin[Track], HttpRequest, int], HttpResponseBase]]] = {
    "open": open_track,
    "close": close_track,
    "clone": clone,
    "import": import_data,
    "publish": publish,
    "board": show_board,
    "upload": upload_document,
    "document": download_document,
    "csv": export_csv,
}
