"""The track form in the admin: it explains every field and shows problems next to it."""

from __future__ import annotations

from dataclasses import MISSING
from datetime import datetime
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

from competition.admin.tracks.field_widgets import NumberBoxesField
from competition.admin.tracks.form_fields import document_fields, has_no_column, help_text
from competition.tracks.columns import columns_of
from competition.tracks.models import COLUMNS, Track
from competition.tracks.readiness import examine
from scoring.contracts import TrackSpec, completed
from scoring.contracts.fields import TrackField
from scoring.tracks import TRACK_FIELDS, InvalidTrack

OPTIONAL: Final = {section.name for section in TRACK_FIELDS.sections if section.is_optional}
BODY: Final = tuple(filter(has_no_column, TRACK_FIELDS.all))
"""The fields of a track document that have no column: the form reads them itself."""
KEYS: Final = {field.place: field.key for field in TRACK_FIELDS.all} | {name: name for name in OPTIONAL}


class _TrackForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A track. Problems with the track document are shown at their fields."""

    class Meta:
        model = Track
        fields = "__all__"  # noqa: DJ007 - what buttons change (is_open, benchmark) the admin leaves out

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        track = kwargs.get("instance")
        # A stored body may be older than a field; a new track takes today's defaults.
        stored = completed(track.body, TrackSpec) if track is not None and track.body else {}
        kwargs["initial"] = initial_of(stored) | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        for field in TRACK_FIELDS.loose:
            if field.name in COLUMNS and field.name in self.fields:
                self.fields[field.name].label = field.label
                self.fields[field.name].help_text = help_text(field)
                _name_halves(self.fields[field.name].widget, field.label)

    def clean_closes_at(self) -> datetime | None:
        """Return the end of the window, if it lies behind its start: the database would refuse it without a place."""
        opens, closes = self.cleaned_data.get("opens_at"), self.cleaned_data["closes_at"]
        if opens and closes and opens >= closes:
            raise ValidationError("The window must close after it opens.")
        return closes  # type: ignore[no-any-return]  # a DateTimeField's value

    def _post_clean(self) -> None:
        """Check the track as a document, once the form has filled its columns."""
        super()._post_clean()  # type: ignore[misc]  # the hook that ModelForm has for this
        if self.errors:
            return
        body = self._body()
        if self.errors:
            return
        self.instance.body = body
        try:
            self.instance.body = columns_of(self.instance.document())["body"]
        except InvalidTrack as exc:
            for finding, place in zip(exc.findings, exc.places, strict=True):
                self._add_finding(finding, place)
        if not self.errors and self.instance.is_open:
            self._keep_ready()

    def _body(self) -> dict[str, Any]:
        """Return what was typed as the body of a document; what was left empty is left out."""
        body: dict[str, Any] = {name: {} for name in OPTIONAL if self.cleaned_data.get(name)}
        for field in BODY:
            if field.is_in_optional_section and field.section not in body:
                continue
            value = self._value(field) if self._says_something(field) else None
            if value is not None and value != "":
                (body.setdefault(field.section, {}) if field.section else body)[field.name] = value
        return body

    def _says_something(self, field: TrackField) -> bool:
        """Say whether a box that is not ticked means no: where it does not apply, nobody sees it."""
        needs = (field.about.only or {}) if field.type is bool else {}
        return all(
            self.cleaned_data.get(f"{field.section}_{name}") in values for name, values in needs.items()
        )

    def _value(self, field: TrackField) -> Any:
        value, reads = self.cleaned_data.get(field.key), self.fields[field.key]
        if isinstance(reads, NumberBoxesField):
            try:
                return reads.of(self.cleaned_data.get("input_reader"), value or {})
            except ValidationError as exc:
                self.add_error(field.key, exc)
                return None
        if field.is_optional and value == []:
            return None
        # Browsers end lines of a text with a carriage return; a saved form is to be no change to a track.yaml.
        return value.replace("\r\n", "\n") if isinstance(value, str) else value

    def _add_finding(self, finding: str, place: str) -> None:
        key = KEYS.get(place)
        _, _, message = finding.partition(": ")
        sentence = message.removeprefix("Value error, ")
        self.add_error(key if key in self.fields else None, f"{sentence[:1].upper()}{sentence[1:]}")

    def _keep_ready(self) -> None:
        """Refuse to make an open track unfit; a window may end, for that is how tracks end."""
        failed = [check for check in examine(self.instance) if not check.ok and check.name != "Window"]
        for check in failed:
            self.add_error(None, f"The track is open and must stay ready. {check.name}: {check.message}")


def _name_halves(widget: forms.Widget, label: str) -> None:
    """Name the boxes of a moment for screen readers: its label belongs to both."""
    if isinstance(widget, forms.SplitDateTimeWidget):
        for half, words in zip(widget.widgets, ("date", "time"), strict=True):
            half.attrs["aria-label"] = f"{label}: {words}"


def initial_of(stored: dict[str, Any]) -> dict[str, Any]:
    """Return what the form shows of a stored body: its values, and the defaults of what it leaves out."""
    initial: dict[str, Any] = {name: name in stored for name in OPTIONAL}
    for field in BODY:
        section = stored.get(field.section, {}) if field.section else stored
        default = None if field.default is MISSING else field.default
        initial[field.key] = section.get(field.name, default)
    return initial


TrackForm: Final[type[_TrackForm]] = type("TrackForm", (_TrackForm,), document_fields())
"""The form with a field for each field of the document that has no column."""
