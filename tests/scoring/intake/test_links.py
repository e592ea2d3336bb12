"""Links: one that stays in the entry stands for a copy, in a zip, a tar and a folder; every other one is refused."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from scoring.contracts import ArchiveLimits, Unpacked
from scoring.errors import Rejected, render_all
from scoring.intake.archive import unpack

LIMITS = ArchiveLimits(
    max_entry_bytes=10**6,
    max_unpacked_bytes=10**6,
    max_files=20,
    max_ratio=100,
    max_depth=6,
)
Files = Mapping[str, bytes]
Links = Mapping[str, str]


def zipped(place: Path, files: Files, links: Links) -> Path:
    with zipfile.ZipFile(place / "entry.zip", "w") as archive:
        for name, target in links.items():
            made = zipfile.ZipInfo(name)
            made.create_system, made.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
            archive.writestr(made, os.fsencode(target))
        for name, content in files.items():
            archive.writestr(name, content)
    return place / "entry.zip"


def tarred(
    place: Path,
    files: Files,
    links: Links,
    *,
    kind: bytes = tarfile.SYMTYPE,
    layout: int = tarfile.PAX_FORMAT,
) -> Path:
    with tarfile.open(place / "entry.tar.gz", "w:gz", format=layout) as archive:
        for name, target in links.items():
            made = tarfile.TarInfo(name)
            made.type, made.linkname = kind, target
            archive.addfile(made)
        for name, content in files.items():
            made = tarfile.TarInfo(name)
            made.size = len(content)
            archive.addfile(made, io.BytesIO(content))
    return place / "entry.tar.gz"


def foldered(place: Path, files: Files, links: Links) -> Path:
    folder = place / "entry"
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    for name, target in links.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(target)
    return folder


KINDS = pytest.mark.parametrize("make", [zipped, tarred, foldered])
Make = Callable[[Path, Files, Links], Path]


def unpacked(entry: Path, limits: ArchiveLimits = LIMITS) -> Unpacked:
    return unpack(entry, destination=entry.parent / "out", limits=limits)


def contents(found: Unpacked) -> dict[str, bytes]:
    assert not any(path.is_symlink() for path in found.root.rglob("*"))
    on_disk = {path.relative_to(found.root).as_posix() for path in found.root.rglob("*") if path.is_file()}
    assert on_disk == {file.path for file in found.files}
    assert found.package_bytes == sum(file.size for file in found.files)
    return {file.path: (found.root / file.path).read_bytes() for file in found.files}


def refused(entry: Path, limits: ArchiveLimits = LIMITS) -> list[tuple[str, object]]:
    with pytest.raises(Rejected) as caught:
        unpacked(entry, limits)
    render_all(caught.value.findings)
    assert not (entry.parent / "out").exists()
    return [(finding.code, finding.facts.get("what")) for finding in caught.value.findings]


@KINDS
@pytest.mark.parametrize(
    "target", ["../weights/last.pt", "./../weights/./last.pt", "../model/../weights//last.pt"]
)
def test_a_link_becomes_a_copy_that_counts_as_a_file(tmp_path: Path, make: Make, target: str) -> None:
    entry = make(tmp_path, {"weights/last.pt": b"w" * 50, "model/a": b""}, {"model/best.pt": target})

    found = contents(unpacked(entry))

    assert found["model/best.pt"] == b"w" * 50
    assert len(found) == 3


@KINDS
def test_a_link_to_a_link_and_through_a_linked_folder_is_followed(tmp_path: Path, make: Make) -> None:
    links = {"last": "hub/current/w.pt", "hub/current": "7f3a", "newest": "last"}

    found = contents(unpacked(make(tmp_path, {"hub/7f3a/w.pt": b"1", "hub/7f3a/deep/x": b"2"}, links)))

    assert found == {
        "hub/7f3a/deep/x": b"2",
        "hub/7f3a/w.pt": b"1",
        "hub/current/deep/x": b"2",
        "hub/current/w.pt": b"1",
        "last": b"1",
        "newest": b"1",
    }


@pytest.mark.parametrize("layout", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_a_hard_link_is_told_from_the_root(tmp_path: Path, layout: int) -> None:
    entry = tarred(
        tmp_path, {"a/x": b"1"}, {"a/y": "a/x", "./b/z": "./a/x"}, kind=tarfile.LNKTYPE, layout=layout
    )

    assert contents(unpacked(entry)) == {"a/x": b"1", "a/y": b"1", "b/z": b"1"}


@pytest.mark.parametrize("layout", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("link", ["y", "y" * 150])
def test_a_long_name_that_is_linked_to_is_read_whole(tmp_path: Path, layout: int, link: str) -> None:
    long = "x" * 150

    assert contents(unpacked(tarred(tmp_path, {long: b"1"}, {link: long}, layout=layout)))[link] == b"1"


@KINDS
@pytest.mark.parametrize(
    ("target", "what"),
    [
        ("/etc/passwd", "link that leads out of the entry"),
        ("../../etc/passwd", "link that leads out of the entry"),
        ("../a/../../x", "link that leads out of the entry"),
        ("gone", "link to “a/gone”, which is not in the entry"),
        ("..\\weights", "link to “a/..\\weights”, which is not in the entry"),
        ("link", "link that leads in a circle, or over more than 8 others"),
        (".", "link to “a”, a folder that holds links itself"),
        ("/".join(["x"] * 70), "link to a path that is too long"),
    ],
)
def test_a_link_that_leads_to_no_file_of_the_entry_is_refused(
    tmp_path: Path, make: Make, target: str, what: str
) -> None:
    assert refused(make(tmp_path, {"a/x": b""}, {"a/link": target})) == [("link_in_archive", what)]


@KINDS
def test_a_path_through_a_link_that_leads_out_is_refused(tmp_path: Path, make: Make) -> None:
    entry = make(tmp_path, {"x": b""}, {"host": "/", "passwd": "host/etc/passwd"})

    assert refused(entry) == [("link_in_archive", "link that leads out of the entry")] * 2


def test_the_text_of_a_link_in_a_zip_is_bounded(tmp_path: Path) -> None:
    assert refused(zipped(tmp_path, {"x": b""}, {"link": "x/" * 600})) == [
        ("link_in_archive", "link to a path that is too long")
    ]


def test_a_link_in_a_zip_that_cannot_be_unpacked_is_refused_for_that(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "entry.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        made = zipfile.ZipInfo("link")
        made.create_system, made.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(made, b"../somewhere/else" * 9, zipfile.ZIP_DEFLATED)
    entry, start = tmp_path / "entry.zip", 30 + len("link")
    raw = entry.read_bytes()
    entry.write_bytes(raw[:start] + b"\xff" * 4 + raw[start + 4 :])

    assert "corrupt_archive" in [code for code, _ in refused(entry)]


def test_a_link_in_a_zip_whose_bytes_are_damaged_is_refused_for_that(tmp_path: Path) -> None:
    entry = zipped(tmp_path, {"x": b""}, {"link": "xyz"})
    entry.write_bytes(entry.read_bytes().replace(b"xyz", b"xyy", 1))

    assert "corrupt_archive" in [code for code, _ in refused(entry)]


@KINDS
def test_copies_count_towards_the_bytes_that_are_allowed(tmp_path: Path, make: Make) -> None:
    links = {f"copy{number}": "x" for number in range(10)}

    assert refused(make(tmp_path, {"x": bytes(range(256)) * 500}, links)) == [
        ("archive_too_large", "unpacked")
    ]


@KINDS
def test_copies_count_towards_the_files_that_are_allowed(tmp_path: Path, make: Make) -> None:
    files = {f"folder/{number}": b"" for number in range(10)}

    assert refused(make(tmp_path, files, {"first": "folder", "second": "folder"})) == [
        ("too_many_files", None)
    ]


@KINDS
def test_the_names_of_copies_are_checked_as_others_are(tmp_path: Path, make: Make) -> None:
    entry = make(tmp_path, {"a/b/c/x": b""}, {"d/e/f/g/link": "../../../../a"})

    assert [code for code, _ in refused(entry)] == ["unsafe_path"]


@pytest.mark.parametrize("make", [zipped, tarred])
def test_a_member_below_a_link_is_refused(tmp_path: Path, make: Make) -> None:
    """Written through the link, it would lie elsewhere."""
    found = refused(make(tmp_path, {"x/y": b"", "link/z": b""}, {"link": "x"}))

    assert ("duplicate_name", None) in found


def test_a_chain_of_folders_that_double_is_refused_at_once(tmp_path: Path) -> None:
    links = {f"{level}/{side}": f"../{level + 1}" for level in range(900) for side in "ab"}

    found = refused(zipped(tmp_path, {"900/x": b""}, links), replace(LIMITS, max_files=2_000))

    assert {code for code, _ in found} == {"link_in_archive"}
