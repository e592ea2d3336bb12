from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scoring.contracts import (
    Dtype,
    Format,
    InputContract,
    OutputContract,
    OutputKind,
    Reader,
    Request,
    RunLimits,
    Task,
)
from scoring.sandbox.base import Job
from scoring.sandbox.unconfined import UnconfinedSandbox
from tests.forked.sandbox import quick_sandbox

WIDTH = 3
LIMITS = RunLimits(max_memory_bytes=2**33, max_file_bytes=2**30, threads=1)
START = (
    "import runpy, sys; sys.modules.update(dict.fromkeys(filter(None, [{broken!r}])));"
    "runpy.run_module('scoring.sandboxed', run_name='__main__', alter_sys=True)"
)
READERS_BY_DIMENSIONS = {2: Reader.AUDIO, 4: Reader.IMAGE, 5: Reader.VIDEO}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs the child as slow: the first of them waits for torch."""
    for item in items:
        if "child" in getattr(item, "fixturenames", ()):
            item.add_marker("slow")


@dataclass(frozen=True)
class Finished:
    exit_code: int
    entry_began: bool
    reply: dict[str, Any] | None
    outputs: bytes
    log: str

    @property
    def rows(self) -> np.ndarray:
        return np.frombuffer(self.outputs, "<f4").reshape(-1, WIDTH)


class Child:
    """Runs the real child on a package written by the test."""

    def __init__(self, folder: Path) -> None:
        self.package = folder / "package"
        self.package.mkdir()
        self._folder = folder
        self.pixels = np.random.default_rng(0).integers(0, 256, (5, 3, 16, 16), dtype=np.uint8)

    def write(self, name: str, text: str) -> None:
        (self.package / name).write_text(text)

    def run(
        self,
        task: Task,
        package_format: Format = Format.CVPR_ZIP,
        *,
        main: str = "model.py",
        batch_size: int = 2,
        width: int = WIDTH,
        kind: OutputKind = OutputKind.LOGITS,
        dtype: Dtype = Dtype.FLOAT32,
        low: float = 0.0,
        high: float = 1.0,
        options: Mapping[str, object] | None = None,
        seed: int = 7,
        may_start_processes: bool = False,
        captured: bool = False,
        again: tuple[int, ...] = (),
        again_batch: int = 1,
        broken: str | None = None,
        anew: bool = False,
    ) -> Finished:
        """Run one request; `broken` names a module of ours that cannot be imported."""
        request = Request(
            task=task,
            format=package_format,
            main=main,
            input=InputContract(
                reader=READERS_BY_DIMENSIONS[self.pixels.ndim],
                shape=self.pixels.shape[1:],
                dtype=dtype,
                low=low,
                high=high,
            ),
            output=OutputContract(kind=kind, width=width),
            samples=len(self.pixels),
            batch_size=batch_size,
            threads=1,
            seed=seed,
            may_start_processes=may_start_processes,
            options=options or {},
            captured=captured,
            again=again,
            again_batch=again_batch,
        )
        inputs = self._folder / "inputs.npy"
        np.save(inputs, self.pixels)
        job = Job(request=request, package=self.package, inputs=inputs, timeout_s=600.0, limits=LIMITS)
        cold = UnconfinedSandbox(child=("-c", START.format(broken=broken)))
        run = (cold if broken or anew else quick_sandbox()).run(
            job, workdir=self._folder / "work", tick=lambda: None
        )
        return Finished(
            exit_code=run.exit_code,
            entry_began=run.entry_began,
            reply=json.loads(run.reply) if run.reply else None,
            outputs=run.outputs.read_bytes(),
            log=run.log,
        )


@pytest.fixture
def child(tmp_path: Path) -> Child:
    return Child(tmp_path)


@pytest.fixture
def model(child: Child) -> Callable[[str], Child]:
    """Write a model.py whose forward is the given expression of x; `init` runs in the constructor."""

    def write(forward: str, *, init: str = "pass", head: str = "") -> Child:
        child.write(
            "model.py",
            f"import torch\n{head}\n"
            "class Model(torch.nn.Module):\n"
            "    def __init__(self):\n"
            "        super().__init__()\n"
            f"        {init}\n"
            "    def forward(self, x):\n"
            f"        return {forward}\n",
        )
        return child

    return write
