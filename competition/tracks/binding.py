"""What binds a track's entries: the published benchmark version, with the texts and names of today."""

from __future__ import annotations

from copy import copy
from typing import Final

from django.conf import settings

from competition.tracks.class_names import class_names
from competition.tracks.columns import column_of, columns_of
from competition.tracks.models import Track
from competition.tracks.services import has_evaluations
from scoring.tracks import PLACES_THAT_CHANGE_NO_SCORE

OF_TODAY: Final = {column_of(place) for place in PLACES_THAT_CHANGE_NO_SCORE}


def bound(track: Track) -> Track:
    """Return the track as its entries are held to it; what comes back is for reading, never for saving.

    Without evaluations the track's own fields bind: its benchmark version follows them.
    """
    version = track.benchmark
    if version is None or not has_evaluations(track):
        return track
    published = copy(track)
    for name, value in columns_of(version.document()).items():
        if name not in OF_TODAY:
            setattr(published, name, value)
    published.class_names = class_names(version, track)
    return published


def max_upload_bytes(track: Track) -> int:
    """Return the largest upload that the track and the site accept."""
    return min(bound(track).max_entry_bytes, int(settings.MAX_UPLOAD_BYTES))
