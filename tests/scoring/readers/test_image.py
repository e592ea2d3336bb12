import hashlib
import json
import struct
import zlib
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from scoring.contracts import (
    ChannelOrder,
    Decoder,
    Fit,
    InputContract,
    Interpolation,
    Orientation,
    Reader,
)
from scoring.errors import Fault
from scoring.readers import READERS, image
from scoring.readers.image import UndecodableImage, decode, prepare, probe_inputs


def write_image(path, picture, *options):
    assert cv2.imwrite(str(path), picture, list(options))
    return path


def with_exif_orientation(jpeg, orientation):
    """Insert an EXIF segment that holds nothing but the orientation."""
    tiff = b"II*\0\x08\0\0\0" + struct.pack("<HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)
    body = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def test_every_reader_is_in_the_table():
    assert set(READERS) == set(Reader)


def test_each_fit_has_arrays_of_its_own_and_stretching_keeps_its_old_name(dataset, contract, tmp_path):
    table = json.dumps(["1", "image", found_digest(dataset, contract, tmp_path), contract.shape, "bgr"])
    old_name = hashlib.sha256(table.encode()).hexdigest()[:40]

    paths = [
        prepare(dataset, contract=replace(contract, fit=fit), cache=tmp_path / "cache").inputs.stem
        for fit in Fit
    ]

    assert len(set(paths)) == len(Fit)
    assert paths[0] == old_name


def found_digest(dataset, contract, tmp_path):
    return prepare(dataset, contract=contract, cache=tmp_path / "other").digest


def test_each_row_holds_the_picture_that_its_label_names(dataset, contract, pictures, tmp_path):
    found = prepare(dataset, contract=contract, cache=tmp_path / "cache")
    arrays = np.load(found.inputs)

    assert arrays.dtype == np.uint8
    assert arrays.shape == (20, *contract.shape)
    for label, planes in zip(found.labels, arrays, strict=True):
        np.testing.assert_array_equal(planes, pictures[label].transpose(2, 0, 1))


def test_split_weight_and_group_follow_the_same_order(dataset, contract, tmp_path):
    found = prepare(dataset, contract=contract, cache=tmp_path / "cache")

    np.testing.assert_array_equal(found.private, found.labels % 2 == 1)
    np.testing.assert_array_equal(found.weights, found.labels + 1)
    assert found.groups == tuple(f"group {label % 3}" for label in found.labels)


def test_without_weight_and_group_columns_there_are_none(dataset, contract, tmp_path):
    (dataset / "labels.csv").write_text("file,label\nimages/00.png,0\n")

    found = prepare(dataset, contract=contract, cache=tmp_path / "cache")

    assert found.weights is None
    assert found.groups is None


def test_rows_are_shuffled_the_same_way_each_time(dataset, contract, tmp_path):
    first = prepare(dataset, contract=contract, cache=tmp_path / "one").labels
    second = prepare(dataset, contract=contract, cache=tmp_path / "two").labels

    np.testing.assert_array_equal(first, second)
    assert not (np.diff(first) > 0).all()


def test_rgb_contracts_get_the_planes_the_other_way_round(dataset, contract, tmp_path):
    rgb = InputContract(shape=contract.shape, channel_order=ChannelOrder.RGB)

    bgr_arrays = np.load(prepare(dataset, contract=contract, cache=tmp_path / "cache").inputs)
    rgb_arrays = np.load(prepare(dataset, contract=rgb, cache=tmp_path / "cache").inputs)

    np.testing.assert_array_equal(rgb_arrays, bgr_arrays[:, ::-1])


def test_the_array_file_names_nothing(dataset, contract, tmp_path):
    found = prepare(dataset, contract=contract, cache=tmp_path / "cache")

    assert b"png" not in found.inputs.read_bytes()[:128]
    assert found.inputs.stat().st_size == 128 + 20 * 3 * 8 * 12


def test_a_grey_picture_fills_three_equal_planes(tmp_path, contract, pictures):
    path = write_image(tmp_path / "grey.png", pictures[0][:, :, 0])

    planes = decode(path, contract)

    np.testing.assert_array_equal(planes, np.stack([pictures[0][:, :, 0]] * 3))


def test_an_alpha_plane_is_dropped(tmp_path, contract, pictures):
    path = write_image(tmp_path / "alpha.png", np.dstack([pictures[0], pictures[1][:, :, 0]]))

    np.testing.assert_array_equal(decode(path, contract), pictures[0].transpose(2, 0, 1))


def test_sixteen_bits_become_eight(tmp_path, contract, pictures):
    path = write_image(tmp_path / "deep.png", pictures[0].astype(np.uint16) * 256)

    np.testing.assert_array_equal(decode(path, contract), pictures[0].transpose(2, 0, 1))


def test_exif_orientation_turns_the_picture_upright(tmp_path, contract):
    picture = np.zeros((contract.shape[1], contract.shape[2], 3), np.uint8)
    picture[:, :6] = 255
    upside_down = with_exif_orientation(cv2.imencode(".jpg", picture)[1].tobytes(), 3)
    (tmp_path / "turned.jpg").write_bytes(upside_down)

    planes = decode(tmp_path / "turned.jpg", contract)

    assert planes[:, :, :4].max() < 64
    assert planes[:, :, 8:].min() > 192


@pytest.mark.parametrize("decoder", Decoder)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_both_decoders_turn_pictures_alike_and_leave_them_alike(tmp_path, decoder, orientation):
    lying = np.random.default_rng(0).integers(0, 256, (8, 12, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(lying).save(tmp_path / "a.png", exif=exif)
    turned = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "a.png")))

    def seen(how):
        contract = InputContract(decoder=decoder, orientation=how)
        return image.read_picture(tmp_path / "a.png", contract)[:, :, ::-1]

    np.testing.assert_array_equal(seen(Orientation.UPRIGHT), turned)
    np.testing.assert_array_equal(seen(Orientation.AS_STORED), lying)


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [
        *[(mode, "png") for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")],
        ("CMYK", "jpg"),
        ("L", "jpg"),
        ("RGB", "jpg"),
        ("CMYK", "tif"),
        ("RGB", "bmp"),
        ("RGBA", "webp"),
    ],
)
def test_pillow_gives_what_its_own_conversion_gives(tmp_path, mode, suffix):
    noise = np.random.default_rng(0).integers(0, 256, (9, 13, 3), dtype=np.uint8)
    if mode == "I;16":
        picture = Image.fromarray(noise[:, :, 0].astype(np.uint16) * 250)
    else:
        picture = Image.fromarray(noise).convert(mode)
    picture.save(tmp_path / f"a.{suffix}")
    expected = np.asarray(Image.open(tmp_path / f"a.{suffix}").convert("RGB"))

    found = image.read_picture(tmp_path / f"a.{suffix}", InputContract(decoder=Decoder.PILLOW))

    np.testing.assert_array_equal(found[:, :, ::-1], expected)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n", b"BM" + bytes(60)])
def test_pillow_refuses_what_is_no_picture(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)

    with pytest.raises(UndecodableImage):
        image.read_picture(tmp_path / "a.png", InputContract(decoder=Decoder.PILLOW))


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_pillow_refuses_half_a_file(tmp_path, suffix):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / f"a.{suffix}")
    content = (tmp_path / f"a.{suffix}").read_bytes()
    (tmp_path / f"a.{suffix}").write_bytes(content[: len(content) // 2])

    with pytest.raises(UndecodableImage):
        image.read_picture(tmp_path / f"a.{suffix}", InputContract(decoder=Decoder.PILLOW))


def test_each_way_of_decoding_has_arrays_of_its_own(dataset, contract, tmp_path):
    ways = [replace(contract, decoder=each, orientation=how) for each in Decoder for how in Orientation]

    names = {prepare(dataset, contract=way, cache=tmp_path / "cache").inputs.stem for way in ways}

    assert len(names) == len(ways)


@pytest.mark.parametrize(
    "other", [{"resize": (9,)}, {"crop": (8, 12)}, {"antialias": False}, {"interpolation": Interpolation.BOX}]
)
def test_each_way_of_resizing_has_arrays_of_its_own(dataset, contract, tmp_path, other):
    one = replace(contract, fit=Fit.TORCHVISION)

    names = {
        prepare(dataset, contract=each, cache=tmp_path / "cache").inputs.stem
        for each in (one, replace(one, **other))
    }

    assert len(names) == 2


def test_a_larger_picture_shrinks_by_area(tmp_path, contract, pictures):
    doubled = pictures[0].repeat(2, axis=0).repeat(2, axis=1)

    planes = decode(write_image(tmp_path / "large.png", doubled), contract)

    np.testing.assert_array_equal(planes, pictures[0].transpose(2, 0, 1))


def test_a_smaller_picture_grows_without_new_extremes(tmp_path, contract):
    picture = np.full((2, 3, 3), 40, np.uint8)
    picture[:, 2] = 200

    planes = decode(write_image(tmp_path / "small.png", picture), contract)

    assert planes.shape == contract.shape
    assert (planes.min(), planes.max()) == (40, 200)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".tiff"])
def test_half_a_file_cannot_be_decoded(tmp_path, contract, suffix):
    random = np.random.default_rng(0)
    path = write_image(tmp_path / f"whole{suffix}", random.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(UndecodableImage):
        decode(path, contract)


@pytest.mark.parametrize("decoder", Decoder)
@pytest.mark.parametrize("packing", ["tiff_lzw", "tiff_adobe_deflate"])
def test_a_tiff_that_is_damaged_inside_cannot_be_decoded(tmp_path, contract, packing, decoder):
    random = np.random.default_rng(0)
    picture = Image.fromarray(random.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    picture.save(tmp_path / "a.tiff", compression=packing)
    whole = (tmp_path / "a.tiff").read_bytes()
    half = len(whole) // 2

    decode(tmp_path / "a.tiff", replace(contract, decoder=decoder))
    (tmp_path / "a.tiff").write_bytes(whole[:half] + bytes(200) + whole[half + 200 :])

    with pytest.raises(UndecodableImage):
        decode(tmp_path / "a.tiff", replace(contract, decoder=decoder))


def test_a_tiff_that_opencv_alone_reads_is_decoded(tmp_path, contract):
    deep = np.random.default_rng(0).integers(0, 2**16, (64, 64, 3), dtype=np.uint16)

    assert decode(write_image(tmp_path / "a.tiff", deep), contract).shape == contract.shape


def test_a_picture_of_absurd_size_is_refused_before_it_takes_memory(tmp_path, contract):
    size = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", len(size)) + b"IHDR" + size + struct.pack(">I", zlib.crc32(b"IHDR" + size))
    (tmp_path / "absurd.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + b"\0" * 100)

    with pytest.raises(UndecodableImage):
        decode(tmp_path / "absurd.png", contract)


def test_an_undecodable_image_is_a_fault_that_names_the_row_alone(dataset, contract, tmp_path):
    (dataset / "images" / "04.png").write_bytes(b"\x89PNG\r\n\x1a\n")

    with pytest.raises(Fault, match="row 5") as caught:
        prepare(dataset, contract=contract, cache=tmp_path / "cache")

    assert "04.png" not in str(caught.value)


def test_a_broken_table_is_a_fault(dataset, contract, tmp_path):
    (dataset / "labels.csv").write_text("file\n")

    with pytest.raises(Fault, match="label"):
        prepare(dataset, contract=contract, cache=tmp_path / "cache")


@pytest.mark.parametrize("shape", [(1, 8, 12), (8, 12), (8, 12, 3)])
def test_a_contract_without_three_planes_is_a_fault(dataset, shape, tmp_path):
    with pytest.raises(Fault):
        prepare(dataset, contract=InputContract(shape=shape), cache=tmp_path / "cache")


def test_a_cache_that_cannot_be_written_is_a_fault(dataset, contract, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")

    with pytest.raises(Fault):
        prepare(dataset, contract=contract, cache=tmp_path / "cache")


def test_what_tick_raises_ends_the_work_and_leaves_nothing_complete(dataset, contract, tmp_path):
    def give_up():
        raise LookupError

    with pytest.raises(LookupError):
        prepare(dataset, contract=contract, cache=tmp_path / "cache", tick=give_up)

    assert not [*(tmp_path / "cache").glob("*.npy"), *(tmp_path / "cache").glob("*.partial")]


def test_a_dataset_that_changes_while_it_is_read_is_a_fault(dataset, contract, tmp_path):
    def tamper():
        # At one stroke: a decoder must not meet half a file.
        (dataset / "new.png").write_bytes((dataset / "images" / "01.png").read_bytes())
        (dataset / "new.png").replace(dataset / "images" / "00.png")

    with pytest.raises(Fault, match="changed"):
        prepare(dataset, contract=contract, cache=tmp_path / "cache", tick=tamper)


def test_a_changed_dataset_gets_arrays_and_digest_of_its_own(dataset, contract, tmp_path):
    before = prepare(dataset, contract=contract, cache=tmp_path / "cache")
    (dataset / "images" / "00.png").write_bytes((dataset / "images" / "01.png").read_bytes())

    after = prepare(dataset, contract=contract, cache=tmp_path / "cache")

    assert after.digest != before.digest
    assert after.inputs != before.inputs


@pytest.mark.parametrize("order", ChannelOrder)
def test_probe_inputs_are_different_real_photographs(tmp_path, order):
    contract = InputContract(channel_order=order)

    arrays = np.load(probe_inputs(contract, tmp_path))

    assert arrays.shape == (4, 3, 224, 224)
    assert arrays.dtype == np.uint8
    assert len(np.unique(arrays.reshape(4, -1), axis=0)) == 4
    assert (arrays.reshape(4, -1).std(axis=1) > 20).all()


def test_probe_inputs_stand_in_the_order_of_their_names(tmp_path, contract, pictures, monkeypatch):
    names = "cjaiebgfdh"
    for name, picture in zip(names, pictures, strict=False):
        write_image(tmp_path / f"{name}.png", picture)
    monkeypatch.setattr(image, "SAMPLES", tmp_path)

    probe = np.load(probe_inputs(contract, tmp_path))

    expected = [pictures[names.index(name)].transpose(2, 0, 1) for name in sorted(names)]
    np.testing.assert_array_equal(probe, expected)


def test_probe_inputs_follow_the_channel_order(tmp_path):
    (tmp_path / "bgr").mkdir()
    (tmp_path / "rgb").mkdir()
    bgr = np.load(probe_inputs(InputContract(channel_order=ChannelOrder.BGR), tmp_path / "bgr"))
    rgb = np.load(probe_inputs(InputContract(channel_order=ChannelOrder.RGB), tmp_path / "rgb"))

    np.testing.assert_array_equal(rgb, bgr[:, ::-1])


def test_probe_inputs_have_the_contracts_size(tmp_path, contract):
    assert np.load(probe_inputs(contract, tmp_path)).shape == (4, *contract.shape)
