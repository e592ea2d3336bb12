"""What the stages of the flow find and hand on, frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import Breakdown, Finding, Package, Quantisation, ScoreValue, TrackSpec, Usage


@dataclass(frozen=True, kw_only=True)
class Loadable:
    """A package as the sandbox loads it: every side of its track is settled, its own options are checked.

    `captured` says that the package is the entry's graph, without any of its code.
    """

    package: Package
    track: TrackSpec
    options: Mapping[str, object]
    captured: bool = False


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Usage as it is compared with the budgets, and what predicts; the log may be shown to the participant."""

    model: Loadable
    usage: Usage
    warnings: tuple[Finding, ...]
    log: str


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The predictions of one run, shape (samples, width), those that were asked again, and what they took."""

    predictions: NDArray[np.float32]
    cpu_s: float
    wall_s: float
    again: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), np.float32))


@dataclass(frozen=True, kw_only=True)
class QuantisedGraph:
    """A graph of which nearly all MACs are of 8-bit factors, and how it came about."""

    model: Loadable
    quantisation: Quantisation
    calibration_samples: int
    share_in_8_bits: float


@dataclass(frozen=True, kw_only=True)
class InEightBits:
    """A quantised graph and what it answers to all hidden inputs."""

    graph: QuantisedGraph
    answers: Answers


@dataclass(frozen=True, kw_only=True)
class Computed:
    """Scores of both splits, and what was right on the public one."""

    public: Mapping[str, ScoreValue]
    private: Mapping[str, ScoreValue]
    breakdown: Breakdown | None
