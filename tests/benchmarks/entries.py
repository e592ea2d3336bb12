"""What benchmarks score: image data, a few networks as entries, and their runs in the real sandbox."""

from __future__ import annotations

import csv
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from tests.benchmarks.figures import Figure
from tests.benchmarks.timing import in_child, medians, say

Writer = Callable[[Path, "Net"], Path]
Peer = Callable[[str, str], float]
ROUNDS: Final = 3
ENTRY: Final = """import torch{imports}

class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.net = {net}

    def forward(self, images):
        return self.net(images)
"""


@dataclass(frozen=True, kw_only=True)
class Net:
    """A network as an expression, and what that needs beside torch."""

    name: str
    expression: str
    imports: str = ""


TRIVIAL: Final = Net(
    name="trivial",
    expression="torch.nn.Sequential(torch.nn.Conv2d(3, 8, 16, 16), torch.nn.AdaptiveAvgPool2d(1),"
    " torch.nn.Flatten(), torch.nn.Linear(8, 100))",
)
"""Hardly anything but overhead."""


def of_torchvision(name: str) -> Net:
    """Return one of torchvision's, with random weights."""
    return Net(name=name, expression=f"torchvision.models.{name}(num_classes=100)", imports=", torchvision")


def of_timm(name: str) -> Net:
    """Return one of timm's, with random weights."""
    return Net(name=name, expression=f"timm.create_model({name!r}, num_classes=100)", imports=", timm")


@dataclass(frozen=True, kw_only=True)
class Lengths:
    """Two lengths of run: what both have in common, like starting, is not in their difference."""

    few: int
    many: int


ENGINE_NETS: Final[Mapping[str, Lengths]] = {
    "resnet50": Lengths(few=32, many=224),
    "mobilenet_v3_small": Lengths(few=128, many=2_048),
}
"""What the two engine benchmarks run: a heavy network, and one where all but the network weighs most."""


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


def write_zip_entry(folder: Path, net: Net) -> Path:
    """Write a cvpr-zip."""
    path = folder / f"{net.name}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.py", ENTRY.format(imports=net.imports, net=net.expression))
    return path


def write_onnx_entry(folder: Path, net: Net) -> Path:
    """Export the same network with a dynamic batch, in a process of its own."""
    path = folder / f"{net.name}.onnx"
    in_child(export, ENTRY.format(imports=net.imports, net=net.expression), path)
    return path


def export(source: str, path: str) -> None:
    """Export the model of an entry's source."""
    import torch

    from scoring.sandboxed.torchvision_ops import declare_missing_operators

    declare_missing_operators()
    names: dict[str, type[torch.nn.Module]] = {}
    exec(source, names)  # noqa: S102 - our own text
    dynamic = {"x": {0: "n"}, "y": {0: "n"}}
    torch.onnx.export(
        names["Model"]().eval(),
        (torch.rand(2, 3, 224, 224),),
        path,
        dynamo=False,
        opset_version=17,
        input_names=["x"],
        output_names=["y"],
        dynamic_axes=dynamic,
    )


def engine_figures(title: str, write: Writer, peer: Peer, bounds: Mapping[str, float]) -> Iterator[Figure]:
    """Yield, for both networks, images a second in the real sandbox to those of a peer in a plain process."""
    for name, lengths in ENGINE_NETS.items():
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            say(f"{title}: {name}")
            for samples in (lengths.few, lengths.many):
                write_images(root / str(samples), samples)
            entry = write(root, of_torchvision(name))
            theirs, ours = medians(
                partial(in_child, peer, entry, root / str(lengths.many)),
                partial(sandboxed_rate, entry, root, lengths),
                rounds=ROUNDS,
            )
        yield Figure(
            name=f"{title}: {name}",
            value=ours / theirs,
            at_least=bounds[name],
            rounds=ROUNDS,
            note=f"{ours:.1f} and {theirs:.1f} images a second",
        )


def sandboxed_rate(entry: Path, root: Path, lengths: Lengths) -> float:
    """Return images a second of `predict` in the real sandbox."""
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
    walls = []
    with tempfile.TemporaryDirectory() as folder:
        unpacked = unpack(entry, destination=Path(folder) / "package", limits=track.archive_limits)
        package = recognise(unpacked, allowed=track.formats, formats=FORMATS)
        for samples in (lengths.few, lengths.many):
            prepared = prepare(root / str(samples), contract=track.input, cache=root / "cache")
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
            walls.append(run.wall_s)
    return (lengths.many - lengths.few) / (walls[1] - walls[0])
