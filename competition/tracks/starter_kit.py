"""Starter kits: the smallest working package of a track and what belongs to it, as the docs hold them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

from django.conf import settings

from scoring.contracts import Format, InputContract, OutputContract, TrackSpec
from scoring.files.archiving import write_zip
from scoring.tracks import load_track, presets

KITS: Final = Path("docs", "starter-kits")

Contract: TypeAlias = tuple[Format, InputContract, OutputContract]


def folder_for(spec: TrackSpec) -> Path | None:
    """Return the kit named for the track, for its first format, or for a preset of the same contract, or None."""
    kits = settings.BASE_DIR / KITS
    # Listed, not joined: a name cannot lead anywhere else.
    known = {folder.name: folder for folder in kits.iterdir() if folder.is_dir()} if kits.is_dir() else {}
    return known.get(spec.slug) or known.get(spec.formats[0]) or known.get(_preset_alike(spec))


@cache
def _contracts() -> Mapping[str, Contract]:
    return {name: _contract(load_track(name).spec) for name in presets()}


def _preset_alike(spec: TrackSpec) -> str:
    """Return the preset that asks for the same first format, input and output; its kit fits the track too."""
    wanted = _contract(spec)
    return next((name for name, contract in _contracts().items() if contract == wanted), "")


def _contract(spec: TrackSpec) -> Contract:
    return spec.formats[0], spec.input, replace(spec.output, class_names=())


def as_zip(folder: Path) -> bytes:
    """Return the whole kit as a zip, the same bytes for the same files; its folder `entry` is what is uploaded."""
    buffer = io.BytesIO()
    write_zip(folder, buffer)
    return buffer.getvalue()
