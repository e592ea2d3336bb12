import csv

import cv2
import numpy as np
import pytest

from competition.demo.data import DemoTrack, make_samples, write_dataset
from competition.demo.digits import DigitSet, digits_of
from competition.demo.drawing import MAX_OVERLAP, SIDE, two_boxes

SEED = 5


def ink(picture, channel, other):
    """Say where one of blue (0) and red (2) clearly exceeds the other."""
    return picture[:, :, channel].astype(int) - picture[:, :, other] > 90


def test_no_hidden_digit_is_a_training_digit():
    train = {image.tobytes() for image in digits_of(DigitSet.TRAIN).images}
    hidden = {image.tobytes() for image in digits_of(DigitSet.HIDDEN).images}

    assert train.isdisjoint(hidden)
    assert len(train) + len(hidden) == 1797


@pytest.mark.parametrize("split", DigitSet)
def test_every_digit_occurs_in_both_splits(split):
    assert set(digits_of(split).labels) == set(range(10))


@pytest.mark.parametrize("track", DemoTrack)
def test_the_same_seed_gives_the_same_pictures(track):
    first = [sample.picture for sample in make_samples(track, DigitSet.TRAIN, 4, SEED)]
    second = [sample.picture for sample in make_samples(track, DigitSet.TRAIN, 4, SEED)]

    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("track", DemoTrack)
def test_another_seed_or_split_gives_other_pictures(track):
    pictures = [
        next(make_samples(track, split, 1, seed)).picture.tobytes() for split in DigitSet for seed in (1, 2)
    ]

    assert len(set(pictures)) == 4


@pytest.mark.parametrize("track", DemoTrack)
def test_a_picture_does_not_depend_on_how_many_are_made(track):
    few = list(make_samples(track, DigitSet.HIDDEN, 2, SEED))
    more = list(make_samples(track, DigitSet.HIDDEN, 5, SEED))

    np.testing.assert_array_equal(few[1].picture, more[1].picture)


@pytest.mark.parametrize("track", DemoTrack)
def test_pictures_have_the_tracks_size(track):
    picture = next(make_samples(track, DigitSet.TRAIN, 1, SEED)).picture

    assert picture.shape == (SIDE, SIDE, 3)
    assert picture.dtype == np.uint8


def test_the_classes_of_track_1_are_balanced():
    labels = [sample.label for sample in make_samples(DemoTrack.CLASSIFY, DigitSet.HIDDEN, 200, SEED)]

    assert np.bincount(labels).tolist() == [2] * 100


def test_the_classes_of_track_2_are_balanced():
    labels = [sample.label for sample in make_samples(DemoTrack.DETECT, DigitSet.HIDDEN, 20, SEED)]

    assert np.bincount(labels).tolist() == [10, 10]


def test_every_picture_of_track_1_shows_blue_and_red_ink():
    pictures = [sample.picture for sample in make_samples(DemoTrack.CLASSIFY, DigitSet.HIDDEN, 60, SEED)]

    assert min(ink(picture, 0, 2).sum() for picture in pictures) > 300
    assert min(ink(picture, 2, 0).sum() for picture in pictures) > 300


def test_the_classes_of_digits_and_of_origins_are_balanced():
    digits = [sample.label for sample in make_samples(DemoTrack.DIGIT, DigitSet.HIDDEN, 20, SEED)]
    origins = [sample.label for sample in make_samples(DemoTrack.ORIGIN, DigitSet.HIDDEN, 12, SEED)]

    assert np.bincount(digits).tolist() == [2] * 10
    assert np.bincount(origins).tolist() == [4] * 3


def test_pictures_may_be_written_in_another_format(tmp_path):
    write_dataset(tmp_path, DemoTrack.DIGIT, "hidden", 1, SEED, suffix=".jpg")

    assert (tmp_path / "images/00000.jpg").read_bytes().startswith(b"\xff\xd8\xff")


def test_two_digits_never_hide_each_other():
    random = np.random.default_rng(SEED)
    overlaps = [first.overlap(second) for first, second in (two_boxes(random) for _ in range(300))]

    assert 0 < max(overlaps) <= MAX_OVERLAP


@pytest.mark.parametrize("track", DemoTrack)
def test_a_written_dataset_holds_the_pictures_and_halves_each_label(track, tmp_path):
    write_dataset(tmp_path, track, "hidden", 8, SEED)
    with (tmp_path / "labels.csv").open() as stream:
        rows = list(csv.DictReader(stream))

    for row, sample in zip(rows, make_samples(track, DigitSet.HIDDEN, 8, SEED), strict=True):
        np.testing.assert_array_equal(cv2.imread(str(tmp_path / row["file"])), sample.picture)
        assert row["label"] == str(sample.label)


def test_half_of_each_label_is_private(tmp_path):
    write_dataset(tmp_path, DemoTrack.DETECT, "hidden", 12, SEED)
    with (tmp_path / "labels.csv").open() as stream:
        parts = sorted((row["label"], row["split"]) for row in csv.DictReader(stream))

    assert parts == sorted([(label, part) for label in "01" for part in ("public", "private")] * 3)


def test_an_unknown_track_is_refused(tmp_path):
    with pytest.raises(ValueError, match="track9"):
        write_dataset(tmp_path, "track9", "hidden", 1, SEED)
