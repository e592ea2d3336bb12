"""Checks AI Hub's model folders as they stand, each on a track of the input that its model states.

    python -m tests.peers.aihub_folders RESULTS [NAME …]

The folders are those of the release that `environment` installs. They are packed as `podium pack` packs them, with
random weights (see `aihub_weights`), and checked. RESULTS gets one line for each: its name, `accepted` or the code,
and why. What is in it already is not checked again, so that a run can go on where another ended.

What a folder is built from is cloned; where there is no network, git can be told of copies
(`git config url.PLACE.insteadOf ADDRESS`, also by GIT_CONFIG_COUNT). Four folders need the environment cpu-2026.1.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import yaml

from scoring import environment
from scoring.contracts import DEFAULT_ENVIRONMENT, TrackSpec
from scoring.contracts.ai_hub import LIBRARY
from scoring.errors import Fault, Rejected, render_all
from scoring.flow import pipeline
from scoring.tracks import load_track
from tests.forked.sandbox import quick_sandbox
from tests.peers.environment import python_of_peers

USE_CASE: Final = "Image Classification"
OF_TRANSFORMERS: Final = ("beit", "convnext_v2_base", "levit", "mobile_vit")
LARGE_ENVIRONMENT: Final = "cpu-2026.1"
SIDES: Final = {
    "efficientnet_b4": 380,
    "efficientnet_lite4": 300,
    "efficientnet_v2_s": 384,
    "efficientvit_l2_cls": 384,
    "inception_v3": 299,
    "inception_v4": 299,
    "mobile_vit": 256,
    "nasnet": 331,
}
"""Inputs of models that do not take the preset's 224 x 224."""
MAX_MACS: Final = 30_000_000_000
"""NASNet takes 23.8 GMACs, Swin V2 Base 20.3: more than the preset allows."""
REFUSED: Final = {
    "efficientvit_b2_cls": "not_installed",
    "efficientvit_l2_cls": "not_installed",
    "openai_clip": "not_installed",
    "siglip2": "invalid_config",
}
"""Folders that are not accepted, with the code: docs/compared.md says why."""
TIMEOUT_S: Final = 3_000.0
"""Ten times the preset's: a busy machine is no reason of a folder's own."""
MOST_CHARACTERS: Final = 300


def library() -> Path:
    """Return the folder of the release's models; raises PeersMissing where it cannot be installed."""
    where = [str(python_of_peers("QAIHUB")), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    found = subprocess.run(where, check=True, capture_output=True, text=True).stdout.strip()
    return Path(found) / LIBRARY / "models"


def classifiers() -> list[str]:
    """Return the names of the folders whose use case is image classification."""
    manifests = sorted(library().glob("*/manifest.yaml"))
    return [
        file.parent.name for file in manifests if yaml.safe_load(file.read_text())["use_case"] == USE_CASE
    ]


def track_of(name: str) -> TrackSpec:
    """Return the preset, for the model's own input, without a second score."""
    preset = load_track("qaihub-classification").spec
    side = SIDES.get(name, 224)
    return replace(
        preset,
        input=replace(preset.input, shape=(3, side, side), resize=(max(256, side),), crop=(side,)),
        budgets=replace(preset.budgets, max_macs=MAX_MACS),
        run_limits=replace(preset.run_limits, measure_timeout_s=TIMEOUT_S),
        quantisation=None,
        environment=LARGE_ENVIRONMENT if name in OF_TRANSFORMERS else DEFAULT_ENVIRONMENT,
    )


def pack(name: str, to: Path) -> str:
    """Write the folder with what its model downloads; return why that is not all, or nothing."""
    shutil.copytree(library() / name, to, ignore=shutil.ignore_patterns("__pycache__"))
    report = to.with_suffix(".json")
    # The library is found as where a participant has installed it; what the peers' environment pins is not.
    found = to.with_name("library")
    found.mkdir()
    (found / LIBRARY).symlink_to(library().parent)
    variables = {"PYTHONPATH": f"{Path(__file__).parents[2]}:{found}"}
    python = environment.interpreter_of(track_of(name).environment)
    command = [str(python), "-m", "tests.peers.aihub_packing", str(to), name, str(report)]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env={**os.environ, **variables}
    )
    if not report.is_file():
        return done.stderr[-MOST_CHARACTERS:]
    return str(json.loads(report.read_text())["why"])


def ending_of(name: str) -> str:
    """Return `accepted`, or the code of what is wrong and why, of the folder packed and checked."""
    with tempfile.TemporaryDirectory() as place:
        folder, workdir = Path(place) / name, Path(place) / "work"
        workdir.mkdir()
        unpacked = pack(name, folder)
        try:
            pipeline.check(
                folder, track_of(name), sandbox=quick_sandbox(), workdir=workdir, note=lambda stage: None
            )
        except Rejected as refused:
            ending = f"{refused.findings[0].code}: {render_all(refused.findings)[0].message}"
            return f"{ending} (packing: {unpacked})" if unpacked else ending
        except Fault as fault:
            return f"fault: {fault}"
    return "accepted"


def main(results: Path, names: Sequence[str]) -> None:
    """Check the folders in the order of their names, or those that are named, but for who is in the results."""
    for name in names or classifiers():
        done = results.read_text("utf-8").splitlines() if results.exists() else []
        if name not in {line.partition(" ")[0] for line in done}:
            line = f"{name} {' '.join(ending_of(name).split())}\n"
            with results.open("a", encoding="utf-8") as lines:
                lines.write(line)


if __name__ == "__main__":
    from scoring.sandboxed.torchvision_ops import declare_missing_operators

    declare_missing_operators()
    main(Path(sys.argv[1]), sys.argv[2:])
