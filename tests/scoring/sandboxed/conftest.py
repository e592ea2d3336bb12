from __future__ import annotations

import json
import os
import subprocess
import sys
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
    Letter,
    OutputContract,
    OutputKind,
    Reader,
    Request,
    Task,
)
from scoring.sandbox.sealed import unsealed

REPOSITORY = Path(__file__).parents[3]
WIDTH = 3
SEAL = "seal"
START = (
    "import runpy, sys; sys.modules.update(dict.fromkeys(filter(None, [{broken!r}])));"
    "runpy.run_module('scoring.sandboxed', run_name='__main__', alter_sys=True)"
)
READERS_BY_DIMENSIONS = {2: Reader.AUDIO, 4: Reader.IMAGE, 5: Reader.VIDEO}


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
    """Starts the real child process on a package written by the test."""

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
        broken: str | None = None,
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
        )
        paths = {name: self._folder / name for name in ("request", "inputs.npy", "outputs")}
        paths["request"].write_text(request.to_json())
        np.save(paths["inputs.npy"], self.pixels)
        paths["outputs"].write_bytes(b"left over from before")
        reader, writer = os.pipe()
        ended = subprocess.run(
            [
                *(sys.executable, "-c", START.format(broken=broken)),
                *("--kind", request.kind.to_word(), "--request", paths["request"]),
                *("--package", self.package, "--inputs", paths["inputs.npy"]),
                *("--reply", str(writer), "--outputs", paths["outputs"]),
            ],
            cwd=REPOSITORY,
            env={"PATH": os.environ["PATH"], "HOME": str(self._folder)},
            capture_output=True,
            text=True,
            input=Letter(seal=SEAL).to_bytes().decode(),
            pass_fds=(writer,),
        )
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            said = unsealed(pipe.read(), Letter(seal=SEAL))
        return Finished(
            exit_code=ended.returncode,
            entry_began=said.entry_began,
            reply=json.loads(said.reply) if said.reply else None,
            outputs=paths["outputs"].read_bytes(),
            log=ended.stdout + ended.stderr,
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
