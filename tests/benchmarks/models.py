"""What the engine benchmarks share: image data, the two models as entries, and a run in the real sandbox."""

from __future__ import annotations

import csv
import json
import statistics
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

ZIP_ENTRY = """import torch, torchvision

class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.net = torchvision.models.{name}(num_classes=100)

    def forward(self, images):
        return self.net(images)
"""
ROUNDS = 3


def write_images(folder: Path, samples: int) -> None:
    """Write JPEG photographs of 320 x 256 pixels with labels."""
    import cv2
    import numpy as np

    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    with (folder / "labels.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["file", "label"])
        for number in range(samples):
            coarse = random.integers(0, 256, (32, 40, 3), dtype=np.uint8)
            picture = cv2.resize(coarse, (320, 256), interpolation=cv2.INTER_CUBIC)
            cv2.imwrite(str(folder / f"{number:05}.jpg"), picture)
            table.writerow([f"{number:05}.jpg", number % 100])


def write_zip_entry(path: Path, name: str) -> Path:
    """Write a cvpr-zip around a torchvision model with random weights."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.py", ZIP_ENTRY.format(name=name))
    return path


def write_onnx_entry(path: Path, name: str) -> Path:
    """Export the same model with a dynamic batch, in a process of its own."""
    program = (
        "import sys, torch, warnings; warnings.simplefilter('ignore')\n"
        "from scoring.sandboxed.torchvision_ops import declare_missing_operators as d; d()\n"
        "import torchvision; torch.manual_seed(0)\n"
        f"model = torchvision.models.{name}(num_classes=100).eval()\n"
        "torch.onnx.export(model, torch.rand(2, 3, 224, 224), sys.argv[1], dynamo=False, opset_version=17,"
        " input_names=['x'], output_names=['y'], dynamic_axes={'x': {0: 'n'}, 'y': {0: 'n'}})\n"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=True, capture_output=True)
    return path


def measured_in_child(module: str, *arguments: object) -> float:
    """Run the module with arguments in a plain process and return the number that it prints."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def sandboxed_rate(entry: Path, data: Path, cache: Path, *, few: int, many: int) -> float:
    """Return images a second of `predict` in the real sandbox: two lengths of run, so start-up cancels out."""
    from scoring.contracts import Request, Task
    from scoring.intake.archive import unpack
    from scoring.intake.recognise import recognise
    from scoring.packages import FORMATS
    from scoring.readers.image import prepare
    from scoring.sandbox.base import Job
    from scoring.sandbox.bubblewrap import BubblewrapSandbox
    from scoring.sandbox.exchange import interpret
    from scoring.tracks import load_track

    track = load_track("cvpr2022-track1").spec
    walls = {}
    with tempfile.TemporaryDirectory() as folder:
        unpacked = unpack(entry, destination=Path(folder) / "package", limits=track.archive_limits)
        package = recognise(unpacked, allowed=track.formats, formats=FORMATS)
        for samples in (few, many):
            prepared = prepare(data / str(samples), contract=track.input, cache=cache)
            request = Request(
                task=Task.PREDICT,
                format=package.format,
                main=package.main,
                input=track.input,
                output=track.output,
                samples=samples,
                batch_size=track.run_limits.batch_size,
                threads=track.run_limits.threads,
                seed=0,
            )
            job = Job(
                request=request,
                package=package.root,
                inputs=prepared.inputs,
                timeout_s=600,
                limits=track.run_limits,
            )
            run = BubblewrapSandbox().run(job, workdir=Path(folder) / f"run{samples}", tick=lambda: None)
            interpret(run, job)
            walls[samples] = run.wall_s
    return (many - few) / (walls[many] - walls[few])


def paired_medians(peer: Callable[[], float], ours: Callable[[], float]) -> tuple[float, float]:
    """Measure both in turn, so that a busy moment of the machine meets both; return their medians."""
    pairs = [(peer(), ours()) for _ in range(ROUNDS)]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


def say(**facts: object) -> None:
    """Print one line of facts."""
    print(json.dumps(facts), flush=True)
