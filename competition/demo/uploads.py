"""What the demonstration's two participants upload, and how each entry must end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
KITS: Final = ROOT / "docs" / "starter-kits"


@dataclass(frozen=True, kw_only=True)
class Upload:
    """One entry of the demo and how it must end."""

    participant: str
    track: str
    file: str
    status: str
    code: str = ""


BASELINES: Final = (
    Upload(participant="ada", track="cvpr2022-track1", file="track1.zip", status="scored"),
    Upload(participant="grace", track="cvpr2022-track2", file="track2.onnx", status="scored"),
)
BY_CHANCE: Final = Upload(participant="grace", track="cvpr2022-track1", file="by_chance.zip", status="scored")
"""Ready at once, so that there is a board before anything is trained, and what others are compared with."""
REFUSED: Final = (
    Upload(
        participant="grace",
        track="cvpr2022-track1",
        file="over_budget.zip",
        status="rejected",
        code="parameters_over_budget",
    ),
    Upload(
        participant="ada",
        track="cvpr2022-track2",
        file="broken.zip",
        status="rejected",
        code="corrupt_archive",
    ),
)
UPLOADS: Final = (*BASELINES, BY_CHANCE, *REFUSED)


def _of_kit(participant: str, track: str, file: str) -> Upload:
    """Return an upload of a starter kit: it has the kit's name."""
    return Upload(participant=participant, track=track, file=file, status="scored")


KIT_UPLOADS: Final = (
    _of_kit("grace", "cvpr2022-track1", "cvpr2022-track1.zip"),
    _of_kit("ada", "cvpr2022-track2", "cvpr2022-track2-opencv.zip"),
    _of_kit("ada", "gasbench-image", "gasbench-image.zip"),
    _of_kit("grace", "gasbench-video", "gasbench-video.zip"),
    _of_kit("ada", "gasbench-audio", "gasbench-audio.zip"),
    _of_kit("grace", "gasbench-onnx-image", "gasbench-onnx-image.zip"),
    _of_kit("ada", "gasbench-onnx-video", "gasbench-onnx-video.zip"),
    _of_kit("grace", "qaihub-classification", "qaihub-classification.zip"),
    _of_kit("ada", "byom-classification", "byom-classification.tar.gz"),
    _of_kit("grace", "byom-anomaly", "byom-anomaly.tar.gz"),
    _of_kit("ada", "byom-detection", "byom-detection.tar.gz"),
    _of_kit("grace", "byom-segmentation", "byom-segmentation.tar.gz"),
)
FIRST_TRACKS: Final = tuple(upload.track for upload in BASELINES)
MORE_TRACKS: Final = tuple(upload.track for upload in KIT_UPLOADS if upload.track not in FIRST_TRACKS)


def kit_of(upload: Upload) -> Path:
    """Return the folder that an upload of a kit is packed from."""
    return KITS / upload.file.partition(".")[0] / "entry"
