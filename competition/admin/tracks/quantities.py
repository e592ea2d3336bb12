"""Counts and sizes as people write them: “30M”, “5 G”, “512 MiB”, “30,000,000”."""

from __future__ import annotations

import re
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

DECIMAL: Final = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9, "t": 10**12}
BYTES: Final = {
    "": 1,
    "b": 1,
    "bytes": 1,
    **{f"{prefix}b": 1000**power for power, prefix in enumerate("kmgt", start=1)},
    **{f"{prefix}ib": 1024**power for power, prefix in enumerate("kmgt", start=1)},
}
BINARY_UNITS: Final = (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))
LARGEST: Final = 2**63 - 1
_WRITTEN: Final = re.compile(r"([0-9][0-9,_ ]*(?:\.[0-9]+)?)\s*([a-z]*)", re.IGNORECASE)


def read_quantity(text: str, units: dict[str, int]) -> int:
    """Parse the text as a whole number; raise ValueError with the problem."""
    written = _WRITTEN.fullmatch(text.strip())
    if written is None or written[2].lower() not in units:
        raise ValueError(f"“{text}” is not a number (with or without a unit)")
    whole, _, fraction = re.sub(r"[,_ ]", "", written[1]).partition(".")
    scale = 10 ** len(fraction)
    value: int
    value, rest = divmod(int(whole + fraction) * units[written[2].lower()], scale)
    if rest:
        raise ValueError(f"“{text}” is not a whole number")
    if value > LARGEST:
        raise ValueError(f"“{text}” is too large")
    return value


def write_bytes(value: int) -> str:
    """Return a size in the largest binary unit that divides it, else as grouped digits."""
    for unit, size in BINARY_UNITS:
        if value >= size and value % size == 0:
            return f"{value // size:,} {unit}"
    return f"{value:,}"


class CountField(forms.Field):
    """A whole number, written with a decimal unit if one likes."""

    units = DECIMAL
    widget = forms.TextInput(attrs={"inputmode": "text", "class": "vTextField quantity"})

    def to_python(self, value: Any) -> int | None:
        """Read what was typed; an empty field is None."""
        if value in self.empty_values:
            return None
        try:
            return read_quantity(str(value), self.units)
        except ValueError as exc:
            raise ValidationError(f"{exc}. {self.examples()}") from exc

    def prepare_value(self, value: Any) -> Any:
        """Group the digits of a number; what was typed and is wrong stays as it is."""
        return self.write(value) if isinstance(value, int) else value

    def write(self, value: int) -> str:
        """Return the number as the field shows it."""
        return f"{value:,}"

    def examples(self) -> str:
        """Return how numbers may be written here."""
        return "For example, write 30,000,000 or 30M."


class BytesField(CountField):
    """A number of bytes, written with a decimal or binary unit if one likes."""

    units = BYTES

    def write(self, value: int) -> str:
        """Return the size as the field shows it."""
        return write_bytes(value)

    def examples(self) -> str:
        """Return how sizes may be written here."""
        return "For example, write 536,870,912, 500 MB or 512 MiB."
