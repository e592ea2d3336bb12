"""Write the sample data of the starter kits: `python -m competition.demo.sample_data`."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from competition.demo.datasets import DATASETS

KITS: Final = Path(__file__).resolve().parent.parent.parent / "docs" / "starter-kits"
SEED: Final = 7
JPEG: Final = {"suffix": ".jpg"}
# Each small enough to lie in a repository and large enough that every class occurs.
SIZES: Final[Mapping[str, dict[str, Any]]] = {
    "cvpr2022-track1": {"samples": 16, **JPEG},
    "cvpr2022-track2": {"samples": 8, **JPEG},
    "qaihub-classification": {"samples": 16, **JPEG},
    "gasbench-image": {"samples": 8, **JPEG},
    "gasbench-video": {"samples": 8},
    "gasbench-audio": {"samples": 8, "seconds": 1},
    "gasbench-onnx-image": {"samples": 12, **JPEG},
    "gasbench-onnx-video": {"samples": 12},
    "byom-classification": {"samples": 20, **JPEG},
    "byom-anomaly": {"samples": 8, **JPEG},
    "byom-detection": {"samples": 12, **JPEG},
    "byom-segmentation": {"samples": 12, **JPEG},
}
SOURCES: Final = """The pictures and clips of this folder are made from
- photographs under Creative Commons Attribution 2.0 (https://creativecommons.org/licenses/by/2.0/):
  china.jpg by danielbuechele, https://www.flickr.com/photos/danielbuechele/6061409035/
  flower.jpg by vultilion, https://www.flickr.com/photos/vultilion/6056698931/
- digits of "Optical Recognition of Handwritten Digits" by E. Alpaydin and C. Kaynak, UCI Machine Learning
  Repository, under Creative Commons Attribution 4.0 (https://creativecommons.org/licenses/by/4.0/)
both in the copies that ship with scikit-learn; cropped, scaled, drawn over and tampered with.
"""
WITHOUT_SOURCES: Final = {"gasbench-audio"}


def write_sample_data(folder: Path, preset: str) -> None:
    """Write a small labelled dataset for the preset, and where its pictures come from."""
    DATASETS[preset](folder, seed=SEED, **SIZES[preset])
    if preset not in WITHOUT_SOURCES:
        (folder / "LICENCE.txt").write_text(SOURCES, "utf-8")


def main() -> None:
    """Rewrite the kits in the docs; a kit is named after its preset, perhaps with a suffix."""
    for kit in sorted(path for path in KITS.iterdir() if path.is_dir()):
        preset = next(name for name in DATASETS if kit.name == name or kit.name.startswith(f"{name}-"))
        shutil.rmtree(kit / "sample-data", ignore_errors=True)
        write_sample_data(kit / "sample-data", preset)


if __name__ == "__main__":
    main()
