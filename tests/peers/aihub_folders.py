"""Checks AI Hub's model folders as they stand, each on a track of the input that its model states.

    python -m tests.peers.aihub_folders FOLDERS RESULTS [NAME …]

FOLDERS holds model folders; what they download is made as they ask for it (see `aihub_weights`). RESULTS gets one
line for each: its name, `accepted` or the code, and why.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from scoring.contracts import TrackSpec
from scoring.errors import Fault, Rejected, render_all
from scoring.flow import pipeline
from scoring.tracks import load_track
from tests.forked.sandbox import quick_sandbox
from tests.peers import aihub_weights

SIDES = {
    "efficientnet_b4": 380,
    "efficientnet_lite4": 300,
    "efficientnet_v2_s": 384,
    "efficientvit_l2_cls": 384,
    "inception_v3": 299,
    "inception_v4": 299,
    "mobile_vit": 256,
    "nasnet": 331,
}
"""Inputs of models that do not take the preset's 224 x 224."""
MAX_MACS = 30_000_000_000
"""NASNet takes 23.8 GMACs, Swin V2 Base 20.3: more than the preset allows."""
MOST_FILES = 6


def track_of(name: str) -> TrackSpec:
    """Return the preset, for the model's own input, without a second score."""
    preset = load_track("qaihub-classification").spec
    side = SIDES.get(name, 224)
    return replace(
        preset,
        input=replace(preset.input, shape=(3, side, side), resize=(max(256, side),), crop=(side,)),
        budgets=replace(preset.budgets, max_macs=MAX_MACS),
        quantisation=None,
    )


def ending_of(folder: Path) -> str:
    """Check the folder; make what it asks for and check again, until it ends in another way."""
    for _ in range(MOST_FILES):
        try:
            with tempfile.TemporaryDirectory() as workdir:
                pipeline.check(
                    folder,
                    track_of(folder.name),
                    sandbox=quick_sandbox(),
                    workdir=Path(workdir),
                    note=lambda stage: None,
                )
        except Rejected as refused:
            first = refused.findings[0]
            asked = str(first.facts.get("asked"))
            if first.code == "not_in_entry" and aihub_weights.write(
                asked, folder, folder / "weights" / asked
            ):
                continue
            return f"{first.code}: {render_all(refused.findings)[0].message}"
        except Fault as fault:
            return f"fault: {fault}"
        return "accepted"
    return "it asks for ever more files"


def main(folders: Path, results: Path, names: list[str]) -> None:
    """Check the folders in the order of their names, or those that are named."""
    with results.open("a", encoding="utf-8") as lines:
        for folder in [folders / name for name in names] or sorted(folders.iterdir()):
            lines.write(f"{folder.name} {ending_of(folder)}\n")
            lines.flush()


if __name__ == "__main__":
    from scoring.sandboxed.torchvision_ops import declare_missing_operators

    declare_missing_operators()
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
