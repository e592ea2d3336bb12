"""Sound of any common kind, brought to the input contract: (N, samples), float32, -1 to 1, fixed order.

Channels are averaged to one, which is then resampled to the contract's rate. Longer sounds are cut
to their middle, shorter ones filled with silence at the end. Loudness stays as it is; what
resampling or a lossy codec throws beyond the range is clipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Final

import av
import numpy as np
import soxr
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from scoring.contracts import InputContract, Reader
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
    return middle(read_sound(path, contract.sample_rate, clock), samples)


def read_sound(path: Path, rate: int, clock: Clock = monotonic) -> Sound:
    """Return the whole sound at `rate`, mono, from -1 to 1."""
    with opened(path, max_s=MAX_DECODE_S, clock=clock) as media:
        stream, frames = media.audio()
        pieces = list(_resampled(_mono(frames, stream.rate), stream.rate, rate))
    sound = np.concatenate(pieces) if pieces else np.empty(0, np.float32)
    if not len(sound):
        raise Undecodable("it has no sound")
    if not np.isfinite(sound).all():
        raise Undecodable("it has values that are not numbers")
    return np.clip(sound, -1, 1)


def middle(sound: Sound, samples: int) -> Sound:
    """Return the middle of a longer sound, or a shorter one with zeros after it."""
    if len(sound) < samples:
        return np.pad(sound, (0, samples - len(sound)))
    start = (len(sound) - samples) // 2
    return np.ascontiguousarray(sound[start : start + samples])


def _mono(frames: Iterator[AudioFrame], rate: int) -> Iterator[Sound]:
    to_floats = av.AudioResampler(format="fltp")
    taken = 0
    for frame in frames:
        if frame.sample_rate != rate:
            raise Undecodable("its sample rate changes")
        taken += frame.samples
        if taken > MAX_SOUND_S * rate:
            raise Undecodable(f"it is longer than {MAX_SOUND_S} s")
        for floats in to_floats.resample(frame):
            yield floats.to_ndarray().mean(axis=0, dtype=np.float32)


def _resampled(pieces: Iterator[Sound], rate: int, wanted: int) -> Iterator[Sound]:
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
    return (contract.shape, contract.sample_rate)


DECODING: Final = arrays.Decoding(
    reader=Reader.AUDIO,
    decode=decode,
    check=_check,
    key=_key,
    decoded_ahead=8,
)
prepare: Final = partial(arrays.prepare, DECODING)
