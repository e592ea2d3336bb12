"""Between a track document and a track's columns: the way back from `Track.document()`."""

from __future__ import annotations

from typing import Any

from competition.tracks.documents import as_json
from competition.tracks.models import COLUMNS
from scoring.tracks import TRACK_FIELDS, TrackDocument, value_of


def columns_of(document: TrackDocument) -> dict[str, Any]:
    """Return the values of a track's columns that hold the document."""
    columns = {field.name: value_of(field, document) for field in TRACK_FIELDS.loose if field.name in COLUMNS}
    body = {name: value for name, value in as_json(document).items() if name not in columns}
    return {**columns, "body": body}
