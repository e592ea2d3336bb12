"""The weights of a gasbench kit are what its own make_entry.py writes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scoring.packages.safetensors_header import read_header

KITS = Path(__file__).parents[2] / "docs" / "starter-kits"


@pytest.mark.slow
@pytest.mark.parametrize("kit", ["gasbench-image", "gasbench-video", "gasbench-audio"])
def test_make_entry_writes_the_weights_of_its_kit(kit: str, tmp_path: Path) -> None:
    folder = shutil.copytree(KITS / kit, tmp_path / kit)
    weights = folder / "entry" / "model.safetensors"
    weights.unlink()

    subprocess.run([sys.executable, "make_entry.py"], cwd=folder, check=True)

    assert read_header(weights) == read_header(KITS / kit / "entry" / "model.safetensors")
