"""Boxes for lists of numbers, and lines for lists of texts: widgets and form fields of the track form."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, TypeAlias

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

Numbers: TypeAlias = dict[str, float | None]
Boxes: TypeAlias = Mapping[StrEnum, tuple[str, ...]]

GROUP: Final = '<div class="podium-boxes" id="{}" role="group" aria-label="{}" aria-describedby="{}">{}</div>'
BOX: Final = (
    '<label class="podium-box" data-readers="{}"><span>{}</span>'
    '<input type="number" name="{}" id="{}" value="{}" step="{}"{}></label>'
)


def box_names(boxes: Boxes) -> tuple[str, ...]:
    """Return every box that any reader needs, each once, in the order of the reader that needs most."""
    return tuple(
        dict.fromkeys(name for names in sorted(boxes.values(), key=len, reverse=True) for name in names)
    )


class NumberBoxes(forms.Widget):
    """A labelled box for each number; a script shows those that the chosen reader has."""

    def __init__(self, boxes: Boxes, *, step: str, label: str) -> None:
        super().__init__()
        self.boxes, self.step, self.label = boxes, step, label

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Write the boxes side by side, as a group that has a name and points to its help."""
        filled = self.numbers(value)
        described = SafeString("")
        if (attrs or {}).get("aria-invalid"):
            described = SafeString(' aria-invalid="true"')
        rows = []
        for box in box_names(self.boxes):
            readers = " ".join(reader for reader, names in self.boxes.items() if box in names)
            typed = filled.get(box)
            place = f"{name}_{box.replace(' ', '_')}"
            shown = "" if typed is None else f"{typed:g}" if isinstance(typed, float) else typed
            rows.append((readers, box, place, f"id_{place}", shown, self.step, described))
        return format_html(
            GROUP, f"id_{name}", self.label, f"id_{name}_helptext", format_html_join("", BOX, rows)
        )

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[str, str]:
        """Return what was typed into each box."""
        return {box: data.get(f"{name}_{box.replace(' ', '_')}", "") for box in box_names(self.boxes)}

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Say whether no box was in the form."""
        return not any(f"{name}_{box.replace(' ', '_')}" in data for box in box_names(self.boxes))

    def numbers(self, value: Any) -> dict[str, Any]:
        """Return the content of each box; a list fills those of the reader that has as many."""
        if isinstance(value, dict):
            return value
        names = next((names for names in self.boxes.values() if len(names) == len(value or ())), ())
        return dict(zip(names, value or (), strict=True))


class NumberBoxesField(forms.Field):
    """Numbers typed into boxes of their own; `of` returns those of a reader as a list."""

    widget: NumberBoxes

    def __init__(self, *, boxes: Boxes, kind: type, open_items: bool, **kwargs: Any) -> None:
        self.boxes, self.kind, self.open_items = boxes, kind, open_items
        step = "1" if kind is int else "any"
        super().__init__(widget=NumberBoxes(boxes, step=step, label=str(kwargs["label"])), **kwargs)

    def to_python(self, value: Any) -> Numbers:
        """Read each box; an empty one is None."""
        return {box: self._number(box, typed) for box, typed in (value or {}).items()}

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare the numbers, not how they are written."""
        try:
            typed = {box: number for box, number in self.to_python(data).items() if number is not None}
        except ValidationError:
            return True
        before = self.widget.numbers(initial)
        return typed != {box: number for box, number in before.items() if number is not None}

    def of(self, reader: object, numbers: Numbers) -> list[float | None] | None:
        """Return the numbers that the reader has; None where none is given and none may stay open."""
        names = next((names for known, names in self.boxes.items() if known == reader), ())
        given = [numbers.get(name) for name in names]
        if self.open_items or not any(number is not None for number in given):
            return given if self.open_items else None
        if None in given:
            raise ValidationError("Fill all of the boxes, or none.")
        return given

    def _number(self, box: str, typed: str) -> float | None:
        if not str(typed).strip():
            return None
        try:
            number: float = self.kind(typed)
        except ValueError as exc:
            kind = "a whole number" if self.kind is int else "a number"
            raise ValidationError(f"“{typed}” for {box} is not {kind}.") from exc
        return number


class LinesField(forms.CharField):
    """Texts, typed one on a line."""

    widget = forms.Textarea(attrs={"rows": 6, "class": "vLargeTextField"})

    def prepare_value(self, value: Any) -> Any:
        """Return the texts as lines; what was typed stays as it was."""
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]  # a list, not one text
        """Return the texts; empty lines are passed over."""
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare texts, not line ends."""
        return list(initial or ()) != self.to_python(data)


class NumbersField(forms.CharField):
    """Numbers that no boxes are named for, typed with commas between them."""

    def __init__(self, *, kind: type, **kwargs: Any) -> None:
        self.kind = kind
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Return the numbers with commas; what was typed stays as it was."""
        return ", ".join(f"{number:g}" for number in value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> list[float]:  # type: ignore[override]  # a list, not one text
        """Return the numbers."""
        try:
            return [self.kind(part) for part in str(value or "").split(",") if part.strip()]
        except ValueError as exc:
            raise ValidationError("Write numbers with commas between them, for example 0.5, 1.") from exc

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare numbers, not how they are written."""
        try:
            return list(initial or ()) != self.to_python(data)
        except ValidationError:
            return True
