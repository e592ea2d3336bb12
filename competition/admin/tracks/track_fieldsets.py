"""The track's fields, arranged for a person: what everybody decides first, the rest folded away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING
from typing import Any, Final

from competition.tracks.models import COLUMNS, Track
from scoring.contracts.fields import Group, TrackField
from scoring.tracks import TRACK_FIELDS, TrackFields, TrackPart

NAMES: Final = ("competition", "name", "slug")
DECISIONS: Final = (
    "The main decisions for a track of this kind: formats, input, output, metric, budgets, dataset, window and quota. "
    "You can write counts and sizes with a unit: 30M, 5G, 100 MB, 512 MiB."
)
ONLOOKERS: Final = [(None, {"fields": (*NAMES, "position", "dataset", "queue", "document")})]
OF_THE_SITE: Final = {Group.BASICS: ("position", "queue"), Group.METRICS: (), Group.WINDOW: ()}
"""Columns of a track that belong to no document, by the group that they stand with."""


def fieldsets(
    track: Track | None, described: TrackFields = TRACK_FIELDS
) -> list[tuple[str | None, dict[str, Any]]]:
    """Return the sets: names, the decisions of the track's kind, then each part of the rest, folded."""
    body = track.body if track is not None else {}
    decided = [field for part in described.parts for field in part.fields if _is_decided(field, body)]
    keys = [field.key for field in decided if field.about.group is not Group.WINDOW]
    window = [field.key for field in decided if field.about.group is Group.WINDOW]
    sets: list[tuple[str | None, dict[str, Any]]] = [
        (None, {"fields": NAMES}),
        ("Decisions", {"fields": (*keys, "dataset", *pairs(window)), "description": DECISIONS}),
    ]
    for part in described.parts:
        rest = tuple(_rest(part, {*keys, *window, *NAMES}))
        if rest:
            options = {"fields": rest, "classes": ("collapse",), "description": part.help}
            sets.append((part.title, options))
    return sets


def pairs(keys: list[str]) -> list[tuple[str, ...]]:
    """Group the names into pairs that the form shows side by side: from and to, how many and how long."""
    return [tuple(keys[start : start + 2]) for start in range(0, len(keys), 2)]


def _is_decided(field: TrackField, body: dict[str, Any]) -> bool:
    """Say whether everybody decides the field; of a track that exists, if it means anything there."""
    if not field.about.is_decision:
        # A new track has no kind yet: what has no default comes first too.
        return not body and field.default is MISSING and field.key not in COLUMNS
    section = body.get(field.section) if field.section else None
    if section is None:
        return True
    return all(section.get(name) in values for name, values in (field.about.only or {}).items())


def _rest(part: TrackPart, shown: set[str]) -> Iterator[str]:
    if part.section is not None and part.section.is_optional:
        yield part.section.name
    for field in part.fields:
        if field.key not in shown:
            yield field.key
    if part.section is None:
        yield from OF_THE_SITE[Group(part.title)]
