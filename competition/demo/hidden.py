"""Write the hidden data of the demonstration's tracks: `python -m competition.demo.hidden FOLDER TRACK ...`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from competition.demo.datasets import DATASETS
from competition.demo.uploads import FIRST_TRACKS
from scoring.data.labels import LABELS_FILE

HIDDEN_SAMPLES: Final = 600
KIT_SAMPLES: Final = 48
SEED: Final = 2022


def main() -> None:
    """Write what is missing, a folder for each track; the labels come last and say that a folder is whole."""
    parser = argparse.ArgumentParser(description="Write the hidden data of the demonstration's tracks.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("tracks", nargs="+", choices=sorted(DATASETS))
    arguments = parser.parse_args()
    for track in arguments.tracks:
        folder = arguments.folder / track
        if not (folder / LABELS_FILE).exists():
            amount = amount_of(track)
            DATASETS[track](folder, **amount)
            print(f"{track}: {amount['samples']} samples", flush=True)


def amount_of(track: str) -> dict[str, int]:
    """Return how many samples a track gets, and a seed that gives no two tracks the same pictures."""
    if track in FIRST_TRACKS:
        return {"samples": HIDDEN_SAMPLES, "seed": SEED}
    return {"samples": KIT_SAMPLES, "seed": SEED + 1 + list(DATASETS).index(track)}


if __name__ == "__main__":
    main()
