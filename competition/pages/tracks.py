"""Pages about tracks."""

from __future__ import annotations

from pathlib import Path

from django.contrib.auth.models import User
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from competition.client_wheel import client_wheel
from competition.clock import database_now
from competition.leaderboard import selectors as leaderboard
from competition.leaderboard.charts import charts_of
from competition.leaderboard.endings import deciding_split, ending_of
from competition.pages.next_step import next_step
from competition.submissions import quotas
from competition.tracks import services, starter_kit, wording
from competition.tracks.binding import bound, max_upload_bytes
from competition.tracks.field_words import document_in_words
from competition.tracks.first_steps import example_of, first_steps
from competition.tracks.models import Track
from competition.tracks.selectors import may_change, tracks_for
from scoring.contracts import BUDGET_RULES, DEFAULT_ENVIRONMENT, METRIC_FACTS, Format, TrackSpec
from scoring.environment import file_of
from scoring.tracks import dump_track

TOP_ROWS = 5


@require_safe
def track(request: HttpRequest, slug: str) -> HttpResponse:
    """Show all that a participant must know of a track."""
    kept = get_object_or_404(tracks_for(request.user), slug=slug)
    found = bound(kept)
    now = database_now()
    spec = found.spec()
    kit = starter_kit.folder_for(spec)
    viewer = request.user if isinstance(request.user, User) else None
    board = leaderboard.board(found, limit=TOP_ROWS)
    slots = quotas.slots(participant=viewer, track=found, now=now) if viewer else None
    changeable = may_change(request.user, kept)
    context = {
        "track": found,
        "page": found.page(),
        "spec": spec,
        "metric": METRIC_FACTS[spec.metric],
        "limit_words": {rule.budget: rule.limit_words for rule in BUDGET_RULES},
        "macs_counter_words": wording.MACS_COUNTER_WORDS[spec.budgets.macs_counter],
        "capture_words": wording.CAPTURE_WORDS[spec.budgets.capture],
        "max_package_bytes": wording.max_package_bytes(spec),
        "extra_metrics": [wording.directed_title(metric) for metric in spec.extra_metrics],
        "formats": wording.formats_in_words(spec),
        "input": wording.input_in_words(spec),
        "output": wording.output_in_words(spec.output, spec.input),
        "every_field": document_in_words(found.document()),
        "quantisation": wording.quantisation_in_words(spec),
        "unpublished": services.unpublished_in_words(kept) if changeable else (),
        "may_change": changeable,
        "has_starter_kit": kit is not None,
        "steps": first_steps(spec, kit, server=request.build_absolute_uri("/"), wheel=_wheel()),
        "example_model": _example_model(spec, kit),
        "environment": _environment_text(spec),
        "has_private_samples": _has_private_samples(kept),
        "now": now,
        "max_bytes": max_upload_bytes(kept),
        "taking_submissions": found.is_taking_submissions(now),
        "ending": ending_of(board, now),
        "deciding_split": deciding_split(found, now),
        "slots": slots,
        "next": next_step(found, board, viewer=viewer, slots=slots, now=now),
        "board": board,
        "top_rows": TOP_ROWS,
        "charts": charts_of(board),
    }
    return render(request, "tracks/track.html", context)


@require_safe
def track_yaml(request: HttpRequest, slug: str) -> HttpResponse:
    """Serve the track document that `podium check` reads."""
    found = get_object_or_404(tracks_for(request.user), slug=slug)
    response = HttpResponse(
        dump_track(bound(found).document()), content_type="application/yaml; charset=utf-8"
    )
    response.headers["Content-Disposition"] = f'attachment; filename="{found.slug}.yaml"'
    return response


@require_safe
def starter_kit_zip(request: HttpRequest, slug: str) -> HttpResponse:
    """Serve the track's starter kit: its smallest working package and how to check and upload it."""
    found = get_object_or_404(tracks_for(request.user), slug=slug)
    folder = starter_kit.folder_for(bound(found).spec())
    if folder is None:
        raise Http404("this track does not have a starter kit")
    response = HttpResponse(starter_kit.as_zip(folder), content_type="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="{found.slug}-starter-kit.zip"'
    return response


@require_safe
def environment(request: HttpRequest) -> FileResponse:
    """Serve env.txt, the packages that entries run with where a track names no others."""
    return _served(DEFAULT_ENVIRONMENT)


@require_safe
def track_environment(request: HttpRequest, slug: str) -> FileResponse:
    """Serve the list of packages that a track's entries run with."""
    found = get_object_or_404(tracks_for(request.user), slug=slug)
    return _served(bound(found).spec().environment)


def _served(name: str) -> FileResponse:
    file = file_of(name)
    if file is None:
        raise Http404("this list of packages is not on the site")
    return FileResponse(file.open("rb"), filename=file.name, content_type="text/plain; charset=utf-8")


def _has_private_samples(track: Track) -> bool:
    """Say whether the data that submissions are scored on have a private split."""
    dataset = track.benchmark.dataset if track.benchmark else track.dataset
    return dataset is not None and dataset.private_samples > 0


def _example_model(spec: TrackSpec, kit: Path | None) -> str:
    """Return a model.py for the track: written for its contract, or the kit's own."""
    if Format.CVPR_ZIP in spec.formats:
        return wording.example_model(spec)
    return example_of(kit)


def _wheel() -> str:
    return reverse("wheel", args=[client_wheel().filename])


def _environment_text(spec: TrackSpec) -> str:
    file = file_of(spec.environment)
    return "" if file is None else file.read_text("utf-8")
