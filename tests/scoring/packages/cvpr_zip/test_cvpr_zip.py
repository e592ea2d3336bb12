"""The cvpr-zip format: layouts, and what `model.py` must define."""

from __future__ import annotations

from pathlib import Path

import pytest

from scoring.contracts import (
    Format,
    InputContract,
    Metric,
    Mismatch,
    OutputContract,
    OutputKind,
    Package,
    TrackSpec,
    Unpacked,
    UnpackedFile,
)
from scoring.errors import Rejected, render_all
from scoring.packages.cvpr_zip import check, match

TRACK = TrackSpec(
    slug="t",
    name="T",
    formats=(Format.CVPR_ZIP,),
    input=InputContract(),
    output=OutputContract(kind=OutputKind.LOGITS, width=100),
    metric=Metric.ACCURACY,
)


def matched(*paths: str) -> Package | Mismatch:
    files = tuple(UnpackedFile(path=path, size=10) for path in paths)
    return match(Unpacked(root=Path("root"), files=files, package_bytes=10 * len(files)))


def packaged(folder: Path, source: bytes) -> Package:
    (folder / "model.py").write_bytes(source)
    return Package(format=Format.CVPR_ZIP, root=folder, main="model.py", package_bytes=len(source))


# --- layouts


def test_one_wrapping_folder_is_looked_into_with_a_warning() -> None:
    package = matched("entry/model.py", "entry/w.pth")

    assert isinstance(package, Package)
    assert package.root == Path("root/entry")
    assert [(finding.code, finding.path) for finding in package.warnings] == [("wrapping_folder", "entry")]


def test_litter_of_macos_does_not_hide_the_wrapping_folder() -> None:
    package = matched("entry/model.py", "__MACOSX/entry/._model.py", ".DS_Store")

    assert isinstance(package, Package)
    assert package.package_bytes == 10


def test_files_in_litter_still_count_towards_the_package() -> None:
    package = matched("model.py", "__MACOSX/weights.bin")

    assert isinstance(package, Package)
    assert package.package_bytes == 20


def test_model_py_at_the_root_wins_over_one_in_a_folder() -> None:
    package = matched("model.py", "lib/model.py")

    assert isinstance(package, Package)
    assert package.warnings == ()


@pytest.mark.parametrize(
    "paths",
    [
        ("a/b/model.py",),
        ("a/model.py", "b/other.py"),
        ("a/model.py", "readme.txt"),
        ("Model.py",),
        ("src/net.py",),
    ],
)
def test_other_layouts_do_not_match(paths: tuple[str, ...]) -> None:
    assert isinstance(matched(*paths), Mismatch)


def test_a_model_py_elsewhere_is_named() -> None:
    answer = matched("a/model.py", "readme.txt")

    assert isinstance(answer, Mismatch)
    assert [(finding.code, finding.path) for finding in answer.findings] == [("missing_file", "a/model.py")]


# --- source


@pytest.mark.parametrize(
    "source",
    [
        b"class Model: pass",
        b"class Model(object):\n    pattern = '\\d'\n",
        b"from net import Model",
        b"from net import Net as Model",
        b"from net import *",
        b"import net as Model",
        b"Model = make()",
        b"Model: type = make()",
        b"Net, Model = make()",
        b"def Model(): return net()",
        b"try:\n    from fast import Model\nexcept ImportError:\n    from slow import Model",
        b"if True:\n    class Model: pass",
        b"# coding: latin-1\nname = '\xe9'\nclass Model: pass",
        b"\xef\xbb\xbfclass Model: pass",
    ],
)
def test_any_top_level_binding_of_model_is_accepted(tmp_path: Path, source: bytes) -> None:
    assert check(packaged(tmp_path, source), TRACK) == ()


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"class Net: pass",
        b"class model: pass",
        b"def make():\n    class Model: pass",
        b"class Outer:\n    class Model: pass",
        b"Model: type",
        b"other.Model = 1",
        b"import Model.net as net",
        b"class Model(: pass",
        b"print 'two'",
        b"class Model: pass\n\0",
        b"name = '\xe9'\nclass Model: pass",
        b"# coding: no-such-coding\nclass Model: pass",
        b"# coding: rot13\nclass Model: pass",
        b"(" * 100_000,
        b"-" * 400_000 + b"1",
        b"+".join([b"1"] * 200_000),
        b"a" + b".b" * 400_000,
        b"#" * (2**20 + 1),
    ],
)
def test_other_sources_are_refused(tmp_path: Path, source: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        check(packaged(tmp_path, source), TRACK)

    assert caught.value.code == "invalid_config"
    render_all(caught.value.findings)


def test_a_syntax_error_is_placed(tmp_path: Path) -> None:
    with pytest.raises(Rejected) as caught:
        check(packaged(tmp_path, b"import os\n\nclass Model(:\n"), TRACK)

    assert "line 3" in str(caught.value.findings[0].facts["why"])


def test_classes_with_another_name_are_placed(tmp_path: Path) -> None:
    with pytest.raises(Rejected) as caught:
        check(packaged(tmp_path, b"import os\nclass Net: pass\n"), TRACK)

    assert "Net (line 2)" in str(caught.value.findings[0].facts["why"])


def test_source_is_never_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"

    check(packaged(tmp_path, f"open({str(ran)!r}, 'w')\nclass Model: pass".encode()), TRACK)

    assert not ran.exists()
