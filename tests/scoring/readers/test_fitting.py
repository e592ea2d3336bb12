import cv2
import numpy as np
import pytest

from scoring.contracts import Fit, InputContract
from scoring.readers.fitting import fit


def contract(height, width, how):
    return InputContract(shape=(3, height, width), fit=how)


def columns(*values, height):
    """Return a picture whose every row holds the values."""
    plane = np.tile(np.array(values, np.uint8), (height, 1))
    return np.dstack([plane] * 3)


def rows(*values, width):
    return columns(*values, height=width).transpose(1, 0, 2)


@pytest.mark.parametrize("how", Fit)
@pytest.mark.parametrize("size", [(1, 1), (2, 7), (7, 2), (3, 3), (64, 5), (31, 33)])
@pytest.mark.parametrize("target", [(1, 1), (4, 4), (3, 8), (9, 2)])
def test_every_policy_gives_the_target_whatever_the_picture(how, size, target):
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)

    assert fit(picture, contract(*target, how)).shape == (*target, 3)


@pytest.mark.parametrize("how", Fit)
def test_a_picture_of_the_right_size_stays_as_it_is(how):
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)

    np.testing.assert_array_equal(fit(picture, contract(5, 7, how)), picture)


def test_stretching_keeps_everything_and_not_the_aspect():
    picture = columns(0, 100, 200, 40, height=2)

    # Two by two blocks become their mean.
    np.testing.assert_array_equal(fit(picture, contract(1, 2, Fit.STRETCH)), columns(50, 120, height=1))


@pytest.mark.parametrize("how", [Fit.SHORTEST_EDGE_THEN_CENTRE_CROP, Fit.CROP_TO_ASPECT_THEN_RESIZE])
def test_what_has_the_target_height_only_loses_its_sides(how):
    picture = columns(10, 20, 30, 40, 50, 60, height=2)

    np.testing.assert_array_equal(fit(picture, contract(2, 2, how)), columns(30, 40, height=2))


@pytest.mark.parametrize("how", [Fit.SHORTEST_EDGE_THEN_CENTRE_CROP, Fit.CROP_TO_ASPECT_THEN_RESIZE])
def test_what_has_the_target_width_only_loses_top_and_bottom(how):
    picture = rows(10, 20, 30, 40, 50, 60, width=2)

    np.testing.assert_array_equal(fit(picture, contract(2, 2, how)), rows(30, 40, width=2))


@pytest.mark.parametrize("how", [Fit.SHORTEST_EDGE_THEN_CENTRE_CROP, Fit.CROP_TO_ASPECT_THEN_RESIZE])
def test_an_odd_remainder_is_cut_off_after_the_middle(how):
    picture = columns(10, 20, 30, 40, 50, height=2)

    # Three columns go: one before, two after.
    np.testing.assert_array_equal(fit(picture, contract(2, 2, how)), columns(20, 30, height=2))


def test_cropping_first_never_sees_what_lies_outside_the_crop():
    # 4 x 8 to 2 x 2: scale 2, so columns 2 to 5 stay; bilinear halving averages neighbours.
    picture = columns(255, 255, 10, 20, 30, 50, 255, 255, height=4)

    fitted = fit(picture, contract(2, 2, Fit.CROP_TO_ASPECT_THEN_RESIZE))

    np.testing.assert_array_equal(fitted, columns(15, 40, height=2))


def test_cropping_first_rounds_the_crop():
    # 5 x 9 to 2 x 3: scale min(2.5, 3) = 2.5, so the crop is 5 x round(7.5) = 8, from column 0 on.
    picture = np.random.default_rng(0).integers(0, 256, (5, 9, 3), dtype=np.uint8)

    expected = cv2.resize(np.ascontiguousarray(picture[:, 0:8]), (3, 2), interpolation=cv2.INTER_LINEAR)

    np.testing.assert_array_equal(fit(picture, contract(2, 3, Fit.CROP_TO_ASPECT_THEN_RESIZE)), expected)


def test_resizing_first_lets_the_shortest_edge_decide():
    # 2 x 6 to 4 x 4: doubled to 4 x 12, of which columns 4 to 7 stay.
    picture = np.random.default_rng(0).integers(0, 256, (2, 6, 3), dtype=np.uint8)

    expected = cv2.resize(picture, (12, 4), interpolation=cv2.INTER_LINEAR)[:, 4:8]

    np.testing.assert_array_equal(fit(picture, contract(4, 4, Fit.SHORTEST_EDGE_THEN_CENTRE_CROP)), expected)


def test_the_two_cropping_policies_are_not_the_same():
    picture = np.random.default_rng(0).integers(0, 256, (41, 70, 3), dtype=np.uint8)

    one = fit(picture, contract(16, 16, Fit.SHORTEST_EDGE_THEN_CENTRE_CROP))
    other = fit(picture, contract(16, 16, Fit.CROP_TO_ASPECT_THEN_RESIZE))

    assert not np.array_equal(one, other)
