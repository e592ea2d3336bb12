"""The entry of a kit is what its own make_entry.py writes: the same documents and the same weights."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from safetensors.numpy import load_file

KITS = Path(__file__).parents[2] / "docs" / "starter-kits"
WITH_A_SCRIPT = sorted(script.parent.name for script in KITS.glob("*/make_entry.py"))


def files_below(folder: Path) -> list[Path]:
    """Return the files of a package; what running its modules leaves behind is none of them."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if "__pycache__" not in path.parts)


def torch_weights(path: Path) -> dict[str, Any]:
    """Return the weights of our own TorchScript file, or of a state dict, which is named weights.pt."""
    is_state = path.name == "weights.pt"
    state = torch.load(path, weights_only=True) if is_state else torch.jit.load(path).state_dict()
    return {name: value.numpy() for name, value in state.items()}


def graph_weights(path: Path) -> dict[str, Any]:
    """Return the weights of an ONNX file."""
    values = onnx.load(path).graph.initializer
    return {value.name: onnx.numpy_helper.to_array(value) for value in values}


WEIGHTS: Mapping[str, Callable[[Path], Mapping[str, Any]]] = {
    ".safetensors": load_file,
    ".pt": torch_weights,
    ".onnx": graph_weights,
}
# Their weights are resized pictures of digits, and sums of their squares, which processors may round differently.
RESIZED_DIGITS = ("byom-classification", "byom-detection", "cvpr2022-track1", "qaihub-classification")
TOLERANCES = dict.fromkeys(RESIZED_DIGITS, 1e-5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
@pytest.mark.parametrize("kit", WITH_A_SCRIPT)
def test_make_entry_writes_the_entry_of_its_kit(kit: str, tmp_path: Path) -> None:
    kept, made = KITS / kit / "entry", tmp_path / kit / "entry"
    shutil.copytree(KITS / kit, tmp_path / kit)
    for file in made.rglob("*.*"):
        if file.suffix in {*WEIGHTS, ".json"}:
            file.unlink()

    subprocess.run([sys.executable, "make_entry.py"], cwd=tmp_path / kit, check=True, capture_output=True)

    assert files_below(made) == files_below(kept)
    for file in files_below(kept):
        if file.suffix not in WEIGHTS:
            assert (made / file).read_bytes() == (kept / file).read_bytes()
            continue
        ours, theirs = (WEIGHTS[file.suffix](folder / file) for folder in (kept, made))
        assert ours.keys() == theirs.keys()
        tolerance = TOLERANCES.get(kit, 0)
        for name, values in ours.items():
            np.testing.assert_allclose(values, theirs[name], rtol=tolerance, atol=tolerance)
