"""Readers of organisers' data, and what is declared of each.

The site, the schema and the child read the declarations, so they need the standard library only. The
code of a reader is the module of its name in `scoring.readers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Dtype(StrEnum):
    """Element types that a model may be given."""

    FLOAT32 = "float32"
    UINT8 = "uint8"


class Reader(StrEnum):
    """Readers; each has a row in `READER_FACTS` and a module in `scoring.readers`."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"


@dataclass(frozen=True, kw_only=True)
class ReaderFacts:
    """What a reader declares.

    `version` changes whenever the same file could become other numbers; every cached array is then built
    again. `noun` is the word for one of its files. `sides` name the numbers of an input's shape.
    `stored` is the element type of its array file: bytes for pixels, floats from -1 to 1 for sound.
    """

    version: str
    noun: str
    sides: tuple[str, ...]
    stored: Dtype


MAX_FRAMES: Final = 64

READER_FACTS: Final[Mapping[Reader, ReaderFacts]] = {
    Reader.IMAGE: ReaderFacts(
        version="1", noun="image", sides=("channels", "height", "width"), stored=Dtype.UINT8
    ),
    Reader.VIDEO: ReaderFacts(
        version="1", noun="video", sides=("frames", "channels", "height", "width"), stored=Dtype.UINT8
    ),
    Reader.AUDIO: ReaderFacts(version="1", noun="sound", sides=("samples",), stored=Dtype.FLOAT32),
}


def readers_with(side: str) -> tuple[Reader, ...]:
    """Return the readers whose samples have such a side: "channels" of pictures, "frames" of video."""
    return tuple(reader for reader, facts in READER_FACTS.items() if side in facts.sides)


def stored_dtype(reader: Reader) -> Dtype:
    """Return the element type of a reader's array file."""
    return READER_FACTS[reader].stored
