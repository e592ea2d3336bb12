"""Synthetic voices: what an audio model is tried on before it meets hidden data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

PEAK: Final = 0.5
HARMONICS: Final = 40
VIBRATO_HZ: Final = 5.0
RESONANCE_WIDTH_HZ: Final = 120.0


@dataclass(frozen=True, kw_only=True)
class Voice:
    """A pitch that wavers, the vowel's resonances, syllables a second, and how much breath there is."""

    pitch_hz: float
    resonances_hz: tuple[float, ...]
    syllables_hz: float
    breath: float


VOICES: Final[Mapping[str, Voice]] = {
    "low a": Voice(pitch_hz=105, resonances_hz=(730, 1090, 2440), syllables_hz=2.5, breath=0.02),
    "high i": Voice(pitch_hz=215, resonances_hz=(310, 2790, 3310), syllables_hz=3.5, breath=0.03),
    "middle u": Voice(pitch_hz=150, resonances_hz=(300, 870, 2240), syllables_hz=1.5, breath=0.01),
    "whisper": Voice(pitch_hz=180, resonances_hz=(530, 1840, 2480), syllables_hz=4.0, breath=0.6),
}


def voice(name: str, *, samples: int, rate: int) -> NDArray[np.float32]:
    """Return a voice as `samples` float32 values at `rate`, within -0.5 and 0.5; the same each time."""
    about = VOICES[name]
    time = np.arange(samples) / rate
    pitch = about.pitch_hz * (1 + 0.03 * np.sin(2 * np.pi * VIBRATO_HZ * time))
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    sound = np.zeros(samples)
    for harmonic in range(1, HARMONICS + 1):
        frequency = harmonic * about.pitch_hz
        # Beyond half the rate a tone would come back as another one.
        if frequency * 1.03 < rate / 2:
            sound += _loudness(frequency, about) * np.sin(harmonic * phase)
    noise = np.random.default_rng(list(name.encode())).standard_normal(samples)
    sound += about.breath * noise
    sound *= 0.55 + 0.45 * np.sin(2 * np.pi * about.syllables_hz * time)
    return (PEAK * sound / max(1e-9, np.abs(sound).max(initial=0))).astype(np.float32)


def _loudness(frequency: float, about: Voice) -> float:
    away = (frequency - np.array(about.resonances_hz)) / RESONANCE_WIDTH_HZ
    return float((1 / (1 + away**2)).sum())
