"""The fields of a track document as the API shows them: made from their descriptions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from rest_framework import serializers

from scoring.contracts.fields import TrackField, TrackSection
from scoring.tracks import TRACK_FIELDS, meaning

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


SECTIONS: Final = {section.name: section_output(section) for section in TRACK_FIELDS.sections}
