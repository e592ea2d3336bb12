"""The versions that entries run with: those of env.txt, or where it is not installed those that are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name

# Beside the packages in a checkout and in the containers; a wheel does not bring it.
ENV_FILE: Final = Path(__file__).parents[3] / "env.txt"
_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class EntryPackages:
    """Versions by canonical name; None where nothing but the installed ones are known."""

    pinned: dict[str, str] | None

    def version(self, name: str) -> str | None:
        """Return the version that entries run with, if they run with the package."""
        installed = _installed(name)
        if self.pinned is None:
            return installed
        pinned = self.pinned.get(canonicalize_name(name))
        # A local label such as +cpu names the build of the same release.
        return installed if pinned and installed and installed.partition("+")[0] == pinned else pinned


def entry_packages() -> EntryPackages:
    """Read env.txt if it is there."""
    if not ENV_FILE.is_file():
        return EntryPackages(None)
    found = _PIN.findall(ENV_FILE.read_text("utf-8"))
    return EntryPackages({canonicalize_name(name): version for name, version in found})


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
