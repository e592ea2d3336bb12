"""Writes docs/reference/attacks.md from the cases: python -m tests.attacks.table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.attacks.cases import FAMILIES, LAYERS, Case, all_cases

PAGE: Final = Path(__file__).parents[2] / "docs" / "reference" / "attacks.md"
INTRODUCTION: Final = """# Attacks that are tried

<!-- Written by tests/attacks/table.py from the cases in tests/attacks; do not edit. -->

`make attack` tries each of these on the real commands and the real site, and looks from outside at what it left: files,
calls, processes, memory, what participants can read, what was counted, and whether an honest entry scores as before.
[Security](../security.md) says what follows from that. Each attack has to get past two layers; the tables name the one
that it meets first, then the other.
"""


def page() -> str:
    """Return the page as it must be."""
    return "\n".join([INTRODUCTION, *_layers(), *(line for family in FAMILIES for line in _family(family))])


def _layers() -> Iterator[str]:
    yield from ("## Layers", "", "| Layer | What it does |", "|---|---|")
    yield from (f"| {name} | {what} |" for name, what in LAYERS.items())
    yield ""


def _family(family: str) -> Iterator[str]:
    cases = [case for case in all_cases() if case.family == family]
    yield from (
        f"## {FAMILIES[family]} ({len(cases)})",
        "",
        "| Attack | What it wants | Layers |",
        "|---|---|---|",
    )
    yield from map(_row, cases)
    yield ""


def _row(case: Case) -> str:
    wants = case.wants.replace("|", "\\|")
    stopped = ", ".join(case.layers) if not case.pending else f"**not yet stopped**: waits for {case.pending}"
    return f"| `{case.name}` | {wants} | {stopped} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
