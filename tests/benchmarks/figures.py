"""What a benchmark finds: figures, each with the bound that it is held to, and what a run of several came to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tests.benchmarks.machine import Machine


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number that was measured. `note` says in words what it was made of; `rounds`, how often it was measured.

    The unit “x” stands for a ratio to what the name mentions, measured in the same minutes.
    """

    name: str
    value: float
    unit: str = "x"
    at_most: float | None = None
    at_least: float | None = None
    rounds: int = 1
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Say whether the value keeps its bound; nothing if it has none."""
        if self.at_most is None and self.at_least is None:
            return None
        return not (
            (self.at_most is not None and self.value > self.at_most)
            or (self.at_least is not None and self.value < self.at_least)
            or self.value != self.value  # not a number
        )

    @property
    def of_time(self) -> bool:
        """Say whether a busy machine changes it: counts and memory stay what they are."""
        return self.unit in {"x", "s"}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one benchmark came to. `failed` says why it broke off.

    `others` is how many cores others kept busy meanwhile, and `busy` whether that is too many to trust times.
    """

    bench: str
    figures: tuple[Figure, ...]
    failed: str = ""
    seconds: float
    others: float
    busy: bool

    @property
    def passed(self) -> bool:
        """Say whether it ended and kept all bounds."""
        return not self.failed and all(figure.met is not False for figure in self.figures)


@dataclass(frozen=True, kw_only=True)
class Report:
    """A run of benchmarks on one machine. `load` is its load average of one minute before anything began."""

    machine: Machine
    started: str
    load: float
    outcomes: tuple[Outcome, ...]

    @property
    def passed(self) -> bool:
        """Say whether every benchmark passed."""
        return all(outcome.passed for outcome in self.outcomes)

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads, and for other readers whether each bound was met."""
        raw = asdict(self)
        for outcome, plain in zip(self.outcomes, raw["outcomes"], strict=True):
            for figure, fields in zip(outcome.figures, plain["figures"], strict=True):
                fields["met"] = figure.met
        return raw

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Report:
        """Read what `to_json` wrote."""
        outcomes = [
            Outcome(**{**each, "figures": tuple(figure_from_json(figure) for figure in each["figures"])})
            for each in raw["outcomes"]
        ]
        return cls(**{**raw, "machine": Machine(**raw["machine"]), "outcomes": tuple(outcomes)})


def figure_from_json(raw: dict[str, Any]) -> Figure:
    """Read a figure; whether it is met follows from it."""
    return Figure(**{name: value for name, value in raw.items() if name != "met"})
