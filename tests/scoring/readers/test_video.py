import numpy as np
import pytest

from scoring.contracts import ChannelOrder, Fit, InputContract, Reader
from scoring.errors import Fault
from scoring.readers.media import CONTAINERS
from scoring.readers.undecodable import Failed, Undecodable, UndecodableRows
from scoring.readers.video import decode, frame_step, prepare, probe_inputs
from tests.media_files import grey_frames, sine, write_labels, write_sound, write_video

CODECS = [
    ("libx264", "mp4"),
    ("libx264", "mov"),
    ("libx264", "mkv"),
    ("libvpx-vp9", "webm"),
    ("mpeg4", "avi"),
]
DEFAULT_DURATION = b"\x23\xe3\x83\x84"
VOID = b"\xec\x86"


def contract(frames=4, height=48, width=64, **more):
    return InputContract(
        **{"reader": Reader.VIDEO, "shape": (frames, 3, height, width), "fit": Fit.STRETCH, **more}
    )


def levels(clip):
    """Return each frame's mean, which tells flat grey frames apart."""
    return clip.mean(axis=(1, 2, 3))


def without_frame_rate(path):
    """Blank the frame duration of a Matroska file out."""
    content = path.read_bytes()
    place = content.index(DEFAULT_DURATION)
    path.write_bytes(content[:place] + VOID + content[place + 2 :])
    return path


@pytest.fixture
def clip(tmp_path):
    """Ten frames, a second long; frame i has the level 20 i."""
    return write_video(tmp_path / "clip.mp4", grey_frames(range(0, 200, 20)), rate=10)


@pytest.mark.parametrize(("codec", "suffix"), CODECS)
def test_common_codecs_are_decoded_frame_by_frame(codec, suffix, tmp_path):
    path = write_video(tmp_path / f"a.{suffix}", grey_frames(range(0, 200, 20)), codec=codec)

    decoded = decode(path, contract(frames=10))

    assert (decoded.shape, decoded.dtype) == ((10, 3, 48, 64), np.uint8)
    np.testing.assert_allclose(levels(decoded), np.arange(0, 200, 20), atol=4)


def test_without_a_wanted_rate_the_first_frames_count(clip):
    np.testing.assert_allclose(levels(decode(clip, contract(frames=3))), [0, 20, 40], atol=4)


@pytest.mark.parametrize(
    ("rate", "expected"),
    [(10, [0, 20, 40]), (5, [0, 40, 80]), (4, [0, 40, 80]), (3, [0, 60, 120]), (100, [0, 20, 40])],
)
def test_a_wanted_rate_thins_the_clip_by_a_whole_step(clip, rate, expected):
    np.testing.assert_allclose(levels(decode(clip, contract(3, frame_rate=rate))), expected, atol=4)


@pytest.mark.parametrize(
    ("clip_rate", "wanted", "step"),
    [(30, None, 1), (30, 30, 1), (29.97, 30, 1), (60, 30, 2), (25, 2, 12), (35, 10, 4), (1, 30, 1)],
)
def test_the_step_is_the_rounded_ratio_and_at_least_one(clip_rate, wanted, step):
    assert frame_step(clip_rate, wanted) == step


def test_a_clip_without_a_rate_is_taken_to_have_thirty_frames_a_second(tmp_path):
    path = write_video(tmp_path / "a.webm", grey_frames([50, 150]), codec="libvpx-vp9", rate=10)

    without_frame_rate(path)

    # A step of one keeps both frames, a step of two only the first.
    np.testing.assert_allclose(levels(decode(path, contract(2, frame_rate=30.0))), [50, 150], atol=4)
    np.testing.assert_allclose(levels(decode(path, contract(2, frame_rate=15.0))), [50, 50], atol=4)


def test_a_short_clip_repeats_its_last_frame(clip):
    found = levels(decode(clip, contract(frames=13)))

    np.testing.assert_allclose(found[8:], [160, 180, 180, 180, 180], atol=4)


def test_a_thinned_clip_repeats_the_last_frame_that_counts(clip):
    # Frames 0, 4 and 8 count.
    found = levels(decode(clip, contract(frames=5, frame_rate=2.5)))

    np.testing.assert_allclose(found, [0, 80, 160, 160, 160], atol=4)


def test_a_single_frame_fills_the_clip(tmp_path):
    path = write_video(tmp_path / "a.mp4", grey_frames([70]))

    np.testing.assert_allclose(levels(decode(path, contract(frames=3))), [70, 70, 70], atol=4)


@pytest.mark.parametrize("order", ChannelOrder)
def test_planes_come_in_the_contracts_order(order, tmp_path):
    frame = np.zeros((48, 64, 3), np.uint8)
    frame[:, :, 0] = 255
    path = write_video(tmp_path / "red.mp4", [frame])

    planes = decode(path, contract(frames=1, channel_order=order))[0].mean(axis=(1, 2))

    np.testing.assert_allclose(planes, (255, 0, 0) if order is ChannelOrder.RGB else (0, 0, 255), atol=8)


def test_odd_sides_are_no_trouble(tmp_path):
    path = write_video(
        tmp_path / "odd.mkv", grey_frames([10, 90], height=33, width=51), codec="ffv1", pixels="bgr0"
    )

    decoded = decode(path, contract(2, 33, 51))

    np.testing.assert_array_equal(levels(decoded), [10, 90])


def test_a_frame_is_fitted_as_the_contract_says(tmp_path):
    frame = np.zeros((48, 96, 3), np.uint8)
    frame[:, 24:72] = 200
    path = write_video(tmp_path / "wide.mkv", [frame], codec="ffv1", pixels="bgr0")

    cropped = decode(path, contract(1, 48, 48, fit=Fit.CROP_TO_ASPECT_THEN_RESIZE))
    stretched = decode(path, contract(1, 48, 48))

    assert (cropped == 200).all()
    assert levels(stretched) == 100


def test_frames_are_turned_upright_as_the_container_says(tmp_path):
    frame = np.zeros((48, 64, 3), np.uint8)
    frame[:, :32] = 255
    path = write_video(tmp_path / "turned.mp4", [frame], rotation=90)

    decoded = decode(path, contract(1, 64, 48))[0]

    # A quarter turn counter-clockwise brings what was left to the bottom.
    assert decoded[:, 40:].min() > 200
    assert decoded[:, :24].max() < 50


def test_each_row_holds_the_clip_that_its_label_names(tmp_path):
    for number in range(5):
        write_video(tmp_path / f"{number}.mp4", grey_frames([40 * number]))
    write_labels(tmp_path, [f"{number}.mp4" for number in range(5)])

    found = prepare(tmp_path, contract=contract(2), cache=tmp_path / "cache")
    arrays = np.load(found.inputs)

    assert (arrays.dtype, arrays.shape) == (np.uint8, (5, 2, 3, 48, 64))
    np.testing.assert_allclose(arrays.mean(axis=(1, 2, 3, 4)), 40 * found.labels, atol=4)


@pytest.mark.parametrize(
    "change", [{"fit": Fit.CROP_TO_ASPECT_THEN_RESIZE}, {"frame_rate": 5.0}, {"frames": 3}]
)
def test_what_changes_the_arrays_changes_their_file(change, clip, tmp_path):
    write_labels(tmp_path, ["clip.mp4"])

    first = prepare(tmp_path, contract=contract(), cache=tmp_path / "cache")
    second = prepare(tmp_path, contract=contract(**change), cache=tmp_path / "cache")

    assert first.inputs != second.inputs


@pytest.mark.parametrize(("codec", "suffix"), [("libx264", "mp4"), ("mpeg4", "avi")])
def test_half_a_file_cannot_be_decoded(codec, suffix, tmp_path):
    noise = list(np.random.default_rng(0).integers(0, 256, (20, 48, 64, 3), dtype=np.uint8))
    path = write_video(tmp_path / f"a.{suffix}", noise, codec=codec, options={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(Undecodable):
        decode(path, contract(frames=20))


def test_a_file_that_is_no_video_cannot_be_decoded(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"\0\0\0\x20ftypisom" + b"\0" * 500)

    with pytest.raises(Undecodable):
        decode(tmp_path / "a.mp4", contract())


def test_a_sound_is_no_video(tmp_path):
    path = write_sound(tmp_path / "a.wav", sine(440, seconds=0.1, rate=8000), rate=8000)

    with pytest.raises(Undecodable, match="no video"):
        decode(path, contract())


def test_a_playlist_does_not_lead_to_another_file(clip, tmp_path):
    playlist = tmp_path / "a.mp4"
    playlist.write_text(f"ffconcat version 1.0\nfile {clip}\n")

    with pytest.raises(Undecodable):
        decode(playlist, contract())


def test_a_damaged_clip_is_a_fault_that_names_the_row_alone(clip, tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"no video at all")
    write_labels(tmp_path, ["clip.mp4", "bad.mp4"])

    with pytest.raises(Fault, match="row 2 of the dataset: the video") as caught:
        prepare(tmp_path, contract=contract(), cache=tmp_path / "cache")

    assert "bad.mp4" not in str(caught.value)


def test_all_damaged_clips_are_found_and_their_names_and_causes_are_for_the_owner_alone(clip, tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"no video at all")
    write_video(tmp_path / "raw.h264", grey_frames([0, 1]))
    write_labels(tmp_path, ["raw.h264", "clip.mp4", "bad.mp4"])

    with pytest.raises(UndecodableRows) as caught:
        prepare(tmp_path, contract=contract(), cache=tmp_path / "cache")

    assert str(caught.value) == "rows 1, 3 of the dataset: the videos cannot be decoded"
    assert [(one.row, one.file) for one in caught.value.failed] == [(1, "raw.h264"), (3, "bad.mp4")]
    _, raw, bad = caught.value.named().splitlines()
    assert raw == f"row 1: “raw.h264”: its container is not one of {CONTAINERS}"
    assert bad.startswith("row 3: “bad.mp4”: ")


def test_a_long_list_of_damaged_files_is_cut_with_its_count():
    failed = [Failed(row=row, file=f"{row}.mp4", why="it is cut off") for row in range(23, 0, -1)]

    many = UndecodableRows("video", failed)

    assert str(many).startswith("rows 1, 2, 3, ")
    assert "20, and 3 more of" in str(many)
    assert many.named().splitlines()[-2:] == ["row 20: “20.mp4”: it is cut off", "and 3 more"]


@pytest.mark.parametrize("shape", [(3, 48, 64), (4, 1, 48, 64), (65, 3, 48, 64)])
def test_a_contract_that_is_no_clip_is_a_fault(shape, clip, tmp_path):
    write_labels(tmp_path, ["clip.mp4"])

    with pytest.raises(Fault, match="video reader"):
        prepare(tmp_path, contract=contract(shape=shape), cache=tmp_path / "cache")


def test_probe_inputs_are_different_clips_that_move(tmp_path):
    arrays = np.load(probe_inputs(contract(8, 64, 64), tmp_path))

    assert (arrays.shape, arrays.dtype) == ((4, 8, 3, 64, 64), np.uint8)
    assert len(np.unique(arrays[:, 0].reshape(4, -1), axis=0)) == 4
    assert (np.abs(np.diff(arrays.astype(int), axis=1)).mean(axis=(2, 3, 4)) > 1).all()


def test_probe_inputs_follow_the_channel_order(tmp_path):
    for order in ChannelOrder:
        (tmp_path / order).mkdir()
    bgr = np.load(probe_inputs(contract(2, channel_order=ChannelOrder.BGR), tmp_path / "bgr"))
    rgb = np.load(probe_inputs(contract(2, channel_order=ChannelOrder.RGB), tmp_path / "rgb"))

    np.testing.assert_array_equal(rgb, bgr[:, :, ::-1])
