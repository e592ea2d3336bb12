"""A sandbox without a process for runs of several chunks, and a program that is killed in one of them.

Its rows depend on the inputs and, by random numbers, on the seed: as bad a case as an entry can be.
"""

import json
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from scoring.benchmark import run
from scoring.benchmark.options import Options
from scoring.benchmark.plan import Mode
from scoring.contracts import Task
from scoring.sandbox.base import Job
from scoring.sandbox.fake import FakeSandbox, measured, predicted
from scoring.tracks import load_track
from tests.tiny import uncaptured

TRACK = "cvpr2022-track1"


@dataclass
class DrawingSandbox(FakeSandbox):
    """Adds random numbers of the request's seed to what it sees; `killed_in` is the chunk it dies in."""

    scripts: dict = field(default_factory=lambda: {Task.MEASURE: [measured()]})
    killed_in: int | None = None
    rows_lost: int = 0

    def run(self, job: Job, *, workdir: Path, tick):  # type: ignore[no-untyped-def]
        if job.request.task is Task.PREDICT:
            if len(self.predicted) == self.killed_in:
                os.kill(os.getpid(), signal.SIGKILL)
            pixels = np.load(job.inputs, mmap_mode="r")
            noise = np.random.default_rng(job.request.seed).random((len(pixels), 100))
            rows = (noise + pixels[:, 0, 0, :1] / 255).astype(np.float32)
            self.scripts = {**self.scripts, Task.PREDICT: [predicted(rows[: len(rows) - self.rows_lost])]}
        return super().run(job, workdir=workdir, tick=tick)

    @property
    def predicted(self) -> list[Job]:
        return [job for job in self.jobs if job.request.task is Task.PREDICT]


def play(root: Path, results_dir: Path | None, sandbox: FakeSandbox, track=None, **options):  # type: ignore[no-untyped-def]
    """Run the benchmark on the data and the entry below `root`."""
    workdir = root / f"work-{len(list(root.iterdir()))}"
    workdir.mkdir()
    return run.run(
        root / "entry.zip",
        track or uncaptured(load_track(TRACK).spec),
        data=root / "data",
        options=Options(
            **{"results_dir": results_dir, "mode": Mode.FULL, "batch_size": 4, "chunk_samples": 8, **options}
        ),
        cache=root / "cache",
        sandbox=sandbox,
        workdir=workdir,
        note=lambda stage: None,
    )


def kept(folder: Path) -> dict[str, object]:
    """Return what must not differ between two runs: all but what the documentation names as times."""
    document = json.loads((folder / "results.json").read_bytes())
    run_id = document.pop("metadata")["run_id"]
    del document["metrics"]
    for name in ("avg_inference_time_ms", "p95_inference_time_ms"):
        del document["results"][name]
    return {
        "records": (folder / "records.parquet").read_bytes(),
        "summary": (folder / "summary.txt").read_bytes(),
        "results": json.dumps(document),
        "run_id": run_id,
    }


if __name__ == "__main__":
    root, results_dir, killed_in = sys.argv[1:]
    play(Path(root), Path(results_dir), DrawingSandbox(killed_in=json.loads(killed_in)))
