"""Every attack of the folders here, on the real command, and what it left, seen from outside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.attacks import arena, effects
from tests.attacks.cases import Case, all_cases
from tests.attacks.making import write_honest
from tests.attacks.surroundings import Surroundings, surroundings

HONEST = Case(
    name="honest",
    wants="A place on the board.",
    layers=("graph", "metric"),
    run="score",
    ends=("scored",),
    score=1.0,
)


def params(*runs: str) -> list[object]:
    """Return the cases of these commands; one that waits for its defence must fail until that is there."""
    return [
        pytest.param(
            case,
            id=case.name,
            marks=[pytest.mark.xfail(reason=case.pending, strict=True)] if case.pending else [],
        )
        for case in all_cases()
        if case.run in runs
    ]


def score_honestly(around: Surroundings, folder: Path) -> list[str]:
    """Return what is wrong with the score of the honest entry."""
    track = folder / "honest.yaml"
    track.write_text(yaml.safe_dump(arena.track_document(HONEST)))
    ending = arena.podium("score", write_honest(folder / "honest.onnx"), track, around)
    return list(effects.unwanted(HONEST, ending))


@pytest.fixture(scope="session")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surroundings]:
    """One machine for all cases; when all were there, an honest entry scores on it as ever."""
    root = tmp_path_factory.mktemp("surroundings")
    with surroundings(root) as made:
        yield made
        assert score_honestly(made, root) == []


@pytest.mark.sandbox
@pytest.mark.parametrize("case", params("check", "score"))
def test_an_attack_comes_to_nothing(case: Case, around: Surroundings, tmp_path: Path) -> None:
    before = around.fingerprint()

    endings = list(arena.run(case, around, tmp_path))

    wrong = [each for ending in endings for each in effects.unwanted(case, ending)]
    wrong += [each for ending in endings for each in effects.harm(around, ending, before=before)]
    if case.then_honest:
        wrong += score_honestly(around, tmp_path)
    assert wrong == [], endings[-1].printed
