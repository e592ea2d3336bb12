"""One loader for each package format. A loader runs the entry's code or graph for the first time."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Final, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import FORMAT_FACTS, Kind, Request
from scoring.sandboxed.inputs import Pixels

CAPTURED: Final = "scoring.sandboxed.loaders.captured"


class Entry(Protocol):
    """A loaded entry."""

    def prepare(self, pixels: Pixels) -> None:
        """Settle how the engine runs, trying it on a few samples; called once before `predict`."""

    def predict(self, pixels: Pixels) -> NDArray[np.float32]:
        """Return one float32 row for each sample of the batch, or raise `Refusal`."""


class Loader(Protocol):
    """The loader of one format, a module of this package."""

    def load(self, package: Path, request: Request) -> Entry:
        """Return the entry, ready to be prepared."""


def load_entry(package: Path, request: Request) -> Entry:
    """Load the entry by its format's loader, or its graph."""
    return cast(Loader, import_module(loader_of(request.kind))).load(package, request)


def loader_of(kind: Kind) -> str:
    """Return the name of the module that loads a package of that kind."""
    return CAPTURED if kind.captured else FORMAT_FACTS[kind.format].loader
