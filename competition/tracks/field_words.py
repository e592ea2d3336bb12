"""Every field of a track as its page tells it: made from the fields' descriptions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from competition.moments import in_utc
from competition.tracks.templatetags.podium import binary_bytes
from competition.tracks.wording import directed_title
from scoring.contracts import Metric
from scoring.contracts.fields import TrackField, Unit
from scoring.tracks import TRACK_FIELDS, TrackDocument, TrackFields, applies, value_of

MANY: Final = 20
"""How many items of a list are written out; the page lists long ones elsewhere, or the track.yaml does."""


@dataclass(frozen=True, kw_only=True)
class FieldWords:
    """A field's name, what it is set to, and what that means."""

    label: str
    value: str
    meaning: str


@dataclass(frozen=True, kw_only=True)
class PartWords:
    """Fields that are read together."""

    title: str
    rows: tuple[FieldWords, ...]


def document_in_words(
    document: TrackDocument, described: TrackFields = TRACK_FIELDS
) -> tuple[PartWords, ...]:
    """Return every field that means something in the document; the rules, a text of their own, stay out."""
    parts = []
    for part in described.parts:
        told = [field for field in part.fields if applies(field, document) and not field.about.is_markdown]
        rows = tuple(_in_words(field, value_of(field, document)) for field in told)
        parts.append(PartWords(title=part.title, rows=rows))
    return tuple(part for part in parts if part.rows)


def _in_words(field: TrackField, value: Any) -> FieldWords:
    return FieldWords(label=field.label, value=value_in_words(field, value), meaning=field.about.help)


def value_in_words(field: TrackField, value: Any) -> str:
    """Return a field's value with its unit; what is left out is told by what that means."""
    if value in (None, "", ()):
        return field.about.empty or "–"
    if isinstance(value, tuple):
        items = [_one(field, item) for item in value]
        more = f" and {len(items) - MANY:,} more" if len(items) > MANY else ""
        return ", ".join(items[:MANY]) + more
    return _one(field, value)


def _one(field: TrackField, value: Any) -> str:
    unit = field.about.unit
    if value is None:
        return "any"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Metric):
        return directed_title(value)
    if isinstance(value, datetime):
        return in_utc(value)
    if unit is Unit.BYTES:
        return binary_bytes(value)
    if not isinstance(value, int | float):
        return str(value)
    number = f"{value:,}" if isinstance(value, int) else f"{value:,g}"
    return f"{number} {unit}" if unit and unit not in (Unit.PARAMETERS, Unit.MACS) else number
