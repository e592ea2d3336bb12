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
WAV_MAGIC: Final = b"RIFF"
WAV_FORM_BYTES: Final = 12
# What comes before the samples: formats, and lists of titles.
WAV_HEAD_BYTES: Final = 2**16
# SoX writes this, FFmpeg and others what 32 bits hold; no sound is as long.
STREAMED_BYTES: Final = 0x7FFFF000 - 2**16
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
    has_length: bool = True

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
            # Where no length is stated, FFmpeg marks the last packet for ending early.
            if packet.is_corrupt and self.has_length:
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
    has_length = not _is_wav_of_a_stream(path)
    try:
        with _open(path, max_s, {} if has_length else {"ignore_length": "1"}) as container:
            yield Media(container, clock, max_s, deadline, has_length)
    except FFmpegError as exc:
        raise Undecodable(f"FFmpeg says “{exc.strerror}”") from exc


def _is_wav_of_a_stream(path: Path) -> bool:
    """Say whether a WAV was written to a pipe: nobody could go back for its length, which is 0 or the largest."""
    with path.open("rb") as file:
        head = file.read(WAV_HEAD_BYTES)
    at = head.find(b"data", WAV_FORM_BYTES) + 4
    if not (head.startswith(WAV_MAGIC) and head[8:WAV_FORM_BYTES] == b"WAVE" and 4 <= at <= len(head) - 4):
        return False
    stated = int.from_bytes(head[at : at + 4], "little")
    return stated == 0 or stated >= STREAMED_BYTES


def _open(path: Path, max_s: float, options: dict[str, str]) -> InputContainer:
    try:
        return av.open(f"file:{path}", options=OPTIONS | options, timeout=max_s)
    except ArgumentError as exc:
        # What FFmpeg says of a format that is not on the list: “Invalid argument”.
        raise Undecodable(f"its container is not one of {CONTAINERS}") from exc
