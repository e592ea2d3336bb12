"""Random changes: what a level may do, how often, and that a seed decides alone."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest

from scoring.readers.augmentation import Changes, change, draw

PICTURE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


def changed(changes: Changes, picture: np.ndarray = PICTURE) -> np.ndarray:
    (result,) = change([picture], changes, fit=lambda picture: picture)
    return result


def test_level_0_changes_nothing() -> None:
    assert all(np.array_equal(changed(draw(level=0, seed=seed)), PICTURE) for seed in range(50))


@pytest.mark.parametrize(
    ("level", "colour", "noise"), [(0, {0}, {0}), (1, {0}, {0}), (2, {0, 1}, {0}), (3, {0, 1, 2}, {0, 1, 2})]
)
def test_a_level_draws_the_strengths_of_its_range(level: int, colour: set[int], noise: set[int]) -> None:
    drawn = [draw(level=level, seed=seed) for seed in range(200)]

    assert {changes.colour for changes in drawn} == colour
    assert {changes.contrast for changes in drawn} == colour
    assert {changes.noise for changes in drawn} == noise
    assert {changes.blur for changes in drawn} == noise


def test_mirroring_and_turning_happen_half_of_the_time_and_apart() -> None:
    drawn = Counter(
        (changes.mirrored, changes.upside_down)
        for changes in (draw(level=1, seed=seed) for seed in range(4_000))
    )

    # Each of the four has probability 1/4: 1000 expected, standard deviation 27.
    assert all(abs(count - 1_000) < 5 * 27.4 for count in drawn.values())
    assert len(drawn) == 4


def test_a_crop_takes_place_as_often_as_asked() -> None:
    cropped = sum(draw(level=0, seed=seed, crop_probability=0.25).crop is not None for seed in range(4_000))

    assert abs(cropped - 1_000) < 5 * 27.4


def test_a_higher_level_flips_the_same_samples() -> None:
    for seed in range(50):
        low, high = draw(level=1, seed=seed), draw(level=3, seed=seed)
        assert (low.mirrored, low.upside_down) == (high.mirrored, high.upside_down)


def test_flips_are_flips() -> None:
    assert np.array_equal(changed(Changes(mirrored=True)), PICTURE[:, ::-1])
    assert np.array_equal(changed(Changes(upside_down=True)), PICTURE[::-1])


@pytest.mark.parametrize(("strength", "share"), [(1, 0.85), (2, 0.725), (5, 0.35)])
def test_contrast_scales_the_values(strength: int, share: float) -> None:
    assert np.array_equal(changed(Changes(contrast=strength)), np.rint(PICTURE * share).astype(np.uint8))


def test_the_strongest_loss_of_colour_leaves_grey() -> None:
    grey = changed(Changes(colour=5)).astype(int)

    assert np.abs(grey - grey[:, :, :1]).max() <= 1


def test_a_loss_of_colour_leaves_brightness_and_scales_the_rest() -> None:
    flat = np.full((2, 2, 3), (90, 120, 150), np.uint8)

    after = cv2.cvtColor(changed(Changes(colour=1), flat), cv2.COLOR_BGR2YCrCb).astype(float)

    before = cv2.cvtColor(flat, cv2.COLOR_BGR2YCrCb).astype(float)
    assert after[0, 0, 0] == pytest.approx(before[0, 0, 0], abs=1)
    assert after[0, 0, 1:] - 128 == pytest.approx(0.4 * (before[0, 0, 1:] - 128), abs=1.5)


def test_noise_has_the_tables_variance_in_brightness() -> None:
    flat = np.full((200, 200, 3), 128, np.uint8)

    noisy = cv2.cvtColor(changed(Changes(noise=2), flat), cv2.COLOR_BGR2YCrCb)[:, :, 0]

    # In video's YCbCr black to white are 219 of 255 steps.
    assert np.var(noisy / 255 * 219 / 255) == pytest.approx(0.002, rel=0.05)


def test_blur_is_gaussian_of_a_sixth_of_its_side() -> None:
    assert np.array_equal(changed(Changes(blur=2)), cv2.GaussianBlur(PICTURE, (9, 9), 1.5))


def test_a_crop_takes_its_share_of_both_sides_from_its_place() -> None:
    assert np.array_equal(changed(Changes(crop=(0.5, 0.25, 0.0, 0.999))), PICTURE[:20, 45:])


def test_a_crop_of_a_tiny_picture_keeps_one_pixel() -> None:
    picture = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)

    (found,) = change([picture], Changes(crop=(0.35, 0.35, 0.0, 0.0)), fit=lambda cropped: cropped)

    np.testing.assert_array_equal(found, picture[:1, :1])


def test_noise_is_drawn_by_the_sample_s_own_seed() -> None:
    assert [draw(level=3, seed=seed).noise_seed for seed in (1, 2)] == [1, 2]


def test_both_sides_of_a_crop_are_drawn_apart_and_evenly_from_035_to_099() -> None:
    crops = np.array([draw(level=0, seed=seed, crop_probability=1).crop for seed in range(4_000)])

    for shares in crops[:, :2].T:
        # The deviation of the mean of 4,000 such draws is 0.64 / sqrt(12 * 4000), about 0.003.
        assert 0.35 <= shares.min() < shares.max() < 0.99
        assert shares.mean() == pytest.approx(0.67, abs=5 * 0.003)
    assert abs(np.corrcoef(crops[:, 0], crops[:, 1])[0, 1]) < 5 / np.sqrt(4_000)


def test_a_crop_comes_before_the_fit_and_all_else_after_it() -> None:
    seen = []

    def fit(picture: np.ndarray) -> np.ndarray:
        seen.append(picture)
        return picture[:, :10]

    (result,) = change([PICTURE], Changes(crop=(0.5, 0.5, 0.0, 0.0), blur=1, mirrored=True), fit=fit)

    assert np.array_equal(seen[0], PICTURE[:20, :30])
    fitted = np.ascontiguousarray(PICTURE[:20, :10][:, ::-1])
    assert np.array_equal(result, cv2.GaussianBlur(fitted, (7, 7), 7 / 6))


def test_threads_and_the_state_of_numpys_generator_change_nothing() -> None:
    def work(seed: int) -> bytes:
        np.random.seed(seed + 1)  # what an entry or a library might do
        return changed(draw(level=3, seed=seed, crop_probability=0.5)).tobytes()

    alone = [work(seed) for seed in range(40)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(work, range(40)))

    assert alone == together


def test_frames_of_a_clip_get_the_same_changes() -> None:
    changes = replace(draw(level=3, seed=4, crop_probability=1.0), noise=0)

    one, other = change([PICTURE, PICTURE], changes, fit=lambda picture: picture)

    assert np.array_equal(one, other)
