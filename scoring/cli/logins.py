"""Tokens that `podium login` keeps: one for each site."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from scoring.cli import kept

_FILE: Final = "logins.json"


def token_for(server: str) -> str | None:
    """Return the token kept for a site."""
    return kept.read(_FILE).get(_key(server))


def only_server() -> str | None:
    """Return the site of the only login, so that its address need not be typed again."""
    known = list(kept.read(_FILE))
    return known[0] if len(known) == 1 else None


def keep(server: str, token: str) -> Path:
    """Keep a token for a site and return the file."""
    return kept.write(_FILE, {**kept.read(_FILE), _key(server): token})


def forget(server: str) -> bool:
    """Forget the token for a site; say whether there was one."""
    known = kept.read(_FILE)
    found = known.pop(_key(server), None) is not None
    if found:
        kept.write(_FILE, known)
    return found


def _key(server: str) -> str:
    return server.rstrip("/").lower()
