"""AI Hub's own model folders, packed as they stand and checked: a handful, or with AIHUB_FOLDERS=all each of them."""

from __future__ import annotations

import os

import pytest

from scoring.environment import why_not_here
from tests.peers.aihub_folders import REFUSED, classifiers, ending_of, track_of
from tests.peers.environment import PeersMissing

HANDFUL = ("mnasnet05", "mobilenet_v3_small", "resnet18", "squeezenet1_1")
"""The smallest of those that are built in ways of their own: about 15 s of processor time each."""


def chosen() -> list[str]:
    """Return the folders to check; the handful also where the library cannot be installed, to say so."""
    if os.environ.get("AIHUB_FOLDERS") != "all":
        return list(HANDFUL)
    try:
        return classifiers()
    except PeersMissing:
        return list(HANDFUL)


@pytest.mark.parametrize("name", chosen())
def test_a_folder_ends_as_the_documentation_says(name: str) -> None:
    missing = why_not_here(track_of(name).environment)
    if missing:
        pytest.skip(missing)
    try:
        ending = ending_of(name)
    except PeersMissing as exc:
        pytest.skip(str(exc))

    assert ending.partition(":")[0] == REFUSED.get(name, "accepted"), ending
