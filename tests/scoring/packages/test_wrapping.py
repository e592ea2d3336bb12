"""A package in the root or in one wrapping folder, told alike for every format that takes one."""

from pathlib import Path, PurePosixPath

import pytest

from scoring.contracts import Finding, Format, Package, Unpacked, UnpackedFile
from scoring.packages import FORMATS
from scoring.packages.wrapping import Location, is_litter, locate

MARK = {
    Format.CVPR_ZIP: "model.py",
    Format.QAIHUB: "model.py",
    Format.GASBENCH: "model_config.yaml",
    Format.BYOM: "mochi.json",
}


def unpacked(*paths: str, root: Path = Path("root")) -> Unpacked:
    files = tuple(UnpackedFile(path=path, size=10) for path in sorted(paths))
    return Unpacked(root=root, files=files, package_bytes=10 * len(files))


def place_of(*paths: str) -> Location | None:
    return locate(unpacked(*paths), lambda found: PurePosixPath("m") in found)


def test_the_root_comes_before_the_folder() -> None:
    place = place_of("m", "folder/m")

    assert place is not None
    assert (place.folder, place.root, place.package_bytes) == ("", Path("root"), 20)


def test_a_folder_that_holds_everything_is_the_place() -> None:
    place = place_of("folder/m", "folder/more/w")

    assert place is not None
    assert (place.folder, place.root) == ("folder", Path("root/folder"))
    assert place.paths == (PurePosixPath("m"), PurePosixPath("more/w"))


@pytest.mark.parametrize(
    "paths",
    [
        ("folder/m", "readme.txt"),
        ("folder/m", "other/w"),
        ("outer/inner/m", "outer/inner/w"),
        ("w",),
        (),
    ],
    ids=["a file beside it", "two folders", "two folders deep", "no package", "nothing at all"],
)
def test_other_layouts_are_no_place(paths: tuple[str, ...]) -> None:
    assert place_of(*paths) is None


def test_only_what_lies_in_the_folder_counts_as_the_package() -> None:
    place = place_of("folder/m", "folder/._m", "__MACOSX/folder/._m", "._folder", ".DS_Store")

    assert place is not None
    assert place.package_bytes == 20


@pytest.mark.parametrize("path", ["__MACOSX/a/b", ".DS_Store", "a/.DS_Store", "._a", "a/._b"])
def test_what_macos_adds_is_litter(path: str) -> None:
    assert is_litter(path)


@pytest.mark.parametrize("path", ["a", ".a", "_a/b", "MACOSX/a", "._a/b", "DS_Store"])
def test_other_names_are_no_litter(path: str) -> None:
    assert not is_litter(path)


def test_what_macos_adds_is_no_second_onnx_model() -> None:
    package = FORMATS[Format.ONNX].match(unpacked("._net.onnx", "__MACOSX/._net.onnx", "net.onnx"))

    assert isinstance(package, Package)
    assert package.main == "net.onnx"


@pytest.mark.parametrize("name", sorted(MARK))
def test_each_format_takes_one_folder_with_the_same_warning(tmp_path: Path, name: Format) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / MARK[name]).write_text("from qai_hub_models import x\n")

    package = FORMATS[name].match(unpacked(f"folder/{MARK[name]}", "._folder", root=tmp_path))

    assert isinstance(package, Package)
    assert (package.root, package.package_bytes) == (tmp_path / "folder", 10)
    assert package.warnings == (Finding(code="wrapping_folder", path="folder"),)
