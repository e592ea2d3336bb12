"""Fields of a track that are younger than the migrations behind which tests go back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Final

from scoring.tracks import TrackDocument

YOUNG: Final[Mapping[str, tuple[str, ...]]] = {
    "budgets": ("macs_counter", "capture"),
    "run_limits": ("processes",),
}


def as_of_old(document: TrackDocument) -> TrackDocument:
    """Return the document with young fields at their defaults: a database of old could not say otherwise."""
    spec = document.spec
    for name, young in YOUNG.items():
        section = getattr(spec, name)
        usual = {field.name: field.default for field in fields(section) if field.name in young}
        spec = replace(spec, **{name: replace(section, **usual)})
    return replace(document, spec=spec)


def without_young(section: str, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plain values of a section as far as there were columns for them."""
    return {name: value for name, value in columns.items() if name not in YOUNG.get(section, ())}
