"""Copies of media as they are after random changes or after the robustness suite, as files again.

A copy is a file, and not an array, so that every reader fits it to the input as it fits any other.
Pictures and changed clips are kept without loss; a worn clip is H.264, which is what wears it. What is
changed at random is fitted to the input already, and a reader leaves it as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, cast

import av
import cv2
import numpy as np
from av.error import FFmpegError
from av.video.stream import VideoStream
from numpy.typing import NDArray
from scipy.io import wavfile

from scoring.contracts import Fit, InputContract, Reader
from scoring.errors import Fault
from scoring.readers import audio, robustness, video
from scoring.readers.augmentation import change, draw
from scoring.readers.fitting import fit
from scoring.readers.image import read_picture

VIDEO_CODEC: Final = "libx264"
# Seen at 24 x 32 and not at 120 x 160: below some size x264's assembly reads memory that it never wrote.
SMALL_SIDE: Final = 64

Picture = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Treatment:
    """What is done to each sample: the robustness suite if `worn`, then random changes of a level."""

    level: int = 0
    crop_probability: float = 0.0
    worn: bool = False

    @property
    def changes_anything(self) -> bool:
        """Say whether a copy would differ from its source."""
        return self.is_random or self.worn

    @property
    def is_random(self) -> bool:
        """Say whether samples are changed at random."""
        return bool(self.level or self.crop_probability)


def contract_of_copies(contract: InputContract, treatment: Treatment) -> InputContract:
    """Return the contract to read copies with: a clip's hold the frames that count, changed ones are fitted."""
    contract = replace(contract, frame_rate=None)
    return replace(contract, fit=Fit.STRETCH) if treatment.is_random else contract


def write_copy(source: Path, stem: Path, contract: InputContract, treatment: Treatment, *, seed: int) -> Path:
    """Write the treated copy of a file beside `stem` and return it; same seed, same bytes.

    Raises `Undecodable` when the source cannot be decoded, `Fault` when the treatment is not for its kind.
    """
    write = _WRITERS.get(contract.reader)
    if write is None:
        raise Fault(f"the reader “{contract.reader}” has no copies of its samples")
    try:
        return write(source, stem, contract, treatment, seed)
    except FFmpegError as exc:
        raise Fault("a sample cannot be copied") from exc


def _copy_picture(source: Path, stem: Path, contract: InputContract, treatment: Treatment, seed: int) -> Path:
    picture = read_picture(source, contract)
    if treatment.worn:
        picture = robustness.wear_picture(picture)
    if treatment.is_random:
        (picture,) = _changed([picture], contract, treatment, seed)
    target = stem.with_suffix(".png")
    # Through memory, since OpenCV cannot write to every name that Python can.
    target.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    return target


def _copy_clip(source: Path, stem: Path, contract: InputContract, treatment: Treatment, seed: int) -> Path:
    if treatment.worn:
        source, contract = _wear_clip(source, stem, contract), replace(contract, frame_rate=None)
    if not treatment.is_random:
        return source
    frames = _changed(video.read_frames(source, contract, "bgr24"), contract, treatment, seed)
    return _encode(frames, stem.with_suffix(".mkv"), codec="ffv1", pixels="bgr0", options={})


def _wear_clip(source: Path, stem: Path, contract: InputContract) -> Path:
    frames = video.read_frames(source, contract, "bgr24")
    if VIDEO_CODEC not in av.codecs_available:
        # Another codec wears otherwise: its score would not compare, and nobody would see why.
        raise Fault(f"this build of PyAV has no {VIDEO_CODEC}, which the robustness suite needs")
    return _encode(
        (robustness.halve_frame(frame) for frame in frames),
        stem.with_suffix(".mp4"),
        codec=VIDEO_CODEC,
        pixels="yuv420p",
        options={"crf": str(robustness.VIDEO_CRF)},
    )


def _copy_sound(source: Path, stem: Path, contract: InputContract, treatment: Treatment, seed: int) -> Path:
    if treatment.is_random:
        raise Fault("random changes are only for pictures and clips; sound only has the robustness suite")
    if not treatment.worn:
        return source
    # Noise is relative to what the model hears, so a sound is cut to it first.
    sound = robustness.wear_sound(audio.decode(source, contract), rate=contract.sample_rate, seed=seed)
    target = stem.with_suffix(".wav")
    wavfile.write(target, contract.sample_rate, sound)
    return target


_WRITERS: Final[Mapping[Reader, Callable[[Path, Path, InputContract, Treatment, int], Path]]] = {
    Reader.IMAGE: _copy_picture,
    Reader.VIDEO: _copy_clip,
    Reader.AUDIO: _copy_sound,
}


def _changed(
    frames: Iterable[Picture], contract: InputContract, treatment: Treatment, seed: int
) -> Iterator[Picture]:
    changes = draw(level=treatment.level, seed=seed, crop_probability=treatment.crop_probability)
    return change(frames, changes, fit=lambda picture: fit(picture, contract))


def _encode(
    frames: Iterator[Picture], target: Path, *, codec: str, pixels: str, options: dict[str, str]
) -> Path:
    # Matroska would number its parts at random, and a run begun again would not know its own samples.
    with av.open(str(target), "w", container_options={"fflags": "+bitexact"}) as container:
        stream = None
        for frame in frames:
            if stream is None:
                chosen = options | _exactness(codec, frame)
                added = container.add_stream(codec, rate=robustness.VIDEO_FPS, options=chosen)
                stream = cast(VideoStream, added)
                stream.height, stream.width = frame.shape[:2]
                stream.pix_fmt = pixels
                # With one thread the bytes do not depend on the machine's processors.
                stream.thread_count = 1
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="bgr24")))
        if stream is None:
            raise Fault("a clip has no frames")
        container.mux(stream.encode())
    return target


def _exactness(codec: str, frame: Picture) -> dict[str, str]:
    """Return the options that make the bytes of a tiny clip the same each time."""
    is_tiny = codec == VIDEO_CODEC and min(frame.shape[:2]) < SMALL_SIDE
    return {"x264-params": "asm=0"} if is_tiny else {}
