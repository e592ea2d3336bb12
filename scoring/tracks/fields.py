"""All fields of a track document, in its order: what the form, the API, the docs and the page go through."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from scoring.contracts import InputContract, OutputContract, TrackSpec
from scoring.contracts.fields import Group, TrackField, TrackSection, Unit, fields_of, sections_of
from scoring.tracks.document import TrackDocument, TrackPage

UNIT_WORDS: Final = {Unit.SECONDS: "seconds", Unit.MILLISECONDS: "milliseconds"}
"""Units that a sentence does not abbreviate."""


@dataclass(frozen=True, kw_only=True)
class TrackPart:
    """Fields that a person reads together: a section of the document, or a group of those in none."""

    title: str
    help: str
    fields: tuple[TrackField, ...]
    section: TrackSection | None = None


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
    def parts(self) -> tuple[TrackPart, ...]:
        """Return all fields as people read them: what comes in, what goes out, how it is scored and bounded."""
        first: list[TrackPart] = []
        last: list[TrackPart] = []
        for section in self.sections:
            part = TrackPart(
                title=section.title, help=section.about.help, fields=section.fields, section=section
            )
            (first if section.contract in (InputContract, OutputContract) else last).append(part)
        basics, metrics, window = (
            TrackPart(title=group.value, help="", fields=self.of_group(group))
            for group in (Group.BASICS, Group.METRICS, Group.WINDOW)
        )
        return (basics, *first, metrics, *last, window)

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


def meaning(field: TrackField) -> str:
    """Return what a field means, in which unit, and with what only; code stands between `backticks`."""
    only = (
        f"Only with `{name}: {'` or `'.join(values)}`." for name, values in (field.about.only or {}).items()
    )
    return " ".join(filter(None, (field.about.help, _in_unit(field.about.unit), *only)))


def _in_unit(unit: Unit | None) -> str:
    if unit is None or unit in (Unit.PARAMETERS, Unit.MACS):
        return ""
    return f"In {UNIT_WORDS.get(unit, unit)}."
