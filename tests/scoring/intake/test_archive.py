"""Unpacking: one good archive, and one test for each way to break it."""

from __future__ import annotations

import io
import os
import random
import stat
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scoring.contracts import ArchiveLimits, Unpacked
from scoring.errors import Fault, Rejected, render_all
from scoring.intake.archive import unpack

LIMITS = ArchiveLimits()
SMALL = ArchiveLimits(max_entry_bytes=10_000, max_unpacked_bytes=5_000, max_files=5, max_depth=3)
SOURCE = b"class Model:\n    pass\n"

Unpack = Callable[..., Unpacked]
Codes = Callable[..., list[str]]


@pytest.fixture
def unpack_bytes(tmp_path: Path) -> Unpack:
    def run(content: bytes, *, name: str = "entry.zip", limits: ArchiveLimits = LIMITS) -> Unpacked:
        entry = tmp_path / name
        entry.write_bytes(content)
        return unpack(entry, destination=tmp_path / "out", limits=limits)

    return run


@pytest.fixture
def refusal(unpack_bytes: Unpack) -> Callable[..., Rejected]:
    def run(content: bytes, **arguments: object) -> Rejected:
        with pytest.raises(Rejected) as caught:
            unpack_bytes(content, **arguments)
        render_all(caught.value.findings)
        return caught.value

    return run


@pytest.fixture
def codes(refusal: Callable[..., Rejected]) -> Codes:
    def run(content: bytes, **arguments: object) -> list[str]:
        return [finding.code for finding in refusal(content, **arguments).findings]

    return run


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", method) as archive:
        warnings.filterwarnings("ignore", "Duplicate name")
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def member(name: str, *, mode: int) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    made.create_system = 3
    made.external_attr = mode << 16
    return made


def patched(content: bytes, at: int, layout: str, value: int) -> bytes:
    changed = bytearray(content)
    struct.pack_into(layout, changed, at, value)
    return bytes(changed)


def directory_at(content: bytes) -> int:
    return struct.unpack_from("<L", content, content.rindex(b"PK\x05\x06") + 16)[0]


# --- what is accepted


def test_unpacks_a_zip_into_plain_files(unpack_bytes: Unpack) -> None:
    unpacked = unpack_bytes(zipped(("weights/a.bin", b"12345"), ("model.py", SOURCE)))

    assert [(file.path, file.size) for file in unpacked.files] == [("model.py", 22), ("weights/a.bin", 5)]
    assert (unpacked.root / "weights/a.bin").read_bytes() == b"12345"
    assert unpacked.package_bytes == 27


def test_accepts_explicit_folder_entries(unpack_bytes: Unpack) -> None:
    folder = member("weights/", mode=stat.S_IFDIR | 0o755)

    unpacked = unpack_bytes(zipped((folder, b""), ("weights/a.bin", b"1")))

    assert [file.path for file in unpacked.files] == ["weights/a.bin"]


def test_accepts_an_archive_written_as_a_stream(unpack_bytes: Unpack) -> None:
    class Pipe(io.RawIOBase):
        written = b""

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.written += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[arg-type]
        archive.writestr("model.py", SOURCE)
        archive.writestr("b.py", SOURCE)

    unpacked = unpack_bytes(pipe.written)

    assert len(unpacked.files) == 2


def test_accepts_zip64_sizes_in_small_archives(unpack_bytes: Unpack) -> None:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w") as archive,
        archive.open("model.py", "w", force_zip64=True) as target,
    ):
        target.write(SOURCE)

    unpacked = unpack_bytes(buffer.getvalue())

    assert (unpacked.root / "model.py").read_bytes() == SOURCE


def with_zip64_end(content: bytes, *, entries: int = 1) -> bytes:
    """Give an archive of one member the end records of a very large one."""
    start, end = directory_at(content), content.rindex(b"PK\x05\x06")
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, entries, entries, end - start, start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    plain = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return content[:end] + record + locator + plain


def test_accepts_a_zip64_end_record(unpack_bytes: Unpack) -> None:
    assert len(unpack_bytes(with_zip64_end(zipped(("model.py", SOURCE)))).files) == 1


def test_unpacks_members_far_larger_than_one_piece(unpack_bytes: Unpack) -> None:
    content = b"".join(b"%09d " % number * 4 for number in range(60_000))

    unpacked = unpack_bytes(zipped(("numbers.txt", content)))

    assert (unpacked.root / "numbers.txt").read_bytes() == content


def test_accepts_an_archive_comment(unpack_bytes: Unpack) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("model.py", SOURCE)
        archive.comment = b"made by hand"

    assert len(unpack_bytes(buffer.getvalue()).files) == 1


def test_accepts_a_zip_that_holds_a_stored_zip(unpack_bytes: Unpack) -> None:
    inner = zipped(("a", b"1"))

    unpacked = unpack_bytes(zipped(("inner.zip", inner), method=zipfile.ZIP_STORED))

    assert (unpacked.root / "inner.zip").read_bytes() == inner


def test_accepts_names_in_other_scripts(unpack_bytes: Unpack) -> None:
    unpacked = unpack_bytes(zipped(("模型.py", SOURCE)))

    assert unpacked.files[0].path == "模型.py"


def test_takes_unflagged_utf8_names_as_utf8(unpack_bytes: Unpack) -> None:
    content = zipped(("xx.py", SOURCE)).replace(b"xx.py", "é.py".encode())

    assert unpack_bytes(content).files[0].path == "é.py"


def test_large_runs_of_zeros_are_fine_below_the_ratio_floor(unpack_bytes: Unpack) -> None:
    assert unpack_bytes(zipped(("zeros", bytes(2**20)))).package_bytes == 2**20


def test_a_folder_is_copied(tmp_path: Path) -> None:
    entry = tmp_path / "entry"
    (entry / "sub").mkdir(parents=True)
    (entry / "model.py").write_bytes(SOURCE)
    (entry / "sub" / "w.bin").write_bytes(b"123")

    unpacked = unpack(entry, destination=tmp_path / "out", limits=LIMITS)

    assert [file.path for file in unpacked.files] == ["model.py", "sub/w.bin"]
    assert (unpacked.root / "sub/w.bin").read_bytes() == b"123"


def test_a_file_named_onnx_becomes_a_tree_of_one(unpack_bytes: Unpack) -> None:
    assert unpack_bytes(b"anything", name="net.onnx").files[0].path == "net.onnx"


def test_an_onnx_file_with_a_hostile_name_gets_a_plain_one(unpack_bytes: Unpack) -> None:
    assert unpack_bytes(b"anything", name="a\nb.onnx").files[0].path == "model.onnx"


def test_an_onnx_model_is_known_by_its_bytes(unpack_bytes: Unpack) -> None:
    ir_version, empty_graph = b"\x08\x08", b"\x3a\x00"

    assert unpack_bytes(ir_version + empty_graph, name="upload").files[0].path == "model.onnx"


# --- no archive, or a damaged one


@pytest.mark.parametrize("content", [b"", b"P", b"hello", b"\x1f\x00", bytes(100)])
def test_other_files_are_no_archive(codes: Codes, content: bytes) -> None:
    assert codes(content) == ["not_an_archive"]


def test_every_truncation_is_refused(codes: Codes, tmp_path: Path) -> None:
    content = zipped(("model.py", SOURCE), ("b", b"22"))

    seen = {tuple(codes(content[:length])) for length in range(4, len(content))}

    assert seen == {("corrupt_archive",)}


def test_an_archive_without_members_is_refused(codes: Codes) -> None:
    assert codes(zipped()) == ["corrupt_archive"]


def test_a_wrong_checksum_is_refused_with_its_path(refusal: Callable[..., Rejected]) -> None:
    content = zipped(("model.py", SOURCE), method=zipfile.ZIP_STORED).replace(b"pass", b"fail", 1)

    caught = refusal(content)

    assert [(finding.code, finding.path) for finding in caught.findings] == [("corrupt_archive", "model.py")]


def test_a_damaged_deflate_stream_is_refused(codes: Codes) -> None:
    content = zipped(("model.py", SOURCE * 50))
    at = 30 + len("model.py")

    assert codes(content[:at] + b"\xff\xff" + content[at + 2 :]) == ["corrupt_archive"]


def test_a_member_that_reaches_into_the_directory_is_refused(codes: Codes) -> None:
    content = zipped(("a", bytes(100)))
    content = patched(content, 18, "<L", 5_000)

    assert codes(patched(content, directory_at(content) + 20, "<L", 5_000)) == ["corrupt_archive"]


def test_a_member_longer_than_declared_is_refused(codes: Codes) -> None:
    content = zipped(("a", bytes(100)))
    content = patched(content, 22, "<L", 50)

    assert codes(patched(content, directory_at(content) + 24, "<L", 50)) == ["corrupt_archive"]


def test_data_before_the_archive_is_refused(codes: Codes) -> None:
    assert codes(b"#!/bin/sh\n" + zipped(("model.py", SOURCE))) == ["corrupt_archive"]


def test_an_onnx_file_with_an_archive_at_its_end_is_refused(codes: Codes) -> None:
    polyglot = b"\x08\x08\x3a\x00" + zipped(("model.py", SOURCE))

    assert codes(polyglot, name="net.onnx") == ["corrupt_archive"]


def test_an_archive_before_the_archive_is_refused(codes: Codes) -> None:
    assert codes(zipped(("a", b"1")) + zipped(("b", b"2"))) == ["corrupt_archive"]


def test_data_after_the_archive_is_refused(codes: Codes) -> None:
    assert codes(zipped(("model.py", SOURCE)) + b"more") == ["corrupt_archive"]


def test_data_between_members_is_refused(codes: Codes) -> None:
    content = zipped(("model.py", SOURCE))
    at = directory_at(content)
    hidden = zipped(("hidden", b"1"))[:36]
    content = content[:at] + hidden + content[at:]

    moved = patched(content, content.rindex(b"PK\x05\x06") + 16, "<L", at + len(hidden))

    assert codes(moved) == ["corrupt_archive"]


def test_a_second_end_record_in_the_comment_is_refused(codes: Codes) -> None:
    content = zipped(("model.py", SOURCE))
    inner = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0, 0, 0, 0, 0)

    assert codes(patched(content, len(content) - 2, "<H", len(inner)) + inner) == ["corrupt_archive"]


def test_a_local_name_that_differs_from_the_directory_is_refused(codes: Codes) -> None:
    content = zipped(("model.py", SOURCE))

    assert codes(content.replace(b"model.py", b"other.py", 1)) == ["corrupt_archive"]


def test_a_local_size_that_differs_from_the_directory_is_refused(codes: Codes) -> None:
    content = zipped(("model.py", SOURCE))

    assert codes(patched(content, 22, "<L", 7)) == ["corrupt_archive"]


def test_a_member_past_the_counted_ones_is_refused(codes: Codes) -> None:
    content = zipped(("a", b"1"), ("b", b"2"))
    end = content.rindex(b"PK\x05\x06")

    assert codes(patched(patched(content, end + 8, "<H", 1), end + 10, "<H", 1)) == ["corrupt_archive"]


def test_a_zip64_end_record_that_contradicts_the_plain_one_is_refused(codes: Codes) -> None:
    content = with_zip64_end(zipped(("a", b"1")))
    end = content.rindex(b"PK\x05\x06")

    assert codes(patched(patched(content, end + 8, "<H", 7), end + 10, "<H", 7)) == ["corrupt_archive"]


def test_a_zip64_end_record_with_a_wrong_count_is_refused(codes: Codes) -> None:
    assert codes(with_zip64_end(zipped(("a", b"1")), entries=2)) == ["corrupt_archive"]


def test_a_zip64_end_record_in_another_place_is_refused(codes: Codes) -> None:
    content = with_zip64_end(zipped(("a", b"1")))
    locator = content.rindex(b"PK\x06\x07")

    assert codes(patched(content, locator + 8, "<Q", 0)) == ["corrupt_archive"]


def test_data_after_a_deflate_stream_is_refused(codes: Codes) -> None:
    content = zipped(("a", SOURCE * 9))
    packed_bytes = struct.unpack_from("<L", content, 18)[0]
    at, start = 31 + packed_bytes, directory_at(content)
    content = content[:at] + b"hidden" + content[at:]
    content = patched(content, 18, "<L", packed_bytes + 6)
    content = patched(content, start + 6 + 20, "<L", packed_bytes + 6)

    assert codes(patched(content, content.rindex(b"PK\x05\x06") + 16, "<L", start + 6)) == ["corrupt_archive"]


def test_an_archive_split_over_disks_is_refused(codes: Codes) -> None:
    content = zipped(("a", b"1"))

    assert codes(patched(content, content.rindex(b"PK\x05\x06") + 4, "<H", 1)) == ["corrupt_archive"]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_are_read_however_they_were_compressed(
    unpack_bytes: Callable[..., Unpacked], method: int
) -> None:
    noise = random.Random(0).randbytes(3_000_000)

    unpacked = unpack_bytes(zipped(("model.py", SOURCE), ("model.pt", noise), ("empty", b""), method=method))

    assert (unpacked.root / "model.py").read_bytes() == SOURCE
    assert (unpacked.root / "model.pt").read_bytes() == noise
    assert (unpacked.root / "empty").read_bytes() == b""


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_bomb_is_refused_however_it_was_compressed(codes: Codes, method: int) -> None:
    assert codes(zipped(("zeros", bytes(2**24)), method=method)) == ["compression_ratio_too_high"]


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("damage", [8, 40, 200])
def test_a_damaged_member_is_refused_however_it_was_compressed(
    codes: Codes, method: int, damage: int
) -> None:
    raw = bytearray(zipped(("noise", random.Random(0).randbytes(1_000)), method=method))
    raw[len("noise") + 30 + damage] ^= 0xFF

    assert codes(bytes(raw)) == ["corrupt_archive"]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_bytes_after_a_member_s_content_are_refused_however_it_was_compressed(
    codes: Codes, method: int
) -> None:
    """The directory and the member's header say that they belong to it."""
    content = zipped(("a", SOURCE), method=method)
    packed = struct.unpack_from("<L", content, 18)[0]
    end = 31 + packed
    longer = content[:end] + b"more" + content[end:]
    longer = patched(longer, 18, "<L", packed + 4)
    longer = patched(longer, directory_at(content) + 4 + 20, "<L", packed + 4)
    longer = patched(longer, longer.rindex(b"PK\x05\x06") + 16, "<L", directory_at(content) + 4)

    assert codes(longer) == ["corrupt_archive"]


def test_lzma_with_a_huge_dictionary_is_refused(codes: Codes) -> None:
    content = zipped(("a", SOURCE), method=zipfile.ZIP_LZMA)

    assert codes(patched(content, 31 + 5, "<L", 2**30)) == ["corrupt_archive"]


@pytest.mark.parametrize(("method", "named"), [(9, "Deflate64"), (93, "Zstandard"), (77, "method 77")])
def test_another_method_is_named(unpack_bytes: Callable[..., Unpacked], method: int, named: str) -> None:
    content = zipped(("model.py", SOURCE))
    content = patched(content, 8, "<H", method)
    content = patched(content, directory_at(content) + 10, "<H", method)

    with pytest.raises(Rejected) as caught:
        unpack_bytes(content)

    (message,) = render_all(caught.value.findings)
    assert (caught.value.code, named in message.message) == ("unknown_compression", True)


def test_a_second_name_in_an_extra_field_is_refused(codes: Codes) -> None:
    renamed = zipfile.ZipInfo("a.py")
    record = b"\x01" + bytes(4) + b"b.py"
    renamed.extra = struct.pack("<2H", 0x7075, len(record)) + record

    assert codes(zipped((renamed, SOURCE))) == ["corrupt_archive"]


# --- names


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../up.py",
        "a/../../up.py",
        "a/..",
        "C:/windows.py",
        "c:relative.py",
        "a\\b.py",
        "..\\up.py",
        "a//b.py",
        "a/./b.py",
        "./../up.py",
        ".//a.py",
        "tab\tbed.py",
        "escape\x1b[31m.py",
        "gnp.\u202eyp.py",
        "line\u2028.py",
        "n" * 256,
        "/".join(["d" * 200] * 6),
        "/".join("abcdefghijklmnopqr"),
    ],
)
def test_unsafe_names_are_refused(codes: Codes, name: str) -> None:
    assert codes(zipped((name, b"1"), ("model.py", SOURCE))) == ["unsafe_path"]


def test_the_names_of_tar_are_read_without_their_dot(unpack_bytes: Unpack) -> None:
    """Windows and macOS write zips with tar too: `tar -a -cf entry.zip .`."""
    unpacked = unpack_bytes(zipped(("./", b""), ("./model.py", SOURCE), ("./a/b.py", b"1")))

    assert {file.path for file in unpacked.files} == {"model.py", "a/b.py"}


def test_a_name_with_and_without_its_dot_is_one_name(codes: Codes) -> None:
    assert codes(zipped(("./model.py", b"1"), ("model.py", SOURCE))) == ["duplicate_name"]


def test_a_name_with_a_nul_is_refused(codes: Codes) -> None:
    content = zipped(("model.pyXa", SOURCE)).replace(b"model.pyXa", b"model.py\0a")

    assert codes(content) == ["unsafe_path"]


def test_a_name_that_is_no_utf8_is_refused(codes: Codes) -> None:
    content = zipped(("é.py", SOURCE)).replace("é.py".encode(), b"\xff\xff.py")

    assert codes(content) == ["unsafe_path"]


def test_an_empty_name_is_refused(codes: Codes) -> None:
    assert codes(zipped((zipfile.ZipInfo(""), b"1"))) == ["unsafe_path"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("model.py", "model.py"),
        ("model.py", "MODEL.py"),
        ("straße", "STRASSE"),
        ("caf\u00e9", "cafe\u0301"),
        ("a", "a/b"),
        ("a/b", "a"),
        ("A", "a/b"),
        ("lib/x", "LIB/y"),
        ("a/", "a"),
    ],
)
def test_names_that_collide_are_refused(codes: Codes, first: str, second: str) -> None:
    assert codes(zipped((first, b""), (second, b""))) == ["duplicate_name"]


# --- links, encryption, overlap


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (stat.S_IFCHR, "device"),
        (stat.S_IFBLK, "device"),
        (stat.S_IFIFO, "named pipe"),
        (stat.S_IFSOCK, "socket"),
    ],
)
def test_members_that_are_no_plain_files_are_refused(
    refusal: Callable[..., Rejected], kind: int, what: str
) -> None:
    caught = refusal(zipped((member("weights", mode=kind | 0o777), b"/etc/passwd")))

    assert caught.code == "link_in_archive"
    assert caught.findings[0].facts == {"what": what}


def test_a_folder_with_a_files_name_is_refused(codes: Codes) -> None:
    assert codes(zipped((member("a", mode=stat.S_IFDIR | 0o755), b""))) == ["link_in_archive"]


def test_a_folder_with_content_is_refused(codes: Codes) -> None:
    assert codes(zipped((member("a/", mode=stat.S_IFDIR | 0o755), b"content"))) == ["corrupt_archive"]


def test_encrypted_members_are_refused(codes: Codes) -> None:
    content = zipped(("model.py", SOURCE))
    content = patched(content, 6, "<H", 1)

    assert codes(patched(content, directory_at(content) + 8, "<H", 1)) == ["encrypted_archive"]


def overlapping(count: int) -> bytes:
    """Return an archive whose members all point to the same bytes."""
    packed = zipped(("a0", bytes(1000)))
    start = directory_at(packed)
    entry = packed[start : packed.rindex(b"PK\x05\x06")]
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(entry) * count, start, 0)
    return packed[:start] + entry * count + end


def test_members_that_share_their_bytes_are_refused(codes: Codes) -> None:
    renamed = overlapping(2)
    last = renamed.rindex(b"a0")

    content = renamed[:last] + b"a1" + renamed[last + 2 :]

    assert "duplicate_name" in codes(content)


def test_members_that_overlap_partly_are_refused(codes: Codes) -> None:
    inner = zipped(("in", b"12"), method=zipfile.ZIP_STORED)
    inner_local = inner[: directory_at(inner)]
    outer = zipped(("out", inner_local), method=zipfile.ZIP_STORED)
    start = directory_at(outer)
    end = outer.rindex(b"PK\x05\x06")
    inner_entry = inner[directory_at(inner) : inner.rindex(b"PK\x05\x06")]
    inner_entry = patched(inner_entry, 42, "<L", 30 + len("out"))
    directory = outer[start:end] + inner_entry

    content = (
        outer[:start]
        + directory
        + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 2, 2, len(directory), start, 0)
    )

    assert codes(content) == ["duplicate_name"]


# --- limits


def test_a_bomb_is_refused_by_its_ratio(refusal: Callable[..., Rejected]) -> None:
    caught = refusal(zipped(("zeros", bytes(2**20 + 1))))

    assert caught.code == "compression_ratio_too_high"
    assert caught.findings[0].facts == {"allowed": 200.0}


def test_a_bomb_with_a_small_declared_size_is_refused(codes: Codes) -> None:
    content = zipped(("zeros", bytes(2**21)))
    content = patched(content, 22, "<L", 100)

    assert codes(patched(content, directory_at(content) + 24, "<L", 100)) == ["corrupt_archive"]


def test_many_small_bombs_are_refused_by_their_sum(codes: Codes) -> None:
    members = [(str(number), bytes(2_000)) for number in range(3)]

    assert codes(zipped(*members), limits=SMALL) == ["archive_too_large"]


def test_a_sum_at_the_limit_is_accepted(unpack_bytes: Unpack) -> None:
    assert unpack_bytes(zipped(("a", bytes(5_000))), limits=SMALL).package_bytes == 5_000


def test_an_entry_over_its_own_limit_is_refused(refusal: Callable[..., Rejected]) -> None:
    caught = refusal(bytes(10_001), limits=SMALL)

    assert caught.code == "archive_too_large"
    assert caught.findings[0].facts["allowed_bytes"] == 10_000


def test_too_many_members_are_refused(refusal: Callable[..., Rejected]) -> None:
    caught = refusal(zipped(*((str(number), b"") for number in range(6))), limits=SMALL)

    assert caught.code == "too_many_files"
    assert caught.findings[0].facts == {"found": 6, "allowed": 5}


def test_folders_nested_too_deeply_are_refused(codes: Codes) -> None:
    assert codes(zipped(("a/b/c/d", b"1")), limits=SMALL) == ["unsafe_path"]


# --- all at once


def test_all_findings_come_at_once_with_the_gravest_first(codes: Codes) -> None:
    content = zipped(
        ("bomb", bytes(2**21)),
        ("same", b"1"),
        ("same", b"2"),
        (member("link", mode=stat.S_IFLNK | 0o777), b"x"),
        ("../up", b"1"),
    )

    assert codes(content) == [
        "unsafe_path",
        "link_in_archive",
        "duplicate_name",
        "compression_ratio_too_high",
    ]


def test_nothing_is_left_on_disk_after_a_refusal(codes: Codes, tmp_path: Path) -> None:
    codes(zipped(("good", b"1"), ("bomb", bytes(2**21))))

    assert not (tmp_path / "out").exists()


def test_a_destination_that_exists_is_our_fault_and_stays(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious").touch()

    with pytest.raises(Fault):
        unpack(tmp_path, destination=tmp_path / "out", limits=LIMITS)

    assert (tmp_path / "out" / "precious").exists()


# --- folders


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "entry"
    made.mkdir()
    (made / "model.py").write_bytes(SOURCE)
    return made


def folder_codes(folder: Path, limits: ArchiveLimits = LIMITS) -> list[str]:
    with pytest.raises(Rejected) as caught:
        unpack(folder, destination=folder.parent / "out", limits=limits)
    return [finding.code for finding in caught.value.findings]


def test_a_link_in_a_folder_is_refused(folder: Path) -> None:
    (folder / "link").symlink_to("/etc/passwd")

    assert folder_codes(folder) == ["link_in_archive"]


def test_a_link_to_a_folder_is_refused_and_not_followed(folder: Path) -> None:
    (folder / "link").symlink_to("/")

    assert folder_codes(folder) == ["link_in_archive"]


def test_a_pipe_in_a_folder_is_refused(folder: Path) -> None:
    os.mkfifo(folder / "pipe")

    assert folder_codes(folder) == ["link_in_archive"]


def test_colliding_names_in_a_folder_are_refused(folder: Path) -> None:
    (folder / "MODEL.PY").touch()

    assert folder_codes(folder) == ["duplicate_name"]


def test_a_folder_over_the_sum_is_refused(folder: Path) -> None:
    (folder / "weights").write_bytes(bytes(5_001))

    assert folder_codes(folder, SMALL) == ["archive_too_large"]


def test_a_folder_with_too_many_members_is_refused(folder: Path) -> None:
    for number in range(5):
        (folder / str(number)).touch()

    assert folder_codes(folder, SMALL) == ["too_many_files"]


# --- whatever the bytes


VALID = zipped(
    ("model.py", SOURCE * 10),
    ("weights/a.bin", bytes(range(256))),
    ("b", b"stored"),
    method=zipfile.ZIP_DEFLATED,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flips=st.lists(st.tuples(st.integers(0, len(VALID) - 1), st.integers(1, 255)), min_size=1, max_size=6))
def test_flipped_bytes_never_raise_anything_but_rejected(
    tmp_path_factory: pytest.TempPathFactory, flips: list[tuple[int, int]]
) -> None:
    content = bytearray(VALID)
    for at, mask in flips:
        content[at] ^= mask
    folder = tmp_path_factory.mktemp("flip")
    (folder / "entry").write_bytes(content)

    try:
        unpacked = unpack(folder / "entry", destination=folder / "out", limits=LIMITS)
    except Rejected as refused:
        render_all(refused.findings)
    else:
        # What we accept, the standard library reads in the same way.
        with zipfile.ZipFile(folder / "entry") as archive:
            names = {name.encode("utf-8", "replace") for name in archive.namelist()}
            sizes = sorted(entry.file_size for entry in archive.infolist())
        assert len(names) == len(unpacked.files)
        assert sizes == sorted(file.size for file in unpacked.files)


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=200), magic=st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06"]))
def test_random_bytes_never_raise_anything_but_rejected(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, magic: bytes
) -> None:
    folder = tmp_path_factory.mktemp("random")
    (folder / "entry").write_bytes(magic + content)

    with pytest.raises(Rejected):
        unpack(folder / "entry", destination=folder / "out", limits=LIMITS)
