"""Readers: an organiser's data become numbered arrays; file names and labels stop here.

Trusts the organiser's folder. What leaves towards the sandbox is one array file without names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from scoring.contracts import InputContract, Reader
from scoring.data.labels import LabelTable
from scoring.readers import audio, image, video
from scoring.readers.prepared import PreparedData

__all__ = ["READERS", "PreparedData", "ReaderDefinition"]


class Prepare(Protocol):
    """Bring a dataset to the input contract, or find it already brought there."""

    def __call__(
        self,
        dataset: Path,
        *,
        contract: InputContract,
        cache: Path,
        tick: Callable[[], None] = ...,
        table: LabelTable | None = ...,
    ) -> PreparedData:
        """Read all rows of the dataset, or those of `table` alone; raise `Fault` when that cannot be."""


@dataclass(frozen=True, kw_only=True)
class ReaderDefinition:
    """One reader. A new `version` makes every cached array be built again.

    `noun` is the word for one of its files; `probe_inputs` writes a few real samples that are no
    secret; `find_undecodable` decodes a whole dataset and names the rows that fail.
    """

    version: str
    noun: str
    prepare: Prepare
    probe_inputs: Callable[[InputContract, Path], Path]
    find_undecodable: Callable[[Path], tuple[str, ...]]


READERS: dict[Reader, ReaderDefinition] = {
    Reader.IMAGE: ReaderDefinition(
        version=image.VERSION,
        noun=image.DECODING.noun,
        prepare=image.prepare,
        probe_inputs=image.probe_inputs,
        find_undecodable=image.find_undecodable,
    ),
    Reader.VIDEO: ReaderDefinition(
        version=video.VERSION,
        noun=video.DECODING.noun,
        prepare=video.prepare,
        probe_inputs=video.probe_inputs,
        find_undecodable=video.find_undecodable,
    ),
    Reader.AUDIO: ReaderDefinition(
        version=audio.VERSION,
        noun=audio.DECODING.noun,
        prepare=audio.prepare,
        probe_inputs=audio.probe_inputs,
        find_undecodable=audio.find_undecodable,
    ),
}
