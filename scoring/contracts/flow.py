"""What travels through the flow: files, packages, findings, usage, scores, the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from scoring.contracts.format import Format
from scoring.contracts.track import Precision, TrackSpec


@dataclass(frozen=True, kw_only=True)
class UnpackedFile:
    """One regular file of an unpacked entry: its path with forward slashes, relative to the root."""

    path: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Unpacked:
    """An entry as a folder of plain files, every name checked; `files` are sorted by path."""

    root: Path
    files: tuple[UnpackedFile, ...]
    package_bytes: int


class Stage(StrEnum):
    """Stages of the flow, in order; `note(stage)` announces each."""

    INTAKE = "intake"
    INSPECT = "inspect"
    MEASURE = "measure"
    ENFORCE = "enforce"
    PREDICT = "predict"
    METRIC = "metric"


class Status(StrEnum):
    """Life of an evaluation. `Stage` is progress, a code says why; the three never overlap."""

    QUEUED = "queued"
    RUNNING = "running"
    SCORED = "scored"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Verdict(StrEnum):
    """What `podium check` and `podium score` conclude."""

    ACCEPTED = "accepted"
    SCORED = "scored"
    REJECTED = "rejected"
    FAULT = "fault"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing found in an entry: a code of `scoring.errors`, where, and the numbers.

    Text is rendered from the table (`scoring.errors.render`), never stored by a stage.
    """

    code: str
    path: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What was measured on one package; compared with `Budgets` by `scoring.budget.enforce`.

    `macs` is the count that applies, `binding_counter` says whose it is. `captured` says whether what was
    counted is the graph that predicts, as of every ONNX entry; None where nobody tried. `not_captured`
    tells in words why it is not.
    """

    parameters: int
    trainable_parameters: int
    macs: int
    macs_by_counter: Mapping[str, int | None]
    binding_counter: str = ""
    captured: bool | None = None
    not_captured: str = ""
    uncounted_ops: tuple[str, ...] = ()
    package_bytes: int = 0
    cpu_s_per_sample: float | None = None
    latency_p50_ms: float | None = None
    latency_p95_ms: float | None = None


@dataclass(frozen=True, kw_only=True)
class Package:
    """An entry unpacked and recognised as one format.

    `root` is the folder on disk, `main` the file in it that is loaded (`model.py`, `net.onnx`),
    relative to root. `package_bytes` is the sum of the sizes of all its files. `not_formats` says of
    each other format why the entry is not one.
    """

    format: Format
    root: Path
    main: str
    package_bytes: int
    warnings: tuple[Finding, ...] = ()
    not_formats: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """Why an entry is not of some format; `findings` name what would have to change, if that is clear."""

    why: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StaticCounts:
    """Counts that ran nobody's code. `None` where the format cannot tell without running."""

    parameters: int | None = None
    macs: int | None = None
    uncounted_ops: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Settled:
    """A track as one package meets it: sides that it may choose are filled in from its own words.

    `options` are plain JSON values for the format's loader; the trusted side read and checked them.
    `counts` are what reading the package's files told by the way, such as a weights file's header.
    `applied` says in words what of the package's own settings is done before and after its model.
    """

    track: TrackSpec
    options: Mapping[str, object] = field(default_factory=dict)
    counts: StaticCounts = field(default_factory=StaticCounts)
    warnings: tuple[Finding, ...] = ()
    applied: Mapping[str, str] = field(default_factory=dict)


class PackageFormat(Protocol):
    """The trusted side of one format, a module of `scoring.packages`: looks at files, never runs them."""

    def match(self, unpacked: Unpacked) -> Package | Mismatch:
        """Say whether the files are laid out as this format."""

    def check(self, package: Package, track: TrackSpec) -> tuple[Finding, ...]:
        """Return warnings beyond the package's own; raise `Rejected` with every problem that shows."""

    def settle(self, package: Package, track: TrackSpec) -> Settled:
        """Fill in what the package may choose; called after `check` went through."""


@dataclass(frozen=True, kw_only=True)
class ScoreValue:
    """One score with its 95% confidence interval; `details` holds e.g. the threshold of best F1."""

    value: float
    ci: tuple[float, float]
    higher_is_better: bool
    version: str
    details: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Share:
    """How many samples of one part were called right."""

    samples: int
    correct: int
    accuracy: float


@dataclass(frozen=True, kw_only=True)
class Breakdown:
    """Where an entry is right and wrong, in samples of the public split.

    Rows of `confusion` are labels, columns the classes called; it is empty where there are many.
    """

    by_label: Mapping[str, Share]
    by_group: Mapping[str, Share]
    confusion: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Quantised:
    """What the same entry scores with its graph quantised.

    `drop_points` is what the ranking metric lost on the public split, in points of a hundred; less
    than nothing where it won. `share_in_8_bits` is that of the graph's MACs.
    """

    precision: Precision
    calibration_samples: int
    share_in_8_bits: float
    drop_points: float
    max_drop_points: float
    scores: Mapping[str, ScoreValue]
    private_scores: Mapping[str, ScoreValue] = field(default_factory=dict)


def quantised_name(precision: str, metric: str) -> str:
    """Return the name under which a metric's score in another precision is kept."""
    return f"{precision}_{metric}"


@dataclass(frozen=True, kw_only=True)
class ScoreReport:
    """What the flow returns when it neither rejects nor faults."""

    verdict: Verdict
    format: Format
    track: str
    benchmark: str | None
    usage: Usage
    warnings: tuple[Finding, ...] = ()
    scores: Mapping[str, ScoreValue] = field(default_factory=dict)
    private_scores: Mapping[str, ScoreValue] = field(default_factory=dict)
    breakdown: Breakdown | None = None
    quantised: Quantised | None = None
    samples: int = 0
    timings_s: Mapping[str, float] = field(default_factory=dict)
    applied: Mapping[str, str] = field(default_factory=dict)
    log: str = ""
    isolated: bool = True
    plan: str | None = None
    not_formats: Mapping[str, str] = field(default_factory=dict)
