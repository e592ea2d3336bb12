"""Clips and sounds of the demonstration's video and audio tracks; the same for one seed.

Label 0 is real, 1 synthetic, 2 semisynthetic. A real clip is a camera that moves smoothly over a
photograph; a synthetic one has its frames out of order, frozen, flickering or melting into each
other, a semisynthetic one only in a part of the picture. A real sound is a voice whose pitch
wanders; a synthetic one is the same voice out of a vocoder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_sample_images

from competition.demo.labels import halves, write_labels

SIDE: Final = 128
FRAMES: Final = 24
FRAMES_PER_SECOND: Final = 25
SAMPLE_RATE: Final = 16_000
SECONDS: Final = 6
HARMONICS: Final = 30
WINDOW, HOP = 512, 128
REAL, SYNTHETIC = 0, 1

Clip = NDArray[np.uint8]
Sound = NDArray[np.float64]


def write_video_dataset(folder: Path, samples: int, seed: int, classes: int = 2) -> None:
    """Write H.264 clips and, last, `labels.csv`; every second sample of each label is private."""
    labels = [index % classes for index in range(samples)]
    _write_dataset(folder, "clips/{:05}.mp4", labels, seed, _write_clip)


def write_audio_dataset(folder: Path, samples: int, seed: int, seconds: float = SECONDS) -> None:
    """Write FLAC sounds and, last, `labels.csv`; every second sample of each label is private."""
    labels = [index % 2 for index in range(samples)]
    _write_dataset(folder, "sounds/{:05}.flac", labels, seed, partial(_write_sound, seconds=seconds))


def make_clip(label: int, random: np.random.Generator) -> Clip:
    """Return a clip of the label: (frames, 128, 128, RGB)."""
    clip = _panned(random)
    if label == REAL:
        return clip
    tampered = _TAMPERINGS[random.integers(len(_TAMPERINGS))](clip, random)
    return tampered if label == SYNTHETIC else _in_a_region(clip, tampered, random)


def make_sound(label: int, random: np.random.Generator) -> Sound:
    """Return six seconds of sound of the label, at 16 kHz and at half of full scale."""
    sound = _voice(random)
    if label:
        sound = _vocoded(sound)
    return np.asarray(0.5 * sound / np.abs(sound).max())


def _write_dataset(
    folder: Path,
    pattern: str,
    labels: Sequence[int],
    seed: int,
    write: Callable[[Path, int, np.random.Generator], None],
) -> None:
    names = [pattern.format(index) for index in range(len(labels))]
    for index, (name, label) in enumerate(zip(names, labels, strict=True)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write(folder / name, label, np.random.default_rng([seed, *pattern.encode(), index]))
    write_labels(folder, ("file", "label", "split"), zip(names, labels, halves(labels), strict=True))


# --- video -------------------------------------------------------------------------------------


def _write_clip(path: Path, label: int, random: np.random.Generator) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FRAMES_PER_SECOND, options={"crf": "20"})
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuv420p"
        # Several threads would code the same clip into other bytes.
        stream.codec_context.thread_count = 1
        for frame in make_clip(label, random):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        container.mux(stream.encode())


def _panned(random: np.random.Generator) -> Clip:
    """Move and zoom evenly from one part of a photograph to another."""
    photograph = _photographs()[random.integers(2)]
    start, end = (_corners(photograph, random) for _ in range(2))
    light = random.uniform(0.7, 1.1)
    clip = np.empty((FRAMES, SIDE, SIDE, 3), np.uint8)
    for number, gone in enumerate(np.linspace(0, 1, FRAMES)):
        left, top, side = start + gone * (end - start)
        grid = np.array([[side / SIDE, 0, left], [0, side / SIDE, top]])
        part = cv2.warpAffine(photograph, grid, (SIDE, SIDE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        clip[number] = np.clip(part * light, 0, 255)
    return clip


def _corners(photograph: Clip, random: np.random.Generator) -> NDArray[np.float64]:
    side = random.uniform(180, 300)
    height, width = photograph.shape[:2]
    return np.array([random.uniform(0, width - side - 1), random.uniform(0, height - side - 1), side])


def _shuffled(clip: Clip, random: np.random.Generator) -> Clip:
    """Put frames out of order, four at a time."""
    order = np.arange(FRAMES).reshape(-1, 4)
    shuffled: Clip = clip[random.permuted(order, axis=1).ravel()]
    return shuffled


def _frozen(clip: Clip, random: np.random.Generator) -> Clip:
    """Hold every fifth or so frame while the camera should go on, then jump."""
    hold = int(random.integers(4, 7))
    return clip[np.arange(FRAMES) // hold * hold]


def _flickering(clip: Clip, random: np.random.Generator) -> Clip:
    """Light each frame differently."""
    light = random.uniform(0.6, 1.0, (FRAMES, 1, 1, 1))
    return np.asarray(clip * light, dtype=np.uint8)


def _melting(clip: Clip, random: np.random.Generator) -> Clip:
    """Lay the clip, played backwards, over itself."""
    share = random.uniform(0.35, 0.5)
    return np.asarray(clip * (1 - share) + clip[::-1] * share, dtype=np.uint8)


def _in_a_region(clip: Clip, tampered: Clip, random: np.random.Generator) -> Clip:
    """Put a part of the tampered clip into the clip."""
    top, left = random.integers(0, SIDE // 2, 2)
    height, width = random.integers(SIDE // 3, SIDE // 2, 2)
    mixed = clip.copy()
    region = np.s_[:, top : top + height, left : left + width]
    mixed[region] = tampered[region]
    return mixed


_TAMPERINGS: Final = (_shuffled, _frozen, _flickering, _melting)


@lru_cache(maxsize=1)
def _photographs() -> tuple[Clip, ...]:
    return tuple(load_sample_images().images)


# --- audio -------------------------------------------------------------------------------------


def _write_sound(path: Path, label: int, random: np.random.Generator, *, seconds: float) -> None:
    sound = make_sound(label, random)[: round(seconds * SAMPLE_RATE)]
    values = np.rint(sound * 32_767).astype(np.int16)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=SAMPLE_RATE, layout="mono")
        for piece in np.split(values, range(4_096, len(values), 4_096)):
            frame = av.AudioFrame.from_ndarray(piece[np.newaxis], format="s16", layout="mono")
            frame.sample_rate = SAMPLE_RATE
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _voice(random: np.random.Generator) -> Sound:
    """Sum harmonics of a pitch that wanders and wavers, louder near the vowel's resonances."""
    count = SAMPLE_RATE * SECONDS
    time = np.arange(count) / SAMPLE_RATE
    wander = np.interp(time, np.linspace(0, SECONDS, 13), random.normal(0, 0.12, 13))
    waver = 0.02 * np.sin(2 * np.pi * random.uniform(4, 7) * time)
    pitch_hz = random.uniform(90, 220) * np.exp(wander + waver)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / SAMPLE_RATE
    resonances_hz = random.uniform((300, 900, 2_200), (800, 2_000, 3_200))
    sound = random.uniform(0.005, 0.03) * random.standard_normal(count)
    for harmonic in range(1, HARMONICS + 1):
        # The loudness changes slowly: a hundred values a second are enough.
        away = (harmonic * pitch_hz[::160, np.newaxis] - resonances_hz) / 150
        loudness = np.interp(time, time[::160], (1 / (1 + away**2)).sum(axis=1))
        sound += loudness * np.sin(harmonic * phase + random.uniform(0, 6.28))
    syllables = 0.5 + 0.5 * np.sin(2 * np.pi * random.uniform(2, 4) * time + random.uniform(0, 6.28))
    return sound * (0.05 + syllables)


def _vocoded(sound: Sound) -> Sound:
    """Keep the strengths of short stretches' frequencies and forget their phases."""
    window = np.hanning(WINDOW)
    padded = np.pad(sound, WINDOW)
    out = np.zeros_like(padded)
    for start in range(0, len(padded) - WINDOW + 1, HOP):
        strengths = np.abs(np.fft.rfft(padded[start : start + WINDOW] * window))
        out[start : start + WINDOW] += np.fft.fftshift(np.fft.irfft(strengths)) * window
    return out[WINDOW:-WINDOW]
