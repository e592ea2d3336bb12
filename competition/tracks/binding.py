"""What binds a track's entries: the published benchmark version, with the texts and names of today."""

from __future__ import annotations

from copy import copy, deepcopy
from typing import Any

from django.conf import settings

from competition.tracks.class_names import class_names
from competition.tracks.models import Track
from competition.tracks.services import has_evaluations
from scoring.tracks import PLACES_THAT_CHANGE_NO_SCORE


def bound(track: Track) -> Track:
    """Return the track as its entries are held to it; what comes back is for reading, never for saving.

    Without evaluations the track's own fields bind: its benchmark version follows them.
    """
    version = track.benchmark
    if version is None or not has_evaluations(track):
        return track
    published = copy(track)
    published.body = deepcopy(version.spec)
    for place in PLACES_THAT_CHANGE_NO_SCORE:
        _take(place, source=track.body, target=published.body)
    published.body["output"]["class_names"] = class_names(version, track)
    return published


def max_upload_bytes(track: Track) -> int:
    """Return the largest upload that the track and the site accept."""
    return min(bound(track).spec().archive_limits.max_entry_bytes, int(settings.MAX_UPLOAD_BYTES))


def _take(place: str, *, source: dict[str, Any], target: dict[str, Any]) -> None:
    """Let the target say at a place (“output.class_names”) what the source says there, or nothing."""
    *sections, name = place.split(".")
    for section in sections:
        source, target = source.get(section, {}), target.get(section, {})
    target.pop(name, None)
    if name in source:
        target[name] = source[name]
