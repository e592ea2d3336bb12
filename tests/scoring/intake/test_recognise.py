"""Recognition: exactly one allowed format, or a refusal that says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from scoring.contracts import Format, Unpacked, UnpackedFile
from scoring.errors import Rejected, render_all
from scoring.intake.recognise import recognise
from scoring.packages import FORMATS

BOTH = (Format.CVPR_ZIP, Format.ONNX)


@pytest.fixture(autouse=True)
def _a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Formats may look into the files that they name."""
    monkeypatch.chdir(tmp_path)


def unpacked(*paths: str) -> Unpacked:
    for path in paths:
        file = Path("root") / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes(10))
    files = tuple(UnpackedFile(path=path, size=10) for path in paths)
    return Unpacked(root=Path("root"), files=files, package_bytes=10 * len(files))


def refusal(*paths: str, allowed: tuple[Format, ...] = BOTH) -> Rejected:
    with pytest.raises(Rejected) as caught:
        recognise(unpacked(*paths), allowed=allowed, formats=FORMATS)
    render_all(caught.value.findings)
    return caught.value


def test_model_py_at_the_root_is_a_cvpr_zip() -> None:
    package = recognise(unpacked("model.py", "w.pth"), allowed=BOTH, formats=FORMATS)

    assert (package.format, package.main, package.package_bytes) == (Format.CVPR_ZIP, "model.py", 20)
    assert package.root == Path("root")


def test_a_single_onnx_file_is_an_onnx_package() -> None:
    package = recognise(unpacked("deep/net.onnx", "deep/w.bin"), allowed=BOTH, formats=FORMATS)

    assert (package.format, package.main) == (Format.ONNX, "deep/net.onnx")


def test_only_allowed_formats_compete() -> None:
    package = recognise(unpacked("model.py", "part.onnx"), allowed=(Format.CVPR_ZIP,), formats=FORMATS)

    assert package.format == Format.CVPR_ZIP


def test_why_it_is_none_of_the_others_is_said_of_each() -> None:
    package = recognise(unpacked("model.py", "part.onnx"), allowed=(Format.CVPR_ZIP,), formats=FORMATS)

    assert set(package.not_formats) == set(Format) - {Format.CVPR_ZIP}
    assert package.not_formats["onnx"] == "this track does not accept it"
    assert "model_config.yaml" in package.not_formats["gasbench"]


def test_two_allowed_formats_are_ambiguous() -> None:
    caught = refusal("model.py", "net.onnx")

    assert caught.code == "ambiguous_format"
    assert caught.findings[0].facts == {"formats": "cvpr-zip, onnx"}


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (("model.py", "model_config.yaml"), Format.GASBENCH),
        (("model.py", "mochi.json"), Format.BYOM),
        (("model.py", "export_artifacts/manifest.json"), Format.BYOM),
    ],
)
def test_a_configuration_of_its_own_tells_a_format_from_one_that_asks_for_model_py_alone(
    paths: tuple[str, ...], expected: Format
) -> None:
    assert recognise(unpacked(*paths), allowed=tuple(Format), formats=FORMATS).format is expected
    assert refusal(*paths, allowed=(Format.ONNX,)).findings[0].facts["found"] == expected.value
    plain = recognise(unpacked(*paths), allowed=(Format.CVPR_ZIP,), formats=FORMATS)
    assert plain.format is Format.CVPR_ZIP


def test_model_py_that_names_the_library_is_an_ai_hub_folder() -> None:
    entry = unpacked("model.py")
    (entry.root / "model.py").write_text("from qai_hub_models.utils.base_model import BaseModel")

    assert recognise(entry, allowed=tuple(Format), formats=FORMATS).format is Format.QAIHUB


def test_what_an_entry_lacks_to_be_an_allowed_format_is_said_where_it_looks_like_another() -> None:
    caught = refusal("model.py", "model.safetensors", allowed=(Format.GASBENCH,))

    assert [(finding.code, finding.path) for finding in caught.findings] == [
        ("format_not_allowed", ""),
        ("missing_file", "model_config.yaml"),
    ]


def test_a_format_the_track_does_not_take_is_named() -> None:
    caught = refusal("net.onnx", allowed=(Format.CVPR_ZIP,))

    assert caught.code == "format_not_allowed"
    assert caught.findings[0].facts == {"found": "onnx", "allowed": "cvpr-zip"}


@pytest.mark.parametrize("paths", [("readme.txt",), ("a.onnx", "b.onnx"), ("__MACOSX/model.py",), ()])
def test_other_entries_are_not_recognised(paths: tuple[str, ...]) -> None:
    assert refusal(*paths).code == "unrecognised_format"


def test_the_refusal_gives_a_reason_for_each_allowed_format() -> None:
    why = str(refusal("a.onnx", "b.onnx").findings[0].facts["why"])

    assert "cvpr-zip: " in why
    assert "onnx: it has 2 .onnx files" in why


def test_a_model_py_that_lies_too_deep_is_pointed_out() -> None:
    caught = refusal("a/b/model.py", "a/b/w.pth")

    assert [finding.code for finding in caught.findings] == ["unrecognised_format", "missing_file"]
    assert caught.findings[1].path == "a/b/model.py"
