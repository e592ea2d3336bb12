"""What a CSV file is made of that a spreadsheet opens."""

from __future__ import annotations

from typing import Final

UTF8_MARK: Final = "\ufeff"
"""How a file begins: without it Excel takes letters beyond ASCII for those of another encoding."""
# Spreadsheets run a cell that begins with one of these as a formula; user names may begin with "@", "+" or "-".
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


def inert(text: str) -> str:
    """Return text that a spreadsheet shows instead of running it (formula injection)."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


class Echo:
    """What a CSV writer takes for a file: it hands each line back instead of keeping it."""

    def write(self, line: str) -> str:
        """Return the line."""
        return line
