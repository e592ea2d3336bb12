"""Video and sound files written with real codecs, and small datasets of them."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import av
import numpy as np
import pytest


def needs_encoder(name: str) -> None:
    try:
        av.codec.Codec(name, "w")
    except av.codec.codec.UnknownCodecError:
        pytest.skip(f"this build of FFmpeg has no encoder {name}")


def grey_frames(values: Iterable[int], *, height: int = 48, width: int = 64) -> list[np.ndarray]:
    """Return one flat grey RGB picture for each value; codecs change flat grey by a level or two."""
    return [np.full((height, width, 3), value, np.uint8) for value in values]


def write_video(
    path: Path,
    frames: list[np.ndarray],
    *,
    codec: str = "libx264",
    rate: int = 25,
    pixels: str = "yuv420p",
    rotation: int = 0,
    options: dict[str, str] | None = None,
    container: str | None = None,
) -> Path:
    """Encode RGB pictures."""
    needs_encoder(codec)
    with av.open(str(path), "w", format=container, options=options or {}) as output:
        stream = output.add_stream(codec, rate=rate)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pixels
        if rotation:
            stream.set_display_rotation(rotation)
        for frame in frames:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        output.mux(stream.encode())
    return path


def sine(hertz: float, *, seconds: float, rate: int, amplitude: float = 0.5) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(
        np.float32
    )


def write_sound(path: Path, channels: np.ndarray, *, rate: int, codec: str = "pcm_s16le") -> Path:
    """Encode floats from -1 to 1, shape (samples,) or (channels, samples)."""
    needs_encoder(codec)
    planes = np.atleast_2d(channels).astype(np.float32)
    layout = {1: "mono", 2: "stereo"}[len(planes)]
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=rate, layout=layout)
        to_format = av.AudioResampler(
            format=stream.codec_context.format, layout=layout, rate=rate, frame_size=stream.frame_size or 1024
        )
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(planes), format="fltp", layout=layout)
        frame.sample_rate = rate
        for piece in [*to_format.resample(frame), *to_format.resample(None)]:
            output.mux(stream.encode(piece))
        output.mux(stream.encode())
    return path


def write_labels(folder: Path, names: Iterable[str]) -> Path:
    """Write a labels.csv that gives the files the labels of a mapping, else 0, 1, 2 and so on."""
    labels = names if isinstance(names, Mapping) else {name: label for label, name in enumerate(names)}
    lines = ["file,label", *(f"{name},{label}" for name, label in labels.items())]
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder
