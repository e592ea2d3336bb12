"""Pictures with masks and boxes: what is said to be ink is ink."""

import csv
import json

import cv2
import numpy as np
import pytest

from competition.demo.spatial import (
    BLUE,
    PAPER,
    RED,
    SIDE,
    class_names,
    write_box_dataset,
    write_mask_dataset,
)
from scoring.data.dataset import count_labels, dataset_digest
from scoring.data.labels import read_labels
from tests.folders import checked, split_sizes

SAMPLES = 6
BLUE_CHANNEL, RED_CHANNEL = 0, 2
WRITERS = [write_mask_dataset, write_box_dataset]


@pytest.fixture(scope="module")
def masks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("masks")
    write_mask_dataset(folder, SAMPLES, 1)
    return folder


@pytest.fixture(scope="module")
def boxes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("boxes")
    write_box_dataset(folder, SAMPLES, 1)
    return folder


def pictures_with_masks(folder):
    with (folder / "labels.csv").open() as stream:
        for row in csv.DictReader(stream):
            yield (
                cv2.imread(str(folder / row["file"])).astype(int),
                cv2.imread(str(folder / row["mask"]), cv2.IMREAD_UNCHANGED),
            )


def annotations(folder):
    return json.loads((folder / "annotations.json").read_text())


def test_a_dataset_of_masks_is_whole_and_half_private(masks):
    assert split_sizes(checked(masks)) == (SAMPLES / 2, SAMPLES / 2)


def test_every_mask_shows_paper_blue_and_red_ink(masks):
    found = [set(np.unique(mask)) for _, mask in pictures_with_masks(masks)]

    assert found == [{PAPER, BLUE, RED}] * SAMPLES


def test_a_mask_marks_the_ink_of_its_colour(masks):
    for picture, mask in pictures_with_masks(masks):
        bluer = picture[:, :, BLUE_CHANNEL] - picture[:, :, RED_CHANNEL]

        # Digits may touch: there the ink that lies on top shows a little of the other.
        assert np.mean(bluer[mask == BLUE] > bluer[mask == PAPER].mean() + 20) > 0.95
        assert np.mean(bluer[mask == RED] < bluer[mask == PAPER].mean() - 20) > 0.95


def test_a_dataset_of_boxes_fits_a_track_of_80_classes(boxes):
    table = checked(boxes)

    assert split_sizes(table) == (SAMPLES / 2, SAMPLES / 2)
    assert len(table.classes) == 80
    assert sum(count_labels(table, table.rows).values()) == 2 * SAMPLES


def test_the_classes_of_boxes_are_eight_inks_times_ten_digits(boxes):
    names = [category["name"] for category in annotations(boxes)["categories"]]

    assert names == list(class_names())
    assert len(set(names)) == 80


def test_a_box_holds_ink_at_each_of_its_edges_and_none_lies_outside_all_boxes(boxes):
    document = annotations(boxes)
    for image in document["images"]:
        picture = cv2.imread(str(boxes / image["file_name"]))
        outside = np.ones((SIDE, SIDE), bool)
        for box in (each["bbox"] for each in document["annotations"] if each["image_id"] == image["id"]):
            left, top, width, height = box
            outside[top : top + height, left : left + width] = False
            assert 0 <= left < left + width <= SIDE
            assert 0 <= top < top + height <= SIDE
        # Paper is nowhere darker than 170 - 14 - its stains and lines; ink is dark in some channel.
        inked = picture.min(axis=2) < 60

        assert inked.any()
        assert not inked[outside].any()


@pytest.mark.parametrize("write", WRITERS)
def test_one_seed_gives_the_same_bytes_and_another_seed_others(write, tmp_path):
    digests = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write(tmp_path / name, 2, seed)
        digests.append(dataset_digest(tmp_path / name, read_labels(tmp_path / name)))

    assert digests[0] == digests[1] != digests[2]
