"""Every attack of the folders here, on the real command, and what it left, seen from outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks import arena, effects
from tests.attacks.cases import Case, params
from tests.attacks.honest import score_honestly
from tests.attacks.surroundings import Surroundings


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
