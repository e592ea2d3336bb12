"""The form field of each field of a track document, made from its description."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from django import forms
from django.contrib.admin.widgets import AdminSplitDateTime
from django.utils.html import format_html
from django.utils.safestring import SafeString

from competition.admin.tracks.field_widgets import LinesField, NumberBoxesField, NumbersField
from competition.admin.tracks.quantities import BytesField, CountField
from competition.tracks.models import COLUMNS
from competition.tracks.templatetags.podium import ticks
from scoring.contracts import FORMAT_FACTS, METRIC_FACTS, Format, Metric
from scoring.contracts.fields import TrackField, TrackSection, Unit
from scoring.tracks import TRACK_FIELDS, TrackFields, meaning

QUANTITIES: Final[Mapping[Unit, type[CountField]]] = {
    Unit.PARAMETERS: CountField,
    Unit.MACS: CountField,
    Unit.BYTES: BytesField,
}
LONGEST_LINE: Final = 400
NUMBERS: Final[Mapping[type, type[forms.Field]]] = {int: forms.IntegerField, float: forms.FloatField}


def document_fields(described: TrackFields = TRACK_FIELDS) -> dict[str, forms.Field]:
    """Return the form's fields for what a document holds beside the columns, and a tick for optional sections."""
    ticked = {section.name: section_field(section) for section in described.sections if section.is_optional}
    return ticked | {field.key: form_field(field) for field in described.all if has_no_column(field)}


def has_no_column(field: TrackField) -> bool:
    """Say whether the field stands in the body of a track, so that the form reads it itself."""
    return bool(field.section) or field.name not in COLUMNS


def form_field(field: TrackField) -> forms.Field:
    """Return the form's field: what it reads, how it is named and explained."""
    about = field.about
    options: dict[str, Any] = {
        "label": field.label,
        "help_text": help_text(field),
        "required": field.default is MISSING or not (field.is_optional or field.default in ("", ())),
    }
    if field.item is not None:
        return _list(field, options)
    if about.unit is not None and about.unit in QUANTITIES:
        return QUANTITIES[about.unit](**options)
    if field.type is bool:
        return forms.BooleanField(**options | {"required": False})
    if issubclass(field.type, StrEnum):
        nothing = about.empty.replace("`", "") or "–"  # an option shows no code
        empty = [] if options["required"] and field.default is not MISSING else [("", nothing)]
        return forms.ChoiceField(choices=[*empty, *choices(field.type)], **options)
    if issubclass(field.type, datetime):
        return forms.SplitDateTimeField(widget=AdminSplitDateTime, **options)
    if issubclass(field.type, str):
        return _text(field, options)
    step = "1" if field.type is int else "any"
    return NUMBERS[field.type](widget=forms.NumberInput(attrs={"step": step}), **options)


def section_field(section: TrackSection) -> forms.Field:
    """Return the box to tick for a section that a document may do without."""
    return forms.BooleanField(label=section.title, help_text=ticks(section.about.help), required=False)


def help_text(field: TrackField) -> SafeString:
    """Return what the field means, and what leaving it empty does."""
    empty = f" Empty: {field.about.empty}." if field.about.empty else ""
    return format_html("<span{}>{}</span>", _only(field), ticks(f"{meaning(field)}{empty}"))


def _only(field: TrackField) -> SafeString:
    """Return where the script that folds away what does not apply finds out what the field needs."""
    section = f"{field.section}_" if field.section else ""
    needs: dict[str, tuple[str, ...]] = {
        f"{section}{name}": values for name, values in (field.about.only or {}).items()
    }
    if field.is_in_optional_section:
        needs[field.section] = ("on",)
    conditions = ";".join(f"{name}={' '.join(values)}" for name, values in needs.items())
    return format_html(' data-only="{}"', conditions) if conditions else SafeString("")


def choices(enum: type[StrEnum]) -> list[tuple[str, str]]:
    """Return the members with their titles, which the tables have for some."""
    if enum is Metric:
        return [(metric.value, f"{METRIC_FACTS[metric].title} ({metric})") for metric in Metric]
    if enum is Format:
        return [(name.value, f"{name}: {facts.summary}") for name, facts in FORMAT_FACTS.items()]
    return [(member.value, member.value) for member in enum]


def _text(field: TrackField, options: dict[str, Any]) -> forms.Field:
    longest = field.about.max_length
    if field.about.is_markdown:
        area = forms.Textarea(attrs={"class": "vLargeTextField"})
        return forms.CharField(widget=area, strip=False, **options)
    wide = forms.TextInput(attrs={"class": "vTextField"})
    return forms.CharField(widget=wide, max_length=longest or LONGEST_LINE, **options)


def _list(field: TrackField, options: dict[str, Any]) -> forms.Field:
    if issubclass(field.item, StrEnum):
        ticks_ = forms.CheckboxSelectMultiple
        return forms.MultipleChoiceField(choices=choices(field.item), widget=ticks_, **options)
    if issubclass(field.item, str):
        return LinesField(**options)
    if field.about.boxes is None:
        return NumbersField(kind=field.item, **options | {"required": False})
    boxes, open_items = field.about.boxes, field.has_open_items
    return NumberBoxesField(
        boxes=boxes, kind=field.item, open_items=open_items, **options | {"required": False}
    )
