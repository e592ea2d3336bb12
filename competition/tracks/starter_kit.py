"""Starter kits: the smallest working package of a track and what belongs to it, as the docs hold them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

from django.conf import settings

from scoring.contracts import TrackSpec
from scoring.pack import write_zip

KITS: Final = Path("docs", "starter-kits")


def folder_for(spec: TrackSpec) -> Path | None:
    """Return the kit named for the track, else the one for its first format; None if neither is there."""
    kits = settings.BASE_DIR / KITS
    # Listed, not joined: a name cannot lead anywhere else.
    known = {folder.name: folder for folder in kits.iterdir() if folder.is_dir()} if kits.is_dir() else {}
    return known.get(spec.slug) or known.get(spec.formats[0])


def as_zip(folder: Path) -> bytes:
    """Return the whole kit as a zip, the same bytes for the same files; its folder `entry` is what is uploaded."""
    buffer = io.BytesIO()
    write_zip(folder, buffer)
    return buffer.getvalue()
