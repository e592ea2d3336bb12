"""Which generated data goes with which preset."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from competition.demo.data import DemoTrack, write_dataset
from competition.demo.media import write_audio_dataset, write_video_dataset
from competition.demo.spatial import write_box_dataset, write_mask_dataset

# Each takes the folder, `samples`, `seed`, and what its kind of data can be made smaller by.
WriteDataset = Callable[..., None]


def _pictures(track: DemoTrack) -> WriteDataset:
    return partial(write_dataset, track=track, split="hidden")


DATASETS: Final[Mapping[str, WriteDataset]] = {
    "cvpr2022-track1": _pictures(DemoTrack.CLASSIFY),
    "cvpr2022-track2": _pictures(DemoTrack.DETECT),
    "qaihub-classification": _pictures(DemoTrack.CLASSIFY),
    "gasbench-image": _pictures(DemoTrack.DETECT),
    "gasbench-video": write_video_dataset,
    "gasbench-audio": write_audio_dataset,
    "gasbench-onnx-image": _pictures(DemoTrack.ORIGIN),
    "gasbench-onnx-video": partial(write_video_dataset, classes=3),
    "byom-classification": _pictures(DemoTrack.DIGIT),
    "byom-anomaly": _pictures(DemoTrack.DETECT),
    "byom-detection": write_box_dataset,
    "byom-segmentation": write_mask_dataset,
}
