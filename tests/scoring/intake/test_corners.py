"""Corners of unpacking: disks that fail, zips bent by hand, tars bent by hand, and false ONNX models."""

from __future__ import annotations

import gzip
import io
import random
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from scoring.contracts import ArchiveLimits, Unpacked
from scoring.errors import Fault, Rejected, render_all
from scoring.intake import zip_directory
from scoring.intake.archive import unpack
from scoring.intake.folder import folder_files
from scoring.intake.onnx_file import MAX_FIELDS, looks_like_onnx
from scoring.intake.packed_stream import PackedStream
from scoring.intake.tar_members import TarReader
from scoring.intake.zip_reading import CHUNK_BYTES

LIMITS = ArchiveLimits()
Codes = Callable[[bytes], list[tuple[str, str]]]


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def zip_of_stream(stream: bytes, content: bytes, *, name: bytes = b"a.bin") -> bytes:
    """Write a zip of one deflated member by hand, whose packed bytes are `stream`."""
    facts = (20, 0, 8, 0, 0, zlib.crc32(content), len(stream), len(content), len(name), 0)
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", *facts) + name + stream
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, *facts, 0, 0, 0, 0, 0) + name
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(entry), len(local), 0)
    return local + entry + end


@pytest.fixture
def unpack_bytes(tmp_path: Path) -> Callable[[bytes], Unpacked]:
    def run(content: bytes) -> Unpacked:
        entry = tmp_path / "entry"
        entry.write_bytes(content)
        return unpack(entry, destination=tmp_path / "out", limits=LIMITS)

    return run


@pytest.fixture
def refused(unpack_bytes: Callable[[bytes], Unpacked]) -> Codes:
    """Return the code and the reason of each finding."""

    def run(content: bytes) -> list[tuple[str, str]]:
        with pytest.raises(Rejected) as caught:
            unpack_bytes(content)
        render_all(caught.value.findings)
        return [(finding.code, str(finding.facts.get("why", ""))) for finding in caught.value.findings]

    return run


# --- entries and disks


def test_an_entry_that_cannot_be_read_is_a_fault_and_leaves_nothing(tmp_path: Path) -> None:
    """The first page of a process's memory is a plain file whose every read fails, for root too."""
    with pytest.raises(Fault, match="could not be read"):
        unpack(Path("/proc/self/mem"), destination=tmp_path / "out", limits=LIMITS)

    assert not (tmp_path / "out").exists()


def test_an_entry_that_is_not_there_is_no_archive(tmp_path: Path) -> None:
    with pytest.raises(Rejected) as caught:
        unpack(tmp_path / "nothing.zip", destination=tmp_path / "out", limits=LIMITS)

    assert caught.value.code == "not_an_archive"
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_listed_is_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        folder_files(tmp_path / "gone", LIMITS)


# --- what looks like ONNX

IR_VERSION, EMPTY_GRAPH = b"\x08\x08", b"\x3a\x00"


def looks(content: bytes) -> bool:
    return looks_like_onnx(io.BytesIO(content), len(content))


def test_a_model_of_as_many_fields_as_are_read_is_known() -> None:
    assert looks(IR_VERSION * (MAX_FIELDS - 2) + EMPTY_GRAPH)


def test_a_file_of_endless_fields_is_given_up() -> None:
    assert not looks(IR_VERSION * MAX_FIELDS + EMPTY_GRAPH)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\xff" * 20, id="a number without end"),
        pytest.param(b"\x08" + b"\xff" * 20, id="a value without end"),
        pytest.param(IR_VERSION + b"\x3a\x05ab", id="a graph that is cut short"),
        pytest.param(IR_VERSION + EMPTY_GRAPH + b"\x0d1234", id="a field of another wire type"),
        pytest.param(IR_VERSION, id="no graph"),
    ],
)
def test_damaged_outlines_are_no_model(content: bytes) -> None:
    assert not looks(content)


# --- zips bent by hand


def test_the_zip_written_by_hand_is_sound(unpack_bytes: Callable[[bytes], Unpacked]) -> None:
    unpacked = unpack_bytes(zip_of_stream(deflated(b"12345"), b"12345"))

    assert (unpacked.root / "a.bin").read_bytes() == b"12345"


def test_a_directory_that_would_fill_the_memory_is_not_read(refused: Codes) -> None:
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, zip_directory.MAX_DIRECTORY_BYTES + 1, 0, 0)

    assert refused(end) == [("corrupt_archive", "its directory takes more than 33,554,432 bytes")]


def test_a_member_without_the_wide_sizes_that_it_promises_is_refused(refused: Codes) -> None:
    content = zipped(("model.py", b"12345"))
    size_at = content.index(b"PK\x01\x02") + 24

    found = refused(content[:size_at] + b"\xff" * 4 + content[size_at + 4 :])

    assert found == [("corrupt_archive", "a member's zip64 sizes are missing")]


def test_a_file_whose_name_is_a_folders_is_refused(refused: Codes, tmp_path: Path) -> None:
    false_folder = zipfile.ZipInfo("weights/")
    false_folder.create_system, false_folder.external_attr = 3, 0o100644 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(false_folder, b"")

    assert [code for code, _ in refused(buffer.getvalue())] == ["link_in_archive"]
    assert not (tmp_path / "out").exists()


def test_data_before_the_first_member_are_refused(refused: Codes) -> None:
    """All offsets are moved along, so that the archive is whole for readers that seek."""
    content, script = zipped(("model.py", b"12345")), b"PK\x03\x04#!/bin/sh\n"
    entry_at, end_at = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    moved = bytearray(script + content)
    struct.pack_into("<L", moved, len(script) + entry_at + 42, len(script))
    struct.pack_into("<L", moved, len(script) + end_at + 16, len(script) + entry_at)

    assert refused(bytes(moved)) == [
        ("corrupt_archive", f"it has {len(script)} bytes of extra data before its first member")
    ]


def test_a_stream_that_ends_too_early_is_refused(refused: Codes) -> None:
    content = b"12345" * 100

    found = refused(zip_of_stream(deflated(content)[:-1], content))

    assert found == [("corrupt_archive", "“a.bin” is cut short or has extra data after its content")]


@pytest.mark.parametrize("hidden", [1, CHUNK_BYTES])
def test_bytes_behind_the_end_of_a_stream_are_refused(refused: Codes, hidden: int) -> None:
    why = "“a.bin” is cut short or has extra data after its content"

    assert refused(zip_of_stream(deflated(b"12345") + bytes(hidden), b"12345")) == [("corrupt_archive", why)]


def test_a_last_piece_that_a_packer_folded_into_the_one_before_is_unpacked(
    unpack_bytes: Callable[[bytes], Unpacked],
) -> None:
    """All packed bytes are read, and the run of zeros that they stand for goes on past a whole piece."""
    half = CHUNK_BYTES // 2
    content = random.Random(0).randbytes(half) + bytes(half + 5)

    unpacked = unpack_bytes(zip_of_stream(deflated(content), content))

    assert unpacked.package_bytes == len(content)


@pytest.mark.parametrize("disk", [1, 7])
def test_a_member_on_another_disk_is_refused(refused: Codes, disk: int) -> None:
    content = zipped(("model.py", b"12345"))
    disk_at = content.index(b"PK\x01\x02") + 34

    found = refused(content[:disk_at] + bytes([disk]) + content[disk_at + 1 :])

    assert found == [("corrupt_archive", "it is split over several files")]


def test_a_member_of_a_newer_version_of_the_format_is_refused(refused: Codes) -> None:
    content = zipped(("model.py", b"12345"))
    version_at = content.index(b"PK\x01\x02") + 6

    found = refused(content[:version_at] + b"\x40" + content[version_at + 1 :])

    assert found == [("corrupt_archive", "it uses a newer version of the format")]


# --- tars bent by hand


def block(name: str, content: bytes = b"", **fields: object) -> bytes:
    """Return one header with its content, as it lies in a tar."""
    made = tarfile.TarInfo(name)
    made.size = len(content)
    for field, value in fields.items():
        setattr(made, field, value)
    return made.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % 512)


LONG_NAME = block("././@LongLink", b"other.bin\0", type=tarfile.GNUTYPE_LONGNAME)
ATTRIBUTES = block("attributes", b"18 path=third.bin\n", type=tarfile.XHDTYPE)
FILE = block("a.bin", b"12345")
END = bytes(1024)


def attributes(content: bytes) -> bytes:
    return block("attributes", content, type=tarfile.XHDTYPE)


def test_the_tar_written_by_hand_is_sound(unpack_bytes: Callable[[bytes], Unpacked]) -> None:
    unpacked = unpack_bytes(gzip.compress(LONG_NAME + FILE + ATTRIBUTES + FILE + END))

    assert [file.path for file in unpacked.files] == ["other.bin", "third.bin"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (FILE + LONG_NAME + END, "it ends after a name, before the member that the name belongs to"),
        (FILE + ATTRIBUTES + END, "it ends after a name, before the member that the name belongs to"),
        (LONG_NAME + ATTRIBUTES + FILE + END, "a member has two different names"),
        (attributes(b"9 size=6\n") + FILE + END, "“a.bin” has two different sizes"),
        (block("a/", b"12345", type=tarfile.DIRTYPE) + END, "the folder “a” has content"),
        (block("a.bin", size=-1) + END, "a member has a negative size"),
        (attributes(b"8 k=one\n8 k=two\n") + FILE + END, "a member has the attribute “k” twice"),
        (attributes(b"9 k=one\n") + FILE + END, "a member's extended attributes are damaged"),
        (
            attributes(b"21 hdrcharset=BINARY\n") + FILE + END,
            "a member has an attribute “hdrcharset” that different readers interpret differently",
        ),
        (
            attributes(b"12 path=a\0b\n") + FILE + END,
            "a member has an attribute “path” that different readers interpret differently",
        ),
        (FILE, "its tar archive is cut short: the end mark is missing"),
    ],
)
def test_a_tar_with_two_readings_is_refused(refused: Codes, content: bytes, why: str) -> None:
    assert refused(gzip.compress(content)) == [("corrupt_archive", why)]


def test_bytes_that_nobody_asked_for_are_skipped() -> None:
    content = gzip.compress(FILE + block("b.bin", b"x" * 600) + END)
    reader = TarReader(PackedStream(io.BytesIO(content), LIMITS), LIMITS)

    assert [(member.name, member.size) for member in reader.members()] == [("a.bin", 5), ("b.bin", 600)]
