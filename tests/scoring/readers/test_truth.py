"""Masks and boxes follow their pictures to the size of the input, and never enter the sandbox."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scoring.contracts import Fit, InputContract, Orientation, TruthKind
from scoring.errors import Fault
from scoring.readers.image import prepare
from scoring.readers.prepared import PreparedData
from scoring.readers.truth import given_size

CONTRACT = InputContract(shape=(3, 4, 6))
EVERY = np.ones(3, dtype=np.bool_)


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    """Three pictures of 12 x 8 whose brightness is 10 times the class in their mask's left half."""
    folder = tmp_path / "data"
    folder.mkdir()
    for index in range(3):
        Image.new("RGB", (12, 8), (10 * index,) * 3).save(folder / f"{index}.png")
        mask = np.zeros((8, 12), np.uint8)
        mask[:, :6] = index
        mask[:, 11] = 255
        Image.fromarray(mask).save(folder / f"m{index}.png")
    rows = [f"{index}.png,m{index}.png" for index in range(3)]
    (folder / "labels.csv").write_text("\n".join(["file,mask", *rows]) + "\n")
    return folder


@pytest.fixture
def boxes(masks: Path) -> Path:
    (masks / "labels.csv").write_text("file\n0.png\n1.png\n2.png\n")
    document = {
        "images": [{"id": i, "file_name": f"{i}.png", "width": 12, "height": 8} for i in range(3)],
        "annotations": [{"id": 1, "image_id": 2, "category_id": 0, "bbox": [2, 4, 6, 2], "iscrowd": 1}],
        "categories": [{"id": 0, "name": "thing"}],
    }
    (masks / "annotations.json").write_text(json.dumps(document))
    return masks


def read(folder: Path, tmp_path: Path, contract: InputContract = CONTRACT) -> PreparedData:
    return prepare(folder, contract=contract, cache=tmp_path / "cache")


def brightness(prepared: PreparedData) -> list[int]:
    """Return which picture each row is."""
    return (np.load(prepared.inputs)[:, 0, 0, 0] // 10).tolist()


def test_masks_take_the_nearest_pixel_and_lie_as_their_pictures_do(masks: Path, tmp_path: Path) -> None:
    prepared = read(masks, tmp_path)

    found = prepared.truth(EVERY)
    assert (found.shape, found.dtype) == ((3, 4, 6), np.uint8)
    assert found[:, 0, 0].tolist() == brightness(prepared)
    assert set(np.unique(found)) <= {0, 1, 2, 255}


def test_masks_are_mapped_from_a_file_of_their_own(masks: Path, tmp_path: Path) -> None:
    prepared = read(masks, tmp_path)

    assert isinstance(prepared.masks, np.memmap)
    assert np.load(prepared.inputs).shape == (3, 3, 4, 6)


def test_a_palette_gives_its_numbers_and_not_its_colours(masks: Path, tmp_path: Path) -> None:
    for index in range(3):
        picture = Image.fromarray(np.full((8, 12), index, np.uint8)).convert("P")
        picture.putdata([index] * 96)
        picture.putpalette([200, 100, 50] * 256)
        picture.save(masks / f"m{index}.png")

    prepared = read(masks, tmp_path)

    assert prepared.truth(EVERY)[:, 2, 2].tolist() == brightness(prepared)


def test_boxes_are_scaled_by_each_side(boxes: Path, tmp_path: Path) -> None:
    prepared = read(boxes, tmp_path, InputContract(shape=(3, 4, 24)))

    found = dict(zip(brightness(prepared), prepared.truth(EVERY), strict=True))
    assert found[2].tolist() == [[4, 2, 16, 3, 0, 1]]
    assert found[0].shape == (0, 6)


def test_the_rows_of_one_split_are_chosen(masks: Path, tmp_path: Path) -> None:
    prepared = read(masks, tmp_path)
    second = np.array([False, True, False])

    np.testing.assert_array_equal(prepared.truth(second), prepared.truth(EVERY)[1:2])


@pytest.mark.parametrize("fit", [Fit.SHORTEST_EDGE_THEN_CENTRE_CROP, Fit.CROP_TO_ASPECT_THEN_RESIZE])
def test_cropping_is_refused(fit: Fit, boxes: Path, tmp_path: Path) -> None:
    with pytest.raises(Fault, match="stretch"):
        read(boxes, tmp_path, replace(CONTRACT, fit=fit))


def test_a_mask_of_another_size_than_its_picture_is_found(masks: Path, tmp_path: Path) -> None:
    Image.new("L", (6, 4)).save(masks / "m1.png")

    with pytest.raises(
        Fault, match="row 2 of the dataset: the truth is for 6 x 4, but the picture, upright, is 12 x 8"
    ):
        read(masks, tmp_path)


def test_a_damaged_mask_is_found(masks: Path, tmp_path: Path) -> None:
    whole = (masks / "m2.png").read_bytes()
    (masks / "m2.png").write_bytes(whole[:40])

    with pytest.raises(Fault, match="row 3 of the dataset: the mask cannot be decoded"):
        read(masks, tmp_path)


def test_sizes_are_those_of_the_upright_picture(boxes: Path, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (8, 12)).save(boxes / "0.png", exif=exif)

    assert read(boxes, tmp_path).boxes is not None


@pytest.mark.parametrize("orientation", range(9))
def test_of_the_orientations_those_from_5_to_8_turn_a_picture_on_its_side(
    tmp_path: Path, orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (8, 12)).save(tmp_path / "0.png", exif=exif)

    path = tmp_path / "0.png"

    assert given_size(path, Orientation.UPRIGHT) == ((12, 8) if orientation >= 5 else (8, 12))
    assert given_size(path, Orientation.AS_STORED) == (8, 12)


def test_boxes_of_pictures_left_as_stored_are_for_their_stored_size(boxes: Path, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (12, 8)).save(boxes / "0.png", exif=exif)
    stored = replace(CONTRACT, orientation=Orientation.AS_STORED)

    assert read(boxes, tmp_path, stored).boxes is not None


def test_a_reader_without_masks_says_so(masks: Path, tmp_path: Path) -> None:
    prepared = replace(read(masks, tmp_path), masks=None)

    assert prepared.kind is TruthKind.MASKS
    with pytest.raises(Fault, match="masks"):
        prepared.truth(EVERY)
