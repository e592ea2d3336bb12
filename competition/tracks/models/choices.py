"""Enums of the contracts as the choices of a column."""

from __future__ import annotations

from enum import StrEnum


def choices(enum: type[StrEnum]) -> list[tuple[str, str]]:
    """Return the members, each under its own name."""
    return [(member.value, member.value) for member in enum]
