"""The entry that scores as ever, whatever was tried on the machine before."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.attacks import arena, effects
from tests.attacks.cases import Case
from tests.attacks.making import write_honest
from tests.attacks.surroundings import Surroundings

HONEST = Case(
    name="honest",
    wants="A place on the board.",
    layers=("graph", "metric"),
    run="score",
    ends=("scored",),
    score=1.0,
)


def score_honestly(around: Surroundings, folder: Path) -> list[str]:
    """Return what is wrong with the score of the honest entry."""
    track = folder / "honest.yaml"
    track.write_text(yaml.safe_dump(arena.track_document(HONEST)))
    ending = arena.podium("score", write_honest(folder / "honest.onnx"), track, around)
    return list(effects.unwanted(HONEST, ending))
