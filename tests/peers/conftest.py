"""Runs the real systems beside Podium; skips with pip's reason where they cannot be installed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.peers.environment import PeersMissing, python_of_peers, run_peer

HERE = f"{Path(__file__).parent}/"
Steps = Sequence[dict[str, Any]]
Run = Callable[[Steps], list[np.ndarray]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if str(item.path).startswith(HERE):
            item.add_marker(pytest.mark.peer)


def _runner(system: str, script: str, folders: pytest.TempPathFactory) -> Run:
    try:
        python_of_peers(system)
    except PeersMissing as exc:
        pytest.skip(str(exc))

    def run(steps: Steps) -> list[np.ndarray]:
        folder = folders.mktemp("peer")
        numbered = [{**step, "to": f"{number}.npy"} for number, step in enumerate(steps)]
        (folder / "job.json").write_text(json.dumps(numbered))
        run_peer(system, script, str(folder))
        return [np.load(folder / step["to"]) for step in numbered]

    return run


@pytest.fixture(scope="session")
def gasbench(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return what runs steps in GASBench and returns their arrays."""
    return _runner("GASBENCH", "gasbench_side.py", tmp_path_factory)


@pytest.fixture(scope="session")
def qaihub(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return what runs steps in AI Hub Models and returns their arrays."""
    return _runner("QAIHUB", "qaihub_side.py", tmp_path_factory)
