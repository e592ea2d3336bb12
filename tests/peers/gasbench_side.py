"""The side of GASBench: runs its own functions on files and writes what they give. Run by the peers' Python alone.

    python gasbench_side.py FOLDER

FOLDER holds job.json, a list of steps: {"do": "picture", "file": …, "to": …, …}; each writes the array `to`, which
later steps may name.
"""

from __future__ import annotations

import json
import os
import sys
import types
from importlib.util import find_spec
from pathlib import Path

import imageio_ffmpeg
import numpy as np


def bare(name: str, folder: Path) -> None:
    """Register a package without running what its __init__ imports: data sets, hubs and tables."""
    package = types.ModuleType(name)
    package.__path__ = [str(folder)]
    sys.modules[name] = package


def stand_in(name: str, **members: object) -> None:
    """Put a module in the place of one that is imported and not used here."""
    sys.modules[name] = types.ModuleType(name)
    for member, value in members.items():
        setattr(sys.modules[name], member, value)


def prepare(folder: Path) -> None:
    """Make FFmpeg known by its name, and gasbench importable."""
    (folder / "bin").mkdir()
    (folder / "bin" / "ffmpeg").symlink_to(imageio_ffmpeg.get_ffmpeg_exe())
    os.environ["PATH"] = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    stand_in("torchvision")
    stand_in("torchvision.io", decode_jpeg=None, encode_jpeg=None)
    root = Path(find_spec("gasbench").submodule_search_locations[0])
    for part in ("", "processing", "benchmarks", "benchmarks/utils"):
        bare(".".join(["gasbench", *Path(part).parts]), root / part)


def fitted(picture: np.ndarray, size: list[int]) -> np.ndarray:
    from gasbench.processing.transforms import apply_random_augmentations

    changed, *_ = apply_random_augmentations(picture, tuple(size), seed=43, level=0, crop_prob=0.0)
    return changed


def picture(step: dict) -> np.ndarray:
    from gasbench.processing.media import process_image_sample

    planes, _ = process_image_sample({"image": Path(step["file"]).read_bytes(), "media_type": "real"})
    return np.transpose(fitted(planes, step["size"]), (2, 0, 1))


def clip(step: dict) -> np.ndarray:
    from gasbench.processing.media import process_video_bytes_sample

    sample = {
        "video_bytes": Path(step["file"]).read_bytes(),
        "source_file": step["file"],
        "media_type": "real",
    }
    frames, _ = process_video_bytes_sample(sample, num_frames=step["frames"], frame_rate=step["rate"])
    return np.transpose(fitted(frames, step["size"]), (0, 3, 1, 2))


def sound(step: dict) -> np.ndarray:
    from gasbench.processing.media import process_audio_sample

    sample = {"audio_bytes": Path(step["file"]).read_bytes(), "media_type": "real"}
    return process_audio_sample(sample, target_sr=16_000)[0].numpy()


def answers(step: dict) -> np.ndarray:
    """Return what a package answers to arrays of inputs together, in GASBench's own session."""
    from gasbench.benchmarks.utils.inference import create_inference_session

    session = create_inference_session(step["file"], step["modality"])
    inputs = np.stack([np.load(name) for name in step["inputs"]])
    return session.run(None, {session.get_inputs()[0].name: inputs})[0]


def scores(step: dict) -> np.ndarray:
    """Return binary MCC, cross-entropy, Brier and SN34 score of logits."""
    from gasbench.benchmarks.utils.inference import process_model_output
    from gasbench.benchmarks.utils.metrics import Metrics

    metrics, labels, logits = Metrics(), np.load(step["labels"]), np.load(step["file"])
    for label, row in zip(labels, logits, strict=True):
        called, likely = process_model_output(row)
        metrics.update(int(label > 0), called, likely)
    return np.array(
        [
            metrics.calculate_binary_mcc(),
            metrics.calculate_binary_cross_entropy(),
            metrics.calculate_brier(),
            metrics.compute_sn34_score(),
        ]
    )


STEPS = {"picture": picture, "clip": clip, "sound": sound, "answers": answers, "scores": scores}


def main(folder: Path) -> None:
    prepare(folder)
    os.chdir(folder)
    for step in json.loads((folder / "job.json").read_text()):
        np.save(folder / step["to"], STEPS[step["do"]](step))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
