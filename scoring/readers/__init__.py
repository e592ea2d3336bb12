"""Readers: an organiser's data become numbered arrays; file names and labels stop here.

Trusts the organiser's folder. What leaves towards the sandbox is one array file without names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Final, Protocol, cast

from scoring.contracts import InputContract, Reader
from scoring.data.labels import LabelTable
from scoring.readers.prepared import PreparedData

__all__ = ["READERS", "PreparedData", "ReaderModule"]


class ReaderModule(Protocol):
    """The code of one reader: the module of its name in this package."""

    def prepare(
        self,
        dataset: Path,
        *,
        contract: InputContract,
        cache: Path,
        tick: Callable[[], None] = ...,
        table: LabelTable | None = ...,
    ) -> PreparedData:
        """Bring all rows of the dataset, or those of `table` alone, to the contract; raise `Fault`."""

    def probe_inputs(self, contract: InputContract, workdir: Path) -> Path:
        """Write a few real samples that are no secret, brought to the contract, as an .npy file."""


READERS: Final[Mapping[Reader, ReaderModule]] = {
    reader: cast(ReaderModule, import_module(f"{__name__}.{reader}")) for reader in Reader
}
