"""Uploaded pictures: decoded, and written anew as WebP. What is no picture, or hides something in one, ends here.

Nothing of the uploaded bytes is kept, so neither is what rides along: scripts, places where a photograph was taken.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO
from typing import IO, Final

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from PIL import Image, ImageOps, UnidentifiedImageError

from competition.tracks.models import Picture

FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF")
MAX_BYTES: Final = 10 * 2**20
MAX_PIXELS: Final = 40_000_000
"""Told by the header, before anything is decoded: a small file may unfold to gigabytes."""
WIDTH: Final = 1600
SMALL_WIDTH: Final = 640
_QUALITY: Final = 80
_NOT_DECODABLE: Final = (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError)
_UNREADABLE: Final = "This is no picture that can be read: choose a PNG, JPEG, WebP or GIF file."


@dataclass(frozen=True, kw_only=True)
class Written:
    """A picture written anew: its bytes as WebP, in full and small, and its size in pixels."""

    full: bytes
    small: bytes
    width: int
    height: int


def written_anew(upload: IO[bytes], size: int) -> Written:
    """Return the picture of an uploaded file; raises ValidationError for what is none, or too large."""
    if size > MAX_BYTES:
        raise ValidationError(f"The file has {size:,} bytes; at most {MAX_BYTES:,} are allowed.")
    image = _decoded(upload)
    full, small = _within(image, WIDTH), _within(image, SMALL_WIDTH)
    return Written(full=_webp(full), small=_webp(small), width=full.width, height=full.height)


def put(picture: Picture, written: Written) -> Picture:
    """Store a picture's files and note them in its row, which is for the caller to save."""
    # The store names files itself and never overwrites: what a browser has kept stays true.
    for field, digest, content in (
        ("file", "sha256", written.full),
        ("small", "small_sha256", written.small),
    ):
        sha256 = hashlib.sha256(content).hexdigest()
        getattr(picture, field).save(f"{sha256[:16]}.webp", ContentFile(content), save=False)
        setattr(picture, digest, sha256)
    picture.width, picture.height = written.width, written.height
    return picture


def _decoded(upload: IO[bytes]) -> Image.Image:
    try:
        with Image.open(upload, formats=FORMATS) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise ValidationError(
                    f"The picture has {opened.width:,} × {opened.height:,} pixels; "
                    f"at most {MAX_PIXELS // 1_000_000} million are allowed."
                )
            opened.load()
            upright = ImageOps.exif_transpose(opened)
            return upright.convert(
                "RGBA" if "A" in upright.getbands() or "transparency" in upright.info else "RGB"
            )
    except (*_NOT_DECODABLE, Image.DecompressionBombError) as exc:
        raise ValidationError(_UNREADABLE) from exc


def _within(image: Image.Image, width: int) -> Image.Image:
    """Return the picture no wider than that, and no taller than twice that."""
    smaller = image.copy()
    smaller.thumbnail((width, 2 * width), Image.Resampling.LANCZOS)
    return smaller


def _webp(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "WEBP", quality=_QUALITY, method=4)
    return out.getvalue()
