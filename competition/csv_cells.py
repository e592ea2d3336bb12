"""What may stand in a cell of a CSV file that a spreadsheet opens."""

from __future__ import annotations

from typing import Final

# Spreadsheets run a cell that begins with one of these as a formula; user names may begin with "@", "+" or "-".
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


def inert(text: str) -> str:
    """Return text that a spreadsheet shows instead of running it (formula injection)."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
