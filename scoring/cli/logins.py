"""Tokens that `podium login` keeps: one for each site, in a file that only its owner can read."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

_FILE: Final = "logins.json"


def folder() -> Path:
    """Return where the settings of one's programs are kept on this system."""
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home()) / "podium"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "podium"


def token_for(server: str) -> str | None:
    """Return the token kept for a site."""
    return _read().get(_key(server))


def only_server() -> str | None:
    """Return the site of the only login, so that its address need not be typed again."""
    known = list(_read())
    return known[0] if len(known) == 1 else None


def keep(server: str, token: str) -> Path:
    """Keep a token for a site and return the file."""
    return _write({**_read(), _key(server): token})


def forget(server: str) -> bool:
    """Forget the token for a site; say whether there was one."""
    known = _read()
    found = known.pop(_key(server), None) is not None
    if found:
        _write(known)
    return found


def _key(server: str) -> str:
    return server.rstrip("/").lower()


def _read() -> dict[str, str]:
    """Return what is kept; a file that cannot be read as such counts as none."""
    try:
        found = json.loads((folder() / _FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    pairs = found.items() if isinstance(found, dict) else ()
    return {name: token for name, token in pairs if isinstance(token, str)}


def _write(logins: dict[str, str]) -> Path:
    """Write the file whole or not at all, for its owner alone from its first byte."""
    folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=folder(), prefix=_FILE)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(logins, file, indent=2)
        Path(name).replace(folder() / _FILE)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
    return folder() / _FILE
