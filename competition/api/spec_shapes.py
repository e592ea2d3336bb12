"""The fields of a track document as the API shows them: made from their descriptions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from rest_framework import serializers

from scoring.contracts.fields import TrackField, TrackSection, fields_of, sections_of
from scoring.tracks import TRACK_FIELDS, TrackFields, meaning

_KINDS: Final[Mapping[type, type[serializers.Field[Any, Any, Any, Any]]]] = {
    bool: serializers.BooleanField,
    int: serializers.IntegerField,
    float: serializers.FloatField,
    str: serializers.CharField,
    datetime: serializers.DateTimeField,
}


def field_output(field: TrackField, **options: Any) -> serializers.Field[Any, Any, Any, Any]:
    """Return what shows a field of a track document, with its type and meaning."""
    options = {"allow_null": field.is_optional, "help_text": _help(field), **options}
    if field.item is None:
        return _kind(field.type, **options)
    return serializers.ListField(child=_kind(field.item, allow_null=field.has_open_items), **options)


def section_output(section: TrackSection) -> type[serializers.Serializer[Any]]:
    """Return what shows a section of a track document."""
    name = section.name.title().replace("_", "")
    shown = {field.name: field_output(field) for field in section.fields}
    return type(f"{name}Output", (serializers.Serializer,), {**shown, "__doc__": section.about.help})


def _kind(kind: type, **options: Any) -> serializers.Field[Any, Any, Any, Any]:
    if issubclass(kind, StrEnum):
        return serializers.ChoiceField(choices=[member.value for member in kind], **options)
    return _KINDS[kind](**options)


def _help(field: TrackField) -> str:
    empty = f"Null: {field.about.empty}." if field.is_optional and field.about.empty else ""
    return f"{meaning(field)} {empty}".strip()


def document_outputs(
    described: TrackFields = TRACK_FIELDS,
) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
    """Return what shows each field and section of a track document, read from a track."""
    shown: dict[str, serializers.Field[Any, Any, Any, Any]] = {}
    for half, contract in (("spec", described.spec), ("page", described.page)):
        for field in fields_of(contract):
            shown[field.name] = field_output(field, source=f"{half}.{field.name}")
        for section in sections_of(contract):
            output = _SECTIONS.get(section.name) if described is TRACK_FIELDS else None
            empty = f"Null: {section.about.empty}." if section.is_optional else ""
            shown[section.name] = (output or section_output(section))(
                source=f"{half}.{section.name}", allow_null=section.is_optional, help_text=empty
            )
    return shown


_SECTIONS: Final = {section.name: section_output(section) for section in TRACK_FIELDS.sections}
"""Made once: the OpenAPI document takes each class for one shape."""
