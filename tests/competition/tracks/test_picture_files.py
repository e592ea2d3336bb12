import struct
import zlib
from io import BytesIO

import pytest
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from PIL import Image

from competition.tracks.models import Picture
from competition.tracks.picture_files import MAX_BYTES, SMALL_WIDTH, WIDTH, put, written_anew


def upload(kind="PNG", size=(40, 20), mode="RGB", **options):
    out = BytesIO()
    Image.new(mode, size).save(out, kind, **options)
    return out


def read(file):
    return written_anew(file, len(file.getvalue()))


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("JPEG", "L"), ("WEBP", "RGB"), ("GIF", "P")]
)
def test_pictures_become_webp(kind, mode):
    written = read(upload(kind, mode=mode))

    assert Image.open(BytesIO(written.full)).format == "WEBP"
    assert (written.width, written.height) == (40, 20)


def test_a_large_picture_is_made_smaller_and_a_small_one_is_left():
    written = read(upload(size=(3200, 800)))

    assert (written.width, written.height) == (WIDTH, 400)
    assert Image.open(BytesIO(written.small)).size == (SMALL_WIDTH, 160)


def test_what_a_camera_notes_is_gone_and_its_turn_is_applied():
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "at home"

    written = read(upload("JPEG", exif=exif))

    assert (written.width, written.height) == (20, 40)
    assert b"at home" not in written.full
    assert not Image.open(BytesIO(written.full)).getexif()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 40,
        upload("PNG", size=(400, 400)).getvalue()[:200],
        upload("BMP").getvalue(),
        upload("TIFF").getvalue(),
    ],
    ids=["empty", "text", "svg", "broken", "cut off", "bmp", "tiff"],
)
def test_what_is_no_readable_picture_is_refused(content):
    with pytest.raises(ValidationError, match="no picture that can be read"):
        read(BytesIO(content))


def test_a_file_that_unfolds_is_refused_by_its_header():
    def chunk(kind, content):
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")

    with pytest.raises(ValidationError, match=r"pixels|no picture"):
        read(BytesIO(bomb))


def test_a_large_file_is_refused_unread():
    with pytest.raises(ValidationError, match="at most"):
        written_anew(BytesIO(b""), MAX_BYTES + 1)


@pytest.mark.django_db
def test_a_stored_picture_can_be_read_back(competition, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path

    picture = put(Picture(competition=competition, name="chart"), read(upload()))
    picture.save()

    with default_storage.open(Picture.objects.get().file.name) as stored:
        assert stored.read() == read(upload()).full
