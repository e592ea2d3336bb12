"""Packing: a folder becomes a correct entry, with equal bytes for equal files."""

import tarfile
import zipfile
from pathlib import Path

import pytest

from scoring.contracts import ArchiveLimits
from scoring.errors import Rejected
from scoring.files.archiving import pack
from scoring.intake.archive import unpack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "entry"
    (root / "weights").mkdir(parents=True)
    (root / "model.py").write_text("class Model: ...\n")
    (root / "weights" / "net.pth").write_bytes(bytes(range(256)))
    return root


def names(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as opened:
        return opened.namelist()


def test_the_contents_are_packed_and_not_the_folder(folder: Path, tmp_path: Path) -> None:
    assert names(pack(folder, tmp_path / "entry.zip")) == ["model.py", "weights/net.pth"]


def test_bytes_survive(folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(pack(folder, tmp_path / "entry.zip")) as archive:
        assert archive.read("weights/net.pth") == bytes(range(256))


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz"])
def test_equal_folders_give_equal_bytes(folder: Path, tmp_path: Path, suffix: str) -> None:
    first = pack(folder, tmp_path / f"first{suffix}").read_bytes()
    (folder / "model.py").touch()

    assert pack(folder, tmp_path / f"second{suffix}").read_bytes() == first


def test_a_name_may_ask_for_a_tar_gz(folder: Path, tmp_path: Path) -> None:
    with tarfile.open(pack(folder, tmp_path / "entry.tar.gz"), "r:gz") as archive:
        members = archive.getmembers()
        weights = archive.extractfile("weights/net.pth")
        assert weights is not None
        content = weights.read()

    assert [member.name for member in members] == ["model.py", "weights/net.pth"]
    assert all(member.isfile() and member.mode == 0o644 and member.uid == 0 for member in members)
    assert content == bytes(range(256))


def test_a_packed_tar_gz_is_unpacked_as_an_entry(folder: Path, tmp_path: Path) -> None:
    entry = pack(folder, tmp_path / "entry.tar.gz")

    unpacked = unpack(entry, destination=tmp_path / "package", limits=ArchiveLimits())

    assert [file.path for file in unpacked.files] == ["model.py", "weights/net.pth"]


@pytest.mark.parametrize(
    "clutter", ["._model.py", "__pycache__/model.cpython-311.pyc", ".git/HEAD", ".DS_Store", "old.pyc"]
)
def test_clutter_is_left_out(folder: Path, tmp_path: Path, clutter: str) -> None:
    (folder / clutter).parent.mkdir(exist_ok=True)
    (folder / clutter).write_text("x")

    assert names(pack(folder, tmp_path / "entry.zip")) == ["model.py", "weights/net.pth"]


def test_an_archive_inside_the_folder_does_not_hold_itself(folder: Path) -> None:
    pack(folder, folder / "entry.zip")

    assert names(pack(folder, folder / "entry.zip")) == ["model.py", "weights/net.pth"]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Rejected) as caught:
        pack(tmp_path, tmp_path / "entry.zip")

    assert caught.value.code == "missing_file"


def test_a_link_out_of_the_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (folder / "data").symlink_to(tmp_path / "secret")

    with pytest.raises(Rejected) as caught:
        pack(folder, tmp_path / "entry.zip")

    assert (caught.value.code, caught.value.findings[0].path) == ("link_in_archive", "data")


def test_links_inside_the_folder_are_packed_as_copies(folder: Path, tmp_path: Path) -> None:
    (folder / "best.pth").symlink_to("weights/net.pth")
    (folder / "current").symlink_to("weights")

    packed = pack(folder, tmp_path / "entry.zip")

    assert names(packed) == ["best.pth", "current/net.pth", "model.py", "weights/net.pth"]


@pytest.mark.parametrize("target", ["/", "..", "."])
def test_a_link_to_a_folder_out_of_it_or_around_it_is_refused(
    folder: Path, tmp_path: Path, target: str
) -> None:
    (folder / "data").symlink_to(target)

    with pytest.raises(Rejected) as caught:
        pack(folder, tmp_path / "entry.zip")

    assert (caught.value.code, caught.value.findings[0].path) == ("link_in_archive", "data")


def test_links_in_folders_that_are_left_out_do_not_matter(folder: Path, tmp_path: Path) -> None:
    (folder / ".venv").mkdir()
    (folder / ".venv/lib64").symlink_to("/")

    assert names(pack(folder, tmp_path / "entry.zip")) == ["model.py", "weights/net.pth"]
