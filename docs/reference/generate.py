"""Writes codes.md from the table in scoring.codes: python docs/reference/generate.py."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from scoring.codes import CODES, Code

TARGET = Path(__file__).parent / "codes.md"
INTRODUCTION = """# Codes

<!-- Written by docs/reference/generate.py from scoring/codes.py; do not edit. -->

Codes are stable names: pages, the API, the command line and logs use the same ones. Where a sentence has …, the real
one has the numbers or names of the entry.
"""


def codes_page() -> str:
    """Return the page as it must be."""
    rejections = {name: code for name, code in CODES.items() if not code.warning}
    warnings = {name: code for name, code in CODES.items() if code.warning}
    return "\n".join(
        (INTRODUCTION, *_table("Refusals and rejections", rejections), "", *_table("Warnings", warnings), "")
    )


def _table(title: str, codes: dict[str, Code]) -> Iterator[str]:
    yield from (f"## {title}", "", "| Code | Says | Hint |", "|---|---|---|")
    for name, code in codes.items():
        yield f"| `{name}` | {_readable(code.message)} | {_readable(code.hint)} |"


def _readable(template: str) -> str:
    return re.sub(r"\{[^}]*\}", "…", template).replace("|", "\\|")


if __name__ == "__main__":
    TARGET.write_text(codes_page(), encoding="utf-8")
