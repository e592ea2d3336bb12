"""Opens video and sound with FFmpeg and decodes one frame after the other, within a time limit.

A file cut short is found where its container states how much there should be; a Matroska, MP3 or
Ogg file that ends early is taken for a short one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final, Literal, TypeVar

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import ArgumentError, FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from scoring.readers.undecodable import Undecodable

CONTAINERS: Final = "MP4, MOV, WebM, MKV, AVI, WAV, FLAC, MP3, M4A, AAC or Ogg"
OPTIONS: Final = {
    # Playlists and the like name other files and addresses, which would be read in the file's stead.
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,wav,mp3,flac,ogg,aac",
    "protocol_whitelist": "file",
}
Clock = Callable[[], float]
S = TypeVar("S", VideoStream, AudioStream)
F = TypeVar("F", VideoFrame, AudioFrame)


@dataclass(frozen=True)
class Media:
    """One open file; every failure to decode it is an `Undecodable`."""

    container: InputContainer
    clock: Clock
    max_s: float
    deadline: float

    def video(self) -> tuple[VideoStream, Iterator[VideoFrame]]:
        """Return the first video stream and its frames in the order in which they are shown."""
        stream = self._first(self.container.streams.video, "video")
        return stream, self._frames(stream, VideoFrame)

    def audio(self) -> tuple[AudioStream, Iterator[AudioFrame]]:
        """Return the first audio stream and its frames."""
        stream = self._first(self.container.streams.audio, "audio")
        return stream, self._frames(stream, AudioFrame)

    def _first(self, streams: tuple[S, ...], kind: Literal["video", "audio"]) -> S:
        if not streams:
            raise Undecodable(f"it has no {kind} stream")
        # The reader decodes several files at once; threads inside each would only take memory.
        streams[0].codec_context.thread_count = 1
        return streams[0]

    def _frames(self, stream: VideoStream | AudioStream, kind: type[F]) -> Iterator[F]:
        for packet in self.container.demux(stream):
            if packet.is_corrupt:
                raise Undecodable("it is damaged or cut off")
            for frame in packet.decode():
                # Between frames: one frame takes milliseconds, a crafted or endless file for ever.
                if self.clock() > self.deadline:
                    raise Undecodable(f"decoding it takes more than {self.max_s:g} s")
                if isinstance(frame, kind):  # pragma: no branch (a stream decodes to its own kind)
                    yield frame


@contextmanager
def opened(path: Path, *, max_s: float, clock: Clock = monotonic) -> Iterator[Media]:
    """Open a file; the time limit counts from here. Raises `Undecodable` for whatever FFmpeg raises."""
    deadline = clock() + max_s
    try:
        with _open(path, max_s) as container:
            yield Media(container, clock, max_s, deadline)
    except FFmpegError as exc:
        raise Undecodable(f"FFmpeg says “{exc.strerror}”") from exc


def _open(path: Path, max_s: float) -> InputContainer:
    try:
        return av.open(f"file:{path}", options=OPTIONS, timeout=max_s)
    except ArgumentError as exc:
        # What FFmpeg says of a format that is not on the list: “Invalid argument”.
        raise Undecodable(f"its container is not one of {CONTAINERS}") from exc
