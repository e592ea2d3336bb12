import numpy as np
import pytest

from competition.demo.data import DemoTrack, make_samples
from competition.demo.digits import DigitSet
from competition.demo.tampering import TAMPERINGS


@pytest.fixture(scope="module")
def clean():
    return next(make_samples(DemoTrack.DETECT, DigitSet.TRAIN, 1, 3)).picture


@pytest.mark.parametrize("tamper", TAMPERINGS)
@pytest.mark.parametrize("seed", range(5))
def test_tampering_changes_a_good_part_of_the_picture(tamper, seed, clean):
    tampered = tamper(clean, np.random.default_rng(seed))

    assert tampered.shape == clean.shape
    assert tampered.dtype == np.uint8
    assert (tampered != clean).any(axis=2).mean() > 0.02


@pytest.mark.parametrize("tamper", TAMPERINGS)
def test_tampering_leaves_the_given_picture_alone(tamper, clean):
    before = clean.copy()

    tamper(clean, np.random.default_rng(0))

    np.testing.assert_array_equal(clean, before)


@pytest.mark.parametrize("tamper", TAMPERINGS)
def test_tampering_repeats_for_one_seed(tamper, clean):
    first = tamper(clean, np.random.default_rng(7))
    second = tamper(clean, np.random.default_rng(7))

    np.testing.assert_array_equal(first, second)
