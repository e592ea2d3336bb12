"""One machine for all attacks of a test process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.attacks.honest import score_honestly
from tests.attacks.surroundings import Surroundings, surroundings


@pytest.fixture(scope="session")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surroundings]:
    """One machine for all cases; when all were there, an honest entry scores on it as ever."""
    root = tmp_path_factory.mktemp("surroundings")
    with surroundings(root) as made:
        yield made
        assert score_honestly(made, root) == []
