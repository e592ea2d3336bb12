"""Files of a dataset that cannot be decoded: rows for everybody, names and causes for the data's owner."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from scoring.errors import Fault

MAX_NAMED: Final = 20


class Undecodable(ValueError):
    """A file is not of the reader's kind, or is damaged; the text says why, not which."""


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A row of `labels.csv` whose file cannot be decoded."""

    row: int
    file: str
    why: str


class UndecodableRows(Fault):
    """Some files cannot be decoded. The text names rows alone; `named` is for the owner of the data."""

    def __init__(self, noun: str, failed: Iterable[Failed]) -> None:
        self.noun = noun
        self.failed = tuple(sorted(failed, key=lambda one: one.row))
        numbers = [f"{one.row:,}" for one in self.failed]
        if len(numbers) == 1:
            super().__init__(f"row {numbers[0]} of the dataset: the {noun} cannot be decoded")
            return
        super().__init__(f"rows {', '.join(_bounded(numbers))} of the dataset: the {noun}s cannot be decoded")

    def named(self) -> str:
        """Return a line for each file and why it cannot be decoded, the first ones where there are many."""
        lines = [f"row {one.row}: “{one.file}”: {one.why}" for one in self.failed]
        return "\n".join([f"files that cannot be decoded as {self.noun}:", *_bounded(lines)])


def _bounded(words: list[str]) -> list[str]:
    more = len(words) - MAX_NAMED
    return [*words[:MAX_NAMED], f"and {more:,} more"] if more > 0 else words
