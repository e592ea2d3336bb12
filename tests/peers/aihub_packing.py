"""Packs a model folder as `podium pack` does, with random weights in the place of the network's.

    python -m tests.peers.aihub_packing FOLDER MODEL_ID REPORT

A child of its own: clones of several folders have modules of the same names.
"""

from __future__ import annotations

import sys
from pathlib import Path

from scoring.contracts import Format
from scoring.sandboxed.downloads import NotBrought
from scoring.sandboxed.downloads.source import Download
from scoring.sandboxed.gather.__main__ import gather
from scoring.sandboxed.gather.fetched import WEIGHTS, Fetched
from tests.peers import aihub_weights


class MadeUp(Fetched):
    """Finds what is in the folder, clones what it is built from, and makes all else up."""

    def get(self, asked: str, download: Download) -> Path:
        """Return the file, in the folder, with weights of the right shapes."""
        return super().get(asked, lambda to: self._make(asked, to))

    def bring_clone(self, url: str, commit: str, place: Path, *, patch: Path | None = None) -> Path:
        """Clone the repository, and write what its own code would download into it."""
        clone = super().bring_clone(url, commit, place, patch=patch)
        aihub_weights.IN_CLONES.get(self.root.name, lambda folder: None)(self.root)
        return clone

    def _make(self, asked: str, to: Path) -> None:
        made = self.root / WEIGHTS / asked
        if not aihub_weights.write(asked, self.root, made) or not made.exists():
            raise NotBrought(asked)
        made.replace(to)


if __name__ == "__main__":
    _folder, _model_id, _report = sys.argv[1:]
    gather(MadeUp(Path(_folder)), Format.QAIHUB, _model_id, Path(_report))
