from __future__ import annotations

from scoring.contracts import Format
from scoring.sandboxed.loaders import LOADERS
from scoring.sandboxed.measures import MEASURES


def test_every_format_can_be_loaded_and_measured():
    assert set(LOADERS) == set(MEASURES) == set(Format)
