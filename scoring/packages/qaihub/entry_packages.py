"""The versions that entries run with: those that are pinned, or without env.txt those that are installed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scoring import environment


@dataclass(frozen=True)
class EntryPackages:
    """Versions by canonical name; None where nothing but the installed ones are known."""

    pinned: Mapping[str, str] | None

    def version(self, name: str) -> str | None:
        """Return the version that entries run with, if they run with the package."""
        installed = environment.installed(name)
        if self.pinned is None:
            return installed
        pinned = self.pinned.get(environment.canonical(name))
        return installed if pinned and installed and environment.release(installed) == pinned else pinned


def entry_packages(name: str) -> EntryPackages:
    """Read what the environment of that name pins, if its list is there."""
    return EntryPackages(environment.pins(name))
