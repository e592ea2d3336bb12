"""Video of any common kind, brought to the input contract: (N, T, 3, H, W), uint8, fixed order.

Without a frame rate in the contract the first T frames count. With one, every k-th frame counts,
k the clip's own rate over the contract's, rounded and at least 1; a clip that states no rate is
taken to have 30 frames a second. A clip that runs out repeats its last frame. Frames are turned
upright as the container says and fitted as the contract says; pixels are taken to be square.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final, Literal

import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from scoring.contracts import MAX_FRAMES, READER_FACTS, ChannelOrder, InputContract, Reader
from scoring.errors import Fault
from scoring.readers import arrays
from scoring.readers.fitting import Picture, fit, fit_key
from scoring.readers.image import SAMPLES, read_picture
from scoring.readers.media import opened
from scoring.readers.undecodable import Undecodable

PLANES: Final = 3
RATE_IF_MISSING: Final = 30.0
# A thousand frames of the largest common size take about a minute.
MAX_DECODE_S: Final = 180.0

Clip = NDArray[np.uint8]
Colours = Literal["rgb24", "bgr24"]


def probe_inputs(contract: InputContract, workdir: Path) -> Path:
    """Write clips that move over the sample photographs, brought to the contract, as an .npy file."""
    photographs = sorted(SAMPLES.glob("*.png"))
    clips = (
        _filled(_moving(read_picture(photograph, contract), contract), contract) for photograph in photographs
    )
    return arrays.write_samples(workdir / "probe.npy", contract, clips, count=len(photographs))


def decode(path: Path, contract: InputContract) -> Clip:
    """Decode one clip to the contract's frames; raise `Undecodable`."""
    colours: Colours = "rgb24" if contract.channel_order is ChannelOrder.RGB else "bgr24"
    return _filled(read_frames(path, contract, colours), contract)


def read_frames(path: Path, contract: InputContract, colours: Colours) -> Iterator[Picture]:
    """Yield the frames that the contract asks for, at most T of them, upright and at their own size."""
    with opened(path, max_s=MAX_DECODE_S) as media:
        stream, frames = media.video()
        step = frame_step(_frame_rate(stream), contract.frame_rate)
        past_last = (contract.sides()[0] - 1) * step + 1
        for frame in islice(frames, 0, past_last, step):
            yield _upright(frame, colours)


def frame_step(clip_rate: float, wanted_rate: float | None) -> int:
    """Return how many frames to go on from one that counts to the next."""
    return 1 if wanted_rate is None else max(1, round(clip_rate / wanted_rate))


def _filled(pictures: Iterator[Picture], contract: InputContract) -> Clip:
    """Return the first T pictures, fitted; the last stands in for those that are missing."""
    count, planes, height, width = contract.sides()
    clip = np.empty((count, planes, height, width), np.uint8)
    filled = 0
    for picture in islice(pictures, count):
        clip[filled] = fit(picture, contract).transpose(2, 0, 1)
        filled += 1
    if not filled:
        raise Undecodable("it has no frames")
    clip[filled:] = clip[filled - 1]
    return clip


def _frame_rate(stream: VideoStream) -> float:
    rate = stream.average_rate
    return float(rate) if rate else RATE_IF_MISSING


def _upright(frame: VideoFrame, colours: Colours) -> Picture:
    picture = frame.to_ndarray(format=colours)
    turned: Picture = np.ascontiguousarray(np.rot90(picture, round(frame.rotation / 90)))
    return turned


def _moving(photograph: Picture, contract: InputContract) -> Iterator[Picture]:
    """Yield frames of a camera that moves over the photograph from corner to corner."""
    if contract.channel_order is ChannelOrder.RGB:
        photograph = photograph[:, :, ::-1]
    frames = contract.sides()[0]
    tall, wide = (side * 3 // 4 for side in photograph.shape[:2])
    for number in range(frames):  # pragma: no branch (the last frame is the last that is asked for)
        gone = number / max(1, frames - 1)
        top, left = round((photograph.shape[0] - tall) * gone), round((photograph.shape[1] - wide) * gone)
        yield np.ascontiguousarray(photograph[top : top + tall, left : left + wide])


def _check(contract: InputContract) -> None:
    sides = contract.sides()
    if (
        len(sides) != len(READER_FACTS[Reader.VIDEO].sides)
        or sides[1] != PLANES
        or not 1 <= sides[0] <= MAX_FRAMES
    ):
        raise Fault(
            f"the video reader makes arrays of shape (T, 3, H, W), T from 1 to {MAX_FRAMES}, not {sides}"
        )


def _key(contract: InputContract) -> tuple[object, ...]:
    return (contract.shape, contract.channel_order, *fit_key(contract), contract.frame_rate)


DECODING: Final = arrays.Decoding(
    reader=Reader.VIDEO,
    decode=decode,
    check=_check,
    key=_key,
    decoded_ahead=4,
)
prepare: Final = partial(arrays.prepare, DECODING)
