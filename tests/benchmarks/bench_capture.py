"""What it costs to capture an entry as a graph and to count that, beside measuring the entry as it runs.

Both are the whole of `podium check` in the real sandbox, one after the other in the same minute: in wall time,
and in the processor time of all processes, which a busy machine changes less.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from scoring.contracts import Capture, TrackSpec
from scoring.flow import pipeline
from scoring.sandbox.bubblewrap import BubblewrapSandbox
from scoring.tracks import load_track
from tests.benchmarks.entries import of_timm, write_zip_entry
from tests.benchmarks.figures import Figure
from tests.benchmarks.timing import Taken, median, say, taken

MODELS: Final = (
    "resnet50",
    "vit_small_patch16_224",
    "swin_tiny_patch4_window7_224",
    "convnext_tiny",
    "efficientnet_b0",
)
ROUNDS: Final = 3
AT_MOST: Final = 1.0
"""The median model is to take no longer."""


def bench() -> Iterator[Figure]:
    """Yield the ratios for each model, and their medians, which are held to a bound."""
    walls, processors = [], []
    with tempfile.TemporaryDirectory() as folder:
        for name in MODELS:
            say(name)
            running, captured = _medians(write_zip_entry(Path(folder), of_timm(name)))
            walls.append(captured.wall_s / running.wall_s)
            processors.append(captured.processor_s / running.processor_s)
            yield Figure(
                name=f"capturing and counting {name}, to measuring it as it runs",
                value=walls[-1],
                rounds=ROUNDS,
                note=f"{captured} and {running}",
            )
    for kind, ratios in (("wall time", walls), ("processor time", processors)):
        yield Figure(
            name=f"capturing and counting, to measuring as it runs: median model, {kind}",
            value=statistics.median(ratios),
            at_most=AT_MOST,
            rounds=ROUNDS,
        )


def _medians(entry: Path) -> tuple[Taken, Taken]:
    """Return what measuring takes of an entry as it runs, and captured."""
    spec = load_track("cvpr2022-track1").spec
    pairs = [(_check(entry, spec, Capture.OFF), _check(entry, spec, Capture.REQUIRED)) for _ in range(ROUNDS)]
    running, captured = (median(side) for side in zip(*pairs, strict=True))
    return running, captured


def _check(entry: Path, spec: TrackSpec, capture: Capture) -> Taken:
    budgets = replace(spec.budgets, capture=capture, max_parameters=None, max_macs=None)
    track = replace(spec, budgets=budgets)
    with tempfile.TemporaryDirectory() as folder:
        return taken(
            lambda: pipeline.check(
                entry, track, sandbox=BubblewrapSandbox(), workdir=Path(folder), note=lambda stage: None
            )
        )
