"""The pinned suite: each step by formula, and the same bytes whatever the threads."""

import cv2
import numpy as np
import pytest
import soxr

from scoring.readers.robustness import halve_frame, wear_picture, wear_sound

RATE = 16_000


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def compressed(picture: np.ndarray) -> np.ndarray:
    for codec, settings in (
        (".jpg", [cv2.IMWRITE_JPEG_QUALITY, 55]),
        (".webp", [cv2.IMWRITE_WEBP_QUALITY, 75]),
        (".jpg", [cv2.IMWRITE_JPEG_QUALITY, 80]),
    ):
        if codec == ".jpg":
            settings += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
        picture = cv2.imdecode(cv2.imencode(codec, picture, settings)[1], cv2.IMREAD_COLOR)
    return picture


@pytest.mark.parametrize(
    ("height", "width", "small"),
    [
        (600, 800, (400, 300)),
        (512, 512, (256, 256)),
        (601, 801, (400, 300)),
        # Each side stops at 256 by itself, so the aspect is not kept.
        (300, 800, (400, 256)),
        (300, 400, (256, 256)),
        # What would not shrink in both directions is not resized at all.
        (256, 800, (800, 256)),
        (200, 300, (300, 200)),
    ],
)
def test_a_picture_is_halved_to_256_a_side_at_least_blown_up_and_compressed(
    height: int, width: int, small: tuple[int, int]
) -> None:
    picture = noise(height, width, 3)
    halved = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
    blown_up = cv2.resize(halved, (width, height), interpolation=cv2.INTER_LINEAR)

    assert np.array_equal(wear_picture(picture), compressed(blown_up))


def test_the_suite_really_wears_a_picture() -> None:
    picture = noise(600, 600, 3)

    assert np.abs(wear_picture(picture).astype(int) - picture).mean() > 10


def test_the_threads_of_opencv_change_nothing() -> None:
    picture = noise(700, 900, 3)
    threads = cv2.getNumThreads()
    try:
        worn = []
        for count in (1, 4):
            cv2.setNumThreads(count)
            worn.append(wear_picture(picture).tobytes())
    finally:
        cv2.setNumThreads(threads)

    assert worn[0] == worn[1]


@pytest.mark.parametrize(
    ("sides", "halved"),
    [
        ((1_080, 1_920), (540, 960)),
        ((602, 1_022), (300, 510)),
        ((300, 800), (256, 400)),
        ((256, 801), (256, 800)),
        ((65, 47), (64, 46)),
        ((1, 3), (2, 2)),
    ],
)
def test_a_frame_is_halved_to_256_a_side_at_least_and_even_sides(
    sides: tuple[int, int], halved: tuple[int, int]
) -> None:
    assert halve_frame(noise(*sides, 3)).shape == (*halved, 3)


def tone(hertz: float, seconds: float = 1.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(int(RATE * seconds)) / RATE)).astype(np.float32)


def spectrum(sound: np.ndarray, hertz: float) -> float:
    return float(np.abs(np.fft.rfft(sound))[round(hertz * len(sound) / RATE)] / len(sound) * 2)


def test_a_tone_that_a_telephone_carries_comes_out_6_db_quieter() -> None:
    worn = wear_sound(tone(1_000), rate=RATE, seed=0)

    assert spectrum(worn, 1_000) == pytest.approx(0.5 * 10 ** (-6 / 20), rel=0.01)


def test_a_tone_above_4_khz_is_gone() -> None:
    assert spectrum(wear_sound(tone(6_000), rate=RATE, seed=0), 6_000) < 0.001


def test_the_noise_lies_30_db_below_the_sound() -> None:
    sound = tone(1_000, seconds=4)
    quiet = soxr.resample(soxr.resample(sound, RATE, 8_000, quality="HQ"), 8_000, RATE, quality="HQ")
    quiet = quiet * 10 ** (-6 / 20)

    added = wear_sound(sound, rate=RATE, seed=3) - quiet

    assert 10 * np.log10(np.mean(quiet**2) / np.mean(added**2)) == pytest.approx(30, abs=0.2)


def test_the_same_seed_gives_the_same_sound_and_another_does_not() -> None:
    one, same, other = (wear_sound(tone(500), rate=RATE, seed=seed).tobytes() for seed in (1, 1, 2))

    assert one == same
    assert one != other


@pytest.mark.parametrize("samples", [1, 7, 16_001])
def test_a_sound_keeps_its_length_type_and_range(samples: int) -> None:
    sound = np.random.default_rng(0).uniform(-1, 1, samples).astype(np.float32)

    worn = wear_sound(sound, rate=RATE, seed=0)

    assert (worn.shape, worn.dtype) == ((samples,), np.float32)
    assert np.abs(worn).max() <= 1


def test_silence_stays_silent() -> None:
    assert not wear_sound(np.zeros(4_000, np.float32), rate=RATE, seed=0).any()


def test_a_sound_of_a_telephone_s_rate_loses_nothing_on_the_way_through_one() -> None:
    sound = np.random.default_rng(0).uniform(-0.9, 0.9, 8_000).astype(np.float32)
    quiet = sound * 10 ** (-6 / 20)

    added = wear_sound(sound, rate=8_000, seed=0) - quiet

    assert 10 * np.log10(np.mean(quiet**2) / np.mean(added**2)) == pytest.approx(30, abs=0.2)
