"""What it costs to capture an entry as a graph and to count that, beside measuring the entry as it runs.

Both are the whole measure stage in the real sandbox, one after the other in the same minute.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
import zipfile
from dataclasses import replace
from pathlib import Path

from scoring.contracts import Capture, Stage, TrackSpec
from scoring.flow import pipeline
from scoring.sandbox.bubblewrap import BubblewrapSandbox
from scoring.tracks import load_track
from tests.benchmarks.models import say

MODELS = (
    "resnet50",
    "vit_small_patch16_224",
    "swin_tiny_patch4_window7_224",
    "convnext_tiny",
    "efficientnet_b0",
)
ENTRY = """import timm, torch

class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.net = timm.create_model("{name}", num_classes=100)

    def forward(self, images):
        return self.net(images)
"""
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))


def main() -> int:
    """Print seconds and their ratio for each model; return 1 if one was not captured."""
    spec = load_track("cvpr2022-track1").spec
    ratios, lost = [], []
    with tempfile.TemporaryDirectory() as folder:
        for name in MODELS:
            entry = Path(folder) / f"{name}.zip"
            with zipfile.ZipFile(entry, "w") as archive:
                archive.writestr("model.py", ENTRY.format(name=name))
            taken: dict[Capture, list[float]] = {Capture.OFF: [], Capture.PREFERRED: []}
            for _ in range(ROUNDS):
                for capture, seconds in taken.items():
                    seconds.append(_measure(entry, spec, capture, lost))
            running, captured = (statistics.median(each) for each in taken.values())
            ratios.append(captured / running)
            say(
                model=name,
                as_it_runs_s=round(running, 1),
                captured_s=round(captured, 1),
                ratio=round(ratios[-1], 2),
            )
    say(median_ratio=round(statistics.median(ratios), 2), not_captured=lost)
    return int(bool(lost))


def _measure(entry: Path, spec: TrackSpec, capture: Capture, lost: list[str]) -> float:
    track = replace(spec, budgets=replace(spec.budgets, capture=capture, max_parameters=None, max_macs=None))
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        report = pipeline.check(
            entry, track, sandbox=BubblewrapSandbox(), workdir=Path(folder), note=lambda stage: None
        )
        seconds = time.perf_counter() - started
    if capture is not Capture.OFF and not report.usage.captured:
        lost.append(f"{entry.stem}: {report.usage.not_captured}")
    return report.timings_s.get(Stage.MEASURE, seconds)


if __name__ == "__main__":
    sys.exit(main())
