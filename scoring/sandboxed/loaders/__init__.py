"""One loader for each package format. A loader runs the entry's code or graph for the first time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import Format, Request
from scoring.sandboxed.inputs import Pixels


class Entry(Protocol):
    """A loaded entry."""

    def prepare(self, pixels: Pixels) -> None:
        """Settle how the engine runs, trying it on a few samples; called once before `predict`."""

    def predict(self, pixels: Pixels) -> NDArray[np.float32]:
        """Return one float32 row for each sample of the batch, or raise `Refusal`."""


def load_cvpr_zip(package: Path, request: Request) -> Entry:
    """Import model.py and build its `Model`."""
    from scoring.sandboxed.loaders import cvpr_zip

    return cvpr_zip.load(package, request)


def load_onnx(package: Path, request: Request) -> Entry:
    """Open an ONNX Runtime session; torch is not imported for it."""
    from scoring.sandboxed.loaders import onnx_graph

    return onnx_graph.load(package, request)


def load_qaihub(package: Path, request: Request) -> Entry:
    """Import model.py over our own base classes and build its model."""
    from scoring.sandboxed.loaders import qaihub

    return qaihub.load(package, request)


def load_gasbench(package: Path, request: Request) -> Entry:
    """Import model.py and call its `load_model` with the path of the weights."""
    from scoring.sandboxed.loaders import gasbench

    return gasbench.load(package, request)


def load_byom(package: Path, request: Request) -> Entry:
    """Load a .pt file: TorchScript, or a state dict into a known architecture."""
    from scoring.sandboxed.loaders import byom

    return byom.load(package, request)


LOADERS: Final[dict[Format, Callable[[Path, Request], Entry]]] = {
    Format.CVPR_ZIP: load_cvpr_zip,
    Format.ONNX: load_onnx,
    Format.QAIHUB: load_qaihub,
    Format.GASBENCH: load_gasbench,
    Format.BYOM: load_byom,
}
