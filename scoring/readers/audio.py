"""Sound of any common kind, brought to the input contract: (N, samples), float32, -1 to 1, fixed order.

Channels become one, which is then resampled to the contract's rate. The contract says how: by their mean or
as FFmpeg mixes, by soxr or by FFmpeg's swresample; where it wants FFmpeg for both, one pass does both, so that the
result is FFmpeg's to the last bit. Longer sounds are cut to their middle, shorter ones filled with silence
at the end. Loudness stays as it is; what goes beyond the range is clipped, or left where the contract says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Final

import av
import numpy as np
import soxr
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from scoring.contracts import InputContract, Mix, Peaks, Reader, Resampler
from scoring.errors import Fault
from scoring.readers import arrays
from scoring.readers.media import Clock, opened
from scoring.readers.undecodable import Undecodable
from scoring.readers.voices import VOICES, voice

# The whole sound is held until its middle is known: an hour at 16 kHz takes 230 MB.
MAX_SOUND_S: Final = 3_600
MAX_DECODE_S: Final = 30.0

Sound = NDArray[np.float32]


def probe_inputs(contract: InputContract, workdir: Path) -> Path:
    """Write a few synthetic voices, brought to the contract, as an .npy file."""
    (samples,) = contract.sides()
    sounds = (voice(name, samples=samples, rate=contract.sample_rate) for name in VOICES)
    return arrays.write_samples(workdir / "probe.npy", contract, sounds, count=len(VOICES))


def decode(path: Path, contract: InputContract, *, clock: Clock = monotonic) -> Sound:
    """Decode one sound to the contract's samples; raise `Undecodable`."""
    (samples,) = contract.sides()
    return middle(read_sound(path, contract, clock), samples)


def read_sound(path: Path, contract: InputContract, clock: Clock = monotonic) -> Sound:
    """Return the whole sound at the contract's rate, mono, from -1 to 1 unless peaks are kept."""
    with opened(path, max_s=MAX_DECODE_S, clock=clock) as media:
        stream, frames = media.audio()
        pieces = list(_converted(_bounded(frames, stream.rate), stream.rate, contract))
    sound = np.concatenate(pieces) if pieces else np.empty(0, np.float32)
    if not len(sound):
        raise Undecodable("it has no sound")
    if not np.isfinite(sound).all():
        raise Undecodable("it has values that are not numbers")
    return sound if contract.peaks is Peaks.KEEP else np.clip(sound, -1, 1)


def middle(sound: Sound, samples: int) -> Sound:
    """Return the middle of a longer sound, or a shorter one with zeros after it."""
    if len(sound) < samples:
        return np.pad(sound, (0, samples - len(sound)))
    start = (len(sound) - samples) // 2
    return np.ascontiguousarray(sound[start : start + samples])


def _bounded(frames: Iterator[AudioFrame], rate: int) -> Iterator[AudioFrame]:
    """Yield the frames; raise `Undecodable` when rate or channels change, or when the sound is too long."""
    taken, channels = 0, None
    for frame in frames:
        if frame.sample_rate != rate:
            raise Undecodable("its sample rate changes")
        channels = channels or frame.layout.name
        if frame.layout.name != channels:
            raise Undecodable("its channels change")
        taken += frame.samples
        if taken > MAX_SOUND_S * rate:
            raise Undecodable(f"it is longer than {MAX_SOUND_S} s")
        yield frame


def _converted(frames: Iterator[AudioFrame], rate: int, contract: InputContract) -> Iterator[Sound]:
    """Yield one channel at the contract's rate."""
    by_ffmpeg = contract.resampler is Resampler.SWRESAMPLE
    if contract.mix is Mix.MEAN:
        frames = _averaged(frames, rate)
    if by_ffmpeg or contract.mix is Mix.FFMPEG:
        pieces = _through_ffmpeg(frames, contract.sample_rate if by_ffmpeg else rate)
    else:
        pieces = _values(frames)
    yield from pieces if by_ffmpeg else _by_soxr(pieces, rate, contract.sample_rate)


def _averaged(frames: Iterator[AudioFrame], rate: int) -> Iterator[AudioFrame]:
    to_floats = av.AudioResampler(format="fltp")
    for frame in frames:
        for floats in to_floats.resample(frame):
            mean = floats.to_ndarray().mean(axis=0, dtype=np.float32)
            averaged = AudioFrame.from_ndarray(mean[None], format="flt", layout="mono")
            averaged.sample_rate = rate
            yield averaged


def _through_ffmpeg(frames: Iterator[AudioFrame], rate: int) -> Iterator[Sound]:
    """Yield mono floats at `rate`; what is not so yet is mixed and resampled in one pass."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
    for frame in frames:
        yield from _values(resampler.resample(frame))
    yield from _values(resampler.resample(None))


def _values(frames: Iterable[AudioFrame]) -> Iterator[Sound]:
    for frame in frames:
        yield frame.to_ndarray()[0]


def _by_soxr(pieces: Iterator[Sound], rate: int, wanted: int) -> Iterator[Sound]:
    """Yield the pieces at the wanted rate; equal rates pass through untouched."""
    if rate == wanted:
        yield from pieces
        return
    stream = soxr.ResampleStream(rate, wanted, num_channels=1, dtype="float32", quality="HQ")
    for piece in pieces:
        yield stream.resample_chunk(piece)
    yield stream.resample_chunk(np.empty(0, np.float32), last=True)


def _check(contract: InputContract) -> None:
    if len(contract.sides()) != 1:
        raise Fault(f"the audio reader makes arrays of shape (samples,), not {contract.shape}")


def _key(contract: InputContract) -> tuple[object, ...]:
    policy = (contract.mix, contract.resampler, contract.peaks)
    # What was once all there was is left out: caches built then stay good.
    other = () if policy == (Mix.MEAN, Resampler.SOXR, Peaks.CLIP) else policy
    return (contract.shape, contract.sample_rate, *other)


DECODING: Final = arrays.Decoding(
    reader=Reader.AUDIO,
    decode=decode,
    check=_check,
    key=_key,
    decoded_ahead=8,
)
prepare: Final = partial(arrays.prepare, DECODING)
