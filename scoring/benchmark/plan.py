"""The frozen sample plan of a benchmark run: which samples, in which order; pure, so that it can be repeated.

Every choice is a hash of the seed and a file's name: no state, no thread and no order of rows in
`labels.csv` can change it, and adding a group leaves the order inside the others alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from scoring.benchmark.provenance import Provenance, provenance
from scoring.contracts import READER_FACTS, Reader
from scoring.data.labels import LabelRow, LabelTable

VERSION: Final = 2
DEFAULT_SEED: Final = 42
MAX_SEED: Final = 2**31 - 1


class Mode(StrEnum):
    """How much of a dataset is scored."""

    DEBUG = "debug"
    SMALL = "small"
    FULL = "full"
    ALL = "all"


MOST_SAMPLES: Final[Mapping[Mode, Mapping[Reader, int] | None]] = {
    Mode.DEBUG: {reader: facts.debug_samples for reader, facts in READER_FACTS.items()},
    Mode.SMALL: dict.fromkeys(Reader, 5_000),
    Mode.FULL: {reader: facts.full_samples for reader, facts in READER_FACTS.items()},
    Mode.ALL: None,
}
"""Samples of one run by mode and reader; `None` means all, whatever the groups are."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """How a group takes part: `weight` shares where others have one, and at most so many samples."""

    weight: int
    most: int


PARTS: Final[Mapping[Provenance, Part]] = {
    Provenance.PUBLIC: Part(weight=1, most=2_000),
    Provenance.HOLDOUT: Part(weight=1, most=2_000),
    Provenance.GASSTATION: Part(weight=5, most=10_000),
}
"""GASBench's own numbers. Its floors, 100 and 500, are scaled down to a group's share, which is never less."""


@dataclass(frozen=True, kw_only=True)
class SamplePlan:
    """The planned samples in the order in which the model meets them."""

    mode: Mode
    seed: int
    rows: tuple[LabelRow, ...]
    weighted: bool
    grouped: bool

    def table(self) -> LabelTable:
        """Return the planned rows as a table that a reader can prepare."""
        return LabelTable(rows=self.rows, weighted=self.weighted, grouped=self.grouped)

    def digest(self) -> str:
        """Return "sha256:…" of the mode, the seed and every planned sample in its order."""
        facts = {
            "version": VERSION,
            "mode": self.mode,
            "seed": self.seed,
            "samples": [[row.file, row.label, row.group, row.weight] for row in self.rows],
        }
        canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"))
        return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()

    def seed_of(self, *purpose: object) -> int:
        """Return a seed fixed by the plan's seed and a purpose, such as the number of a chunk."""
        return int.from_bytes(_rank(self.seed, *purpose)[:4], "big") % (MAX_SEED + 1)


def make_plan(table: LabelTable, *, mode: Mode, reader: Reader, seed: int = DEFAULT_SEED) -> SamplePlan:
    """Choose and order the samples of a run. Groups share by their parts; a small one gives all it has."""
    by_group: dict[str, list[LabelRow]] = {}
    for row in sorted(table.rows, key=lambda row: _rank(seed, "choose", row.file)):
        by_group.setdefault(row.group, []).append(row)
    sizes = {group: len(rows) for group, rows in by_group.items()}
    shares = _shares(sizes, limits=MOST_SAMPLES[mode], reader=reader, grouped=table.grouped, seed=seed)
    chosen = [row for group, rows in by_group.items() for row in rows[: shares[group]]]
    ordered = sorted(chosen, key=lambda row: _rank(seed, "order", row.file))
    return SamplePlan(
        mode=mode, seed=seed, rows=tuple(ordered), weighted=table.weighted, grouped=table.grouped
    )


def first_of_each_group(plan: SamplePlan, samples: int) -> tuple[int, ...]:
    """Return the positions in the plan of the first `samples` samples of each group, in plan order."""
    seen: dict[str, int] = {}
    positions = []
    for position, row in enumerate(plan.rows):
        seen[row.group] = seen.get(row.group, 0) + 1
        if seen[row.group] <= samples:
            positions.append(position)
    return tuple(positions)


def share_out(
    sizes: Mapping[str, int], weights: Mapping[str, int], *, most: int, seed: int
) -> dict[str, int]:
    """Divide `most` samples among groups by weight: what a small group lacks goes to the others.

    A floor for each group is thereby scaled down to its share, so that no number of groups takes a
    run past `most`. Samples that do not divide go to groups in an order of the seed.
    """
    shares = dict.fromkeys(sizes, 0)
    left = min(most, sum(sizes.values()))
    open_groups = sorted(sizes, key=lambda group: _rank(seed, "share", group))
    while left:
        open_groups = [group for group in open_groups if shares[group] < sizes[group]]
        step = max(1, left // sum(weights[group] for group in open_groups))
        for group in open_groups:
            given = min(step * weights[group], sizes[group] - shares[group], left)
            shares[group] += given
            left -= given
    return shares


def _shares(
    sizes: Mapping[str, int],
    *,
    limits: Mapping[Reader, int] | None,
    reader: Reader,
    grouped: bool,
    seed: int,
) -> Mapping[str, int]:
    if limits is None:
        return sizes
    parts = {group: PARTS[provenance(group)] for group in sizes}
    if grouped:
        # Rows without groups are no dataset among others: only the size of the run bounds them.
        sizes = {group: min(size, parts[group].most) for group, size in sizes.items()}
    weights = {group: part.weight for group, part in parts.items()}
    return share_out(sizes, weights, most=limits[reader], seed=seed)


def _rank(seed: int, *purpose: object) -> bytes:
    return hashlib.sha256(json.dumps([seed, *purpose]).encode()).digest()
