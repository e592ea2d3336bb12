"""Synthetic voices against their formula, sample by sample."""

import math

import numpy as np
import pytest

from scoring.readers.voices import VOICES, voice


def by_the_formula(name: str, samples: int, rate: int) -> np.ndarray:
    """A wavering pitch, forty harmonics as loud as the vowel lets them be, breath, and syllables."""
    about, phase, values = VOICES[name], 0.0, []
    breath = about.breath * np.random.default_rng(list(name.encode())).standard_normal(samples)
    for number in range(samples):
        time = number / rate
        phase += math.tau * about.pitch_hz * (1 + 0.03 * math.sin(math.tau * 5 * time)) / rate
        tone = sum(
            math.sin(harmonic * phase) / (1 + ((harmonic * about.pitch_hz - resonance) / 120) ** 2)
            for harmonic in range(1, 41)
            for resonance in about.resonances_hz
            if 1.03 * harmonic * about.pitch_hz < rate / 2
        )
        values.append(
            (tone + breath[number]) * (0.55 + 0.45 * math.sin(math.tau * about.syllables_hz * time))
        )
    return np.array(values) * 0.5 / np.abs(values).max()


@pytest.mark.parametrize("name", VOICES)
@pytest.mark.parametrize("rate", [1_500, 16_000])
def test_a_voice_is_what_its_formula_gives(name: str, rate: int) -> None:
    found = voice(name, samples=400, rate=rate)

    np.testing.assert_allclose(found, by_the_formula(name, 400, rate), atol=1e-6)
