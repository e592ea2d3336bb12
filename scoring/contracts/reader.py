"""Readers of organisers' data, and what is declared of each.

The site, the schema and the child read the declarations, so they need the standard library only. The
code of a reader is the module of its name in `scoring.readers`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    again. `noun` is the word for one of its files, `batch` for several samples, and `kinds` for the files
    whose first `HEAD_BYTES` bytes look right. `sides` name the numbers of an input's shape. `stored` is the
    element type of its array file: bytes for pixels, floats from -1 to 1 for sound. A benchmark run takes
    at most so many samples in the modes debug and full.
    """

    version: str
    noun: str
    batch: str
    kinds: str
    looks_right: Callable[[bytes], bool]
    sides: tuple[str, ...]
    stored: Dtype
    debug_samples: int
    full_samples: int


MAX_FRAMES: Final = 64
HEAD_BYTES: Final = 12
MATROSKA: Final = b"\x1aE\xdf\xa3"
# What an MP4, MOV or M4A file may begin with.
ISO_BOXES: Final = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"})


def _is_image(head: bytes) -> bool:
    if head[:4] == b"RIFF":
        return head[8:12] == b"WEBP"
    return head.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*"))


def _is_video(head: bytes) -> bool:
    if head[:4] == b"RIFF":
        return head[8:12] == b"AVI "
    return head.startswith(MATROSKA) or head[4:8] in ISO_BOXES


def _is_sound(head: bytes) -> bool:
    if head[:4] == b"RIFF":
        return head[8:12] == b"WAVE"
    # An MPEG frame begins with eleven bits that are set, then its version and layer.
    bare_mpeg = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0
    return bare_mpeg or head.startswith((b"fLaC", b"OggS", b"ID3")) or head[4:8] in ISO_BOXES


READER_FACTS: Final[Mapping[Reader, ReaderFacts]] = {
    Reader.IMAGE: ReaderFacts(
        version="1",
        noun="image",
        batch="images",
        kinds="PNG, JPEG, WebP, BMP or TIFF image",
        looks_right=_is_image,
        sides=("channels", "height", "width"),
        stored=Dtype.UINT8,
        debug_samples=100,
        full_samples=55_000,
    ),
    Reader.VIDEO: ReaderFacts(
        version="1",
        noun="video",
        batch="clips",
        kinds="MP4, MOV, WebM, MKV or AVI video",
        looks_right=_is_video,
        sides=("frames", "channels", "height", "width"),
        stored=Dtype.UINT8,
        debug_samples=50,
        full_samples=26_000,
    ),
    Reader.AUDIO: ReaderFacts(
        version="1",
        noun="sound",
        batch="sounds",
        kinds="WAV, FLAC, MP3, M4A, AAC or Ogg sound",
        looks_right=_is_sound,
        sides=("samples",),
        stored=Dtype.FLOAT32,
        debug_samples=50,
        full_samples=37_000,
    ),
}


def readers_with(side: str) -> tuple[Reader, ...]:
    """Return the readers whose samples have such a side: "channels" of pictures, "frames" of video."""
    return tuple(reader for reader, facts in READER_FACTS.items() if side in facts.sides)


def stored_dtype(reader: Reader) -> Dtype:
    """Return the element type of a reader's array file."""
    return READER_FACTS[reader].stored
