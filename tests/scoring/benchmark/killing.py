"""A benchmark run in the real sandbox, as a program whose process group is killed while a chunk is predicted.

The entry draws random numbers, so that a chunk predicted again shows whether its seed is the same.
"""

import json
import os
import signal
import sys
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from safetensors.numpy import save

from scoring.contracts import Kind, RunLimits, Task
from scoring.sandbox.base import Job, Run
from scoring.sandbox.bubblewrap import BubblewrapSandbox
from scoring.tracks import load_track
from tests.scoring.benchmark.playing import play

SAMPLES = 8
CONFIG = """
name: noisy
version: "1.0"
modality: image
preprocessing: {resize: [32, 32]}
model: {num_classes: 2}
"""
MODEL = """
import torch
from safetensors.torch import load_file

class Noisy(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.last = torch.nn.Linear(3, 2)

    def forward(self, pixels):
        return self.last(pixels.float().mean((2, 3)) / 255) + torch.rand(len(pixels), 2)

def load_model(weights_path, num_classes=2):
    model = Noisy()
    model.load_state_dict(load_file(weights_path))
    return model
"""


@dataclass
class KillingSandbox:
    """Runs each job in bubblewrap; while it runs prediction `killed_in`, the process group is killed."""

    killed_in: int | None = None
    predictions: int = 0
    real: BubblewrapSandbox = field(default_factory=BubblewrapSandbox)

    @property
    def isolated(self) -> bool:
        return self.real.isolated

    def expect(self, kinds: Iterable[Kind], limits: RunLimits) -> None:
        self.real.expect(kinds, limits)

    def run(self, job: Job, *, workdir: Path, tick: Callable[[], None]) -> Run:
        if job.request.task is Task.PREDICT:
            if self.predictions == self.killed_in:
                tick = kill_the_group
            self.predictions += 1
        return self.real.run(job, workdir=workdir, tick=tick)


def kill_the_group() -> None:
    os.killpg(os.getpgrp(), signal.SIGKILL)


def write_entry_and_data(root: Path) -> None:
    """Write a gasbench entry and eight pictures in two groups."""
    weights = {
        "last.weight": np.array([[-1, -1, -1], [1, 1, 1]], np.float32),
        "last.bias": np.zeros(2, np.float32),
    }
    with zipfile.ZipFile(root / "entry.zip", "w") as archive:
        archive.writestr("model_config.yaml", CONFIG)
        archive.writestr("model.py", MODEL)
        archive.writestr("model.safetensors", save(weights))
    (root / "data").mkdir()
    random = np.random.default_rng(0)
    rows = ["file,label,group"]
    for number in range(SAMPLES):
        picture = random.integers(0, 100 + 10 * number, (80, 60, 3)).astype(np.uint8)
        cv2.imwrite(str(root / "data" / f"{number}.png"), picture)
        rows.append(f"{number}.png,{number % 2},group {number % 3 // 2}")
    (root / "data" / "labels.csv").write_text("\n".join(rows) + "\n")


def play_augmented(root: Path, results_dir: Path, sandbox: KillingSandbox) -> None:
    """Run two chunks of all samples, and one of two samples of each group worn."""
    track = load_track("gasbench-image").spec
    play(root, results_dir, sandbox, track=track, augmented=2, batch_size=2, chunk_samples=4)


if __name__ == "__main__":
    root, results_dir, killed_in = sys.argv[1:]
    play_augmented(Path(root), Path(results_dir), KillingSandbox(killed_in=json.loads(killed_in)))
