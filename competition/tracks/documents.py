"""Track documents as JSON: how rows and benchmark versions keep them, and how they are read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from scoring.contracts import TrackSpec, completed
from scoring.tracks import TrackDocument, build_track, plain

KEPT: Final = 256
"""Documents that a process keeps: a page asks for one many times, and checking takes a tenth of a millisecond."""


def as_json(document: TrackDocument) -> dict[str, Any]:
    """Return the document as plain JSON that `read_document` reads back to an equal one."""
    return dict(json.loads(json.dumps(plain(document), default=_as_text)))


def read_document(stored: Mapping[str, Any]) -> TrackDocument:
    """Return the document that was stored; raises InvalidTrack with every finding.

    What it lacks, being older than a field, is what it was before there was a choice, not a newer default.
    """
    return _read(json.dumps(stored, default=_as_text))


@lru_cache(maxsize=KEPT)
def _read(text: str) -> TrackDocument:
    return build_track(completed(json.loads(text), TrackSpec))


def _as_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"a track document holds no {type(value).__name__}")
