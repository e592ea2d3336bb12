"""Unpacking a tar, packed or not: good archives, and one test for each way to break one."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scoring.contracts import ArchiveLimits, Unpacked
from scoring.errors import Rejected, render_all
from scoring.intake.archive import unpack

LIMITS = ArchiveLimits()
SMALL = ArchiveLimits(max_unpacked_bytes=5_000, max_files=5, max_depth=3)

Codes = Callable[..., list[str]]


@pytest.fixture
def unpack_bytes(tmp_path: Path) -> Callable[..., Unpacked]:
    def run(content: bytes, *, limits: ArchiveLimits = LIMITS) -> Unpacked:
        entry = tmp_path / "entry.tar.gz"
        entry.write_bytes(content)
        return unpack(entry, destination=tmp_path / "out", limits=limits)

    return run


@pytest.fixture
def codes(unpack_bytes: Callable[..., Unpacked], tmp_path: Path) -> Codes:
    def run(content: bytes, **arguments: object) -> list[str]:
        with pytest.raises(Rejected) as caught:
            unpack_bytes(content, **arguments)
        render_all(caught.value.findings)
        assert not (tmp_path / "out").exists()
        return [finding.code for finding in caught.value.findings]

    return run


def member(name: str, content: bytes = b"x", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    made = tarfile.TarInfo(name)
    made.size = len(content)
    for field, value in fields.items():
        setattr(made, field, value)
    return made, content


def tarred(
    *members: tuple[tarfile.TarInfo, bytes], layout: int = tarfile.PAX_FORMAT, **options: object
) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=layout, **options) as archive:
        for made, content in members:
            archive.addfile(made, io.BytesIO(content))
    return buffer.getvalue()


def zipped(*members: tuple[tarfile.TarInfo, bytes], **options: object) -> bytes:
    return gzip.compress(tarred(*members, **options))


def test_files_come_out_as_they_went_in(unpack_bytes):
    unpacked = unpack_bytes(zipped(member("config.yaml", b"one"), member("deep/down/two.bin", b"\0" * 700)))

    assert [(file.path, file.size) for file in unpacked.files] == [
        ("config.yaml", 3),
        ("deep/down/two.bin", 700),
    ]
    assert (unpacked.root / "config.yaml").read_bytes() == b"one"
    assert unpacked.package_bytes == 703


def test_names_that_begin_with_a_dot_and_a_slash_are_plain_ones(unpack_bytes):
    folder = member("./", b"", type=tarfile.DIRTYPE)

    unpacked = unpack_bytes(zipped(folder, member("./config.yaml"), member("./a/b")))

    assert [file.path for file in unpacked.files] == ["a/b", "config.yaml"]


def test_what_the_tar_command_writes_is_read(unpack_bytes, tmp_path):
    source = tmp_path / "source"
    (source / "export_artifacts").mkdir(parents=True)
    (source / "export_artifacts" / ("long" * 50)).write_bytes(b"content")
    subprocess.run(["tar", "-czf", tmp_path / "made.tar.gz", "-C", source, "."], check=True)

    unpacked = unpack_bytes((tmp_path / "made.tar.gz").read_bytes())

    assert [file.path for file in unpacked.files] == [f"export_artifacts/{'long' * 50}"]


@pytest.mark.parametrize("layout", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_dialect_is_read(unpack_bytes, layout):
    name = "folder/" + "n" * 95

    unpacked = unpack_bytes(zipped(member(name, b"content"), layout=layout))

    assert [(file.path, file.size) for file in unpacked.files] == [(name, 7)]


@pytest.mark.parametrize("layout", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_are_read(unpack_bytes, layout):
    name = f"{'f' * 120}/{'n' * 200}"

    unpacked = unpack_bytes(zipped(member(name), layout=layout))

    assert [file.path for file in unpacked.files] == [name]


def test_harmless_attributes_are_passed_over(unpack_bytes):
    made, content = member("config.yaml")
    made.pax_headers = {"LIBARCHIVE.xattr.com.apple.quarantine": "x", "comment": "ä"}

    unpacked = unpack_bytes(zipped((made, content), pax_headers={"comment": "abc"}))

    assert [file.path for file in unpacked.files] == ["config.yaml"]


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (tarfile.CHRTYPE, "device"),
        (tarfile.BLKTYPE, "device"),
        (tarfile.FIFOTYPE, "named pipe"),
        (tarfile.CONTTYPE, "contiguous file"),
        (b"Z", "special file"),
    ],
)
def test_only_files_and_folders_are_accepted(codes, kind, what):
    found = codes(zipped(member("odd", b"", type=kind, linkname="config.yaml"), member("config.yaml")))

    assert found == ["link_in_archive"]


def test_a_sparse_file_is_refused(codes):
    made, content = member("sparse")
    made.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "other"}

    assert codes(zipped((made, content))) == ["link_in_archive"]


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../up", "a/../../up", "a//b", "C:/x", "a\\b", "a/./b", "bad\x07name", "././../x"]
)
def test_a_name_that_is_no_plain_relative_path_is_refused(codes, name):
    assert codes(zipped(member(name))) == ["unsafe_path"]


def test_a_file_without_a_name_is_refused(codes):
    assert codes(zipped(member("./"))) == ["unsafe_path"]


def test_a_name_that_is_no_text_is_refused(codes):
    raw = tarred(member("name-ö", b"x"), layout=tarfile.GNU_FORMAT, encoding="latin-1")

    assert codes(gzip.compress(raw)) == ["unsafe_path"]


@pytest.mark.parametrize("other", ["config.yaml", "./config.yaml", "CONFIG.yaml", "config.yaml/inside"])
def test_two_members_in_one_place_are_refused(codes, other):
    assert codes(zipped(member("config.yaml"), member(other))) == ["duplicate_name"]


def test_a_file_that_is_named_like_a_folder_is_refused(codes):
    made, content = member("config")
    made.pax_headers = {"path": "config/"}

    assert codes(zipped((made, content))) == ["link_in_archive"]


def test_all_findings_come_at_once(codes):
    found = codes(
        zipped(member("../up"), member("link", b"", type=tarfile.SYMTYPE), member("a"), member("A"))
    )

    assert found == ["unsafe_path", "link_in_archive", "duplicate_name"]


def test_too_many_files_are_refused(codes):
    assert codes(zipped(*(member(str(number)) for number in range(6))), limits=SMALL) == ["too_many_files"]


def test_too_many_bytes_are_refused(codes):
    assert codes(zipped(member("a", b"ab" * 2_501)), limits=SMALL) == ["archive_too_large"]


def test_exactly_as_many_bytes_as_allowed_are_accepted(unpack_bytes):
    assert unpack_bytes(zipped(member("a", b"ab" * 2_500)), limits=SMALL).package_bytes == 5_000


def test_too_deep_a_name_is_refused(codes):
    assert codes(zipped(member("a/b/c/d")), limits=SMALL) == ["unsafe_path"]


def test_a_bomb_is_refused(codes):
    assert codes(zipped(member("zeros", bytes(2**22)))) == ["compression_ratio_too_high"]


PACKERS = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "nothing": bytes}


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS.keys())
def test_a_tar_is_read_however_it_was_packed(unpack_bytes, pack, tmp_path):
    noise = random.Random(0).randbytes(700_000)

    unpacked = unpack_bytes(pack(tarred(member("config.yaml", b"a: 1"), member("w/model.pt", noise))))

    assert [(file.path, file.size) for file in unpacked.files] == [
        ("config.yaml", 4),
        ("w/model.pt", 700_000),
    ]
    assert (unpacked.root / "w" / "model.pt").read_bytes() == noise


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("at", [1, 512, 2_000])
def test_streams_in_a_row_are_read_as_one(unpack_bytes, pack, at):
    """As parallel packers write them, and `cat`."""
    raw = tarred(member("config.yaml", b"a: 1"), member("model.pt", b"ab" * 1_000))

    unpacked = unpack_bytes(pack(raw[:at]) + pack(raw[at:]))

    assert [file.path for file in unpacked.files] == ["config.yaml", "model.pt"]


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress])
def test_a_bomb_is_refused_however_it_was_packed(codes, pack):
    assert codes(pack(tarred(member("zeros", bytes(2**24))))) == ["compression_ratio_too_high"]


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress])
@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9])
def test_an_incomplete_stream_is_refused(codes, pack, kept):
    raw = pack(tarred(member("noise", random.Random(0).randbytes(5_000))))

    assert codes(raw[: int(len(raw) * kept)]) == ["corrupt_archive"]


def test_an_xz_that_needs_a_huge_dictionary_is_refused(codes):
    chain = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 2**29}]

    assert codes(lzma.compress(tarred(member("a")), filters=chain)) == ["corrupt_archive"]


def test_a_plain_tar_with_more_after_its_end_is_refused(codes):
    assert codes(tarred(member("config.yaml")) + b"more") == ["corrupt_archive"]


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9])
def test_an_incomplete_file_is_refused(codes, kept):
    raw = zipped(member("noise", bytes(number * 37 % 251 for number in range(5_000))))

    assert codes(raw[: int(len(raw) * kept)]) == ["corrupt_archive"]


def test_a_wrong_checksum_is_refused(codes):
    raw = bytearray(zipped(member("config.yaml")))
    raw[-8] ^= 1

    assert codes(bytes(raw)) == ["corrupt_archive"]


@pytest.mark.parametrize("extra", [b"other data", gzip.compress(b"more", mtime=0), b"\0" * 10])
def test_data_after_the_packed_tar_are_refused(codes, extra):
    assert codes(zipped(member("config.yaml")) + extra) == ["corrupt_archive"]


def test_members_after_the_end_mark_are_refused(codes):
    assert codes(gzip.compress(tarred(member("a")) + tarred(member("b")))) == ["corrupt_archive"]


def test_a_tar_without_its_end_mark_is_refused(codes):
    assert codes(gzip.compress(tarred(member("a"))[:1024])) == ["corrupt_archive"]


def test_a_tar_cut_short_in_a_member_is_refused(codes):
    assert codes(gzip.compress(tarred(member("a", b"ab" * 1_000))[:1024])) == ["corrupt_archive"]


@pytest.mark.parametrize("content", [b"", b"no tar at all", b"x" * 2_000])
def test_a_gzip_without_a_tar_is_refused(codes, content):
    assert codes(gzip.compress(content)) == ["corrupt_archive"]


@pytest.mark.parametrize("members", [(), (member("folder", b"", type=tarfile.DIRTYPE),)])
def test_an_archive_without_files_is_refused(codes, members):
    assert codes(zipped(*members)) == ["corrupt_archive"]


def test_a_damaged_header_is_refused(codes):
    raw = bytearray(tarred(member("a")))
    raw[0] ^= 1

    assert codes(gzip.compress(bytes(raw))) == ["corrupt_archive"]


def test_a_name_that_is_declared_endless_is_refused(codes):
    long_name, _ = member("././@LongLink", type=tarfile.GNUTYPE_LONGNAME)
    long_name.size = 2**33

    assert codes(gzip.compress(long_name.tobuf(tarfile.GNU_FORMAT) + bytes(2_000))) == ["corrupt_archive"]


@pytest.mark.parametrize("key", ["path", "size", "linkpath"])
def test_attributes_that_change_all_members_are_refused(codes, key):
    assert codes(zipped(member("a"), pax_headers={key: "1"})) == ["corrupt_archive"]


def test_two_different_sizes_are_refused(codes):
    made, content = member("a")
    made.pax_headers = {"size": "512"}

    assert codes(zipped((made, content))) == ["corrupt_archive"]


@pytest.mark.parametrize("records", [b"9 path=a\n9 path=b\n", b"99 path=a\n", b"9 path=aa", b"x path=a\n"])
def test_damaged_or_doubled_attributes_are_refused(codes, records):
    extended, _ = member("ext", records, type=tarfile.XHDTYPE)
    padded = records.ljust(512, b"\0")

    raw = extended.tobuf(tarfile.USTAR_FORMAT) + padded + tarred(member("a"))

    assert codes(gzip.compress(raw)) == ["corrupt_archive"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2_600), st.integers(1, 255))
def test_no_damage_does_anything_but_pass_or_be_refused(tmp_path_factory, place, change):
    raw = bytearray(tarred(member("config.yaml", b"a: 1"), member("b" * 120, b"x")))
    raw[place] ^= change
    folder = tmp_path_factory.mktemp("damage")
    (folder / "entry").write_bytes(gzip.compress(bytes(raw)))

    try:
        unpack(folder / "entry", destination=folder / "out", limits=LIMITS)
    except Rejected as refusal:
        render_all(refusal.findings)
