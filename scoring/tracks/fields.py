"""All fields of a track document, in its order: what the form, the API, the docs and the page go through."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from scoring.contracts import TrackSpec
from scoring.contracts.fields import Group, TrackField, TrackSection, fields_of, sections_of
from scoring.tracks.document import TrackDocument, TrackPage


@dataclass(frozen=True)
class TrackFields:
    """The fields of the two halves of a track document."""

    spec: type[Any] = TrackSpec
    page: type[Any] = TrackPage

    @cached_property
    def sections(self) -> tuple[TrackSection, ...]:
        """Return the sections of the document."""
        return (*sections_of(self.spec), *sections_of(self.page))

    @cached_property
    def loose(self) -> tuple[TrackField, ...]:
        """Return the fields that stand in no section."""
        return (*fields_of(self.spec), *fields_of(self.page))

    def of_group(self, group: Group) -> tuple[TrackField, ...]:
        """Return the fields of a group of those that stand in no section."""
        return tuple(field for field in self.loose if field.about.group is group)

    @cached_property
    def all(self) -> tuple[TrackField, ...]:
        """Return every field, those of sections too."""
        return (*self.loose, *(field for section in self.sections for field in section.fields))


TRACK_FIELDS: Final = TrackFields()


def value_of(field: TrackField, document: TrackDocument) -> Any:
    """Return what a document holds for a field; None where it does without the field's section."""
    halves = (document.spec, document.page)
    if field.section:
        section = getattr(document.spec, field.section)
        return None if section is None else getattr(section, field.name)
    return next(getattr(half, field.name) for half in halves if hasattr(half, field.name))


def applies(field: TrackField, document: TrackDocument) -> bool:
    """Say whether a field means anything in a document."""
    if not field.section:
        return True
    section = getattr(document.spec, field.section)
    return section is not None and field.about.applies(section)
