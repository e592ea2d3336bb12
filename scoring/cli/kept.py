"""What commands keep from one call to the next: small files of JSON that only their owner can read."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path


def folder() -> Path:
    """Return where the settings of one's programs are kept on this system."""
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home()) / "podium"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "podium"


def read(name: str) -> dict[str, str]:
    """Return the texts that a file holds; one that cannot be read as such counts as none."""
    try:
        found = json.loads((folder() / name).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    pairs = found.items() if isinstance(found, dict) else ()
    return {key: text for key, text in pairs if isinstance(text, str)}


def write(name: str, texts: Mapping[str, str]) -> Path:
    """Write a file whole or not at all, for its owner alone from its first byte, and return it."""
    folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, made = tempfile.mkstemp(dir=folder(), prefix=name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(dict(texts), file, indent=2)
        Path(made).replace(folder() / name)
    except BaseException:
        with suppress(OSError):
            Path(made).unlink()
        raise
    return folder() / name
