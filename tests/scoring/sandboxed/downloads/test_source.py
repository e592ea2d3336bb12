"""Where the file lies that a model asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from scoring.sandboxed.downloads import Brought, NotBrought, url_source
from scoring.sandboxed.missing import missed_by


def brought(root: Path, *paths: str) -> Brought:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return Brought(root)


def unused(to: Path) -> None:
    raise AssertionError("nothing is downloaded in a sandbox")


@pytest.mark.parametrize(
    ("files", "found"),
    [
        pytest.param(["net-1a2b.pth"], "net-1a2b.pth", id="beside model.py"),
        pytest.param(["weights/net-1a2b.pth"], "weights/net-1a2b.pth", id="weights"),
        pytest.param(
            ["hub/checkpoints/net-1a2b.pth"], "hub/checkpoints/net-1a2b.pth", id="torch's own place"
        ),
        pytest.param(["a/b/net-1a2b.pth"], "a/b/net-1a2b.pth", id="anywhere"),
        pytest.param(["a/net-1a2b.pth", "weights/net-1a2b.pth"], "weights/net-1a2b.pth", id="weights first"),
        pytest.param(
            ["weights/net-1a2b.pth", "b/models/net-1a2b.pth"], "b/models/net-1a2b.pth", id="path first"
        ),
        pytest.param(["b/a/net-1a2b.pth", "c/net-1a2b.pth"], "c/net-1a2b.pth", id="uppermost"),
    ],
)
def test_a_file_is_found_by_its_name_and_as_much_of_its_path_as_there_is(
    tmp_path: Path, files: list[str], found: str
) -> None:
    source = brought(tmp_path, *files)

    assert source.get("example.org/models/net-1a2b.pth", unused) == tmp_path / found


def test_of_two_repositories_each_has_its_own_file(tmp_path: Path) -> None:
    source = brought(tmp_path, "weights/a/one/model.safetensors", "weights/a/two/model.safetensors")

    assert source.get("a/two/model.safetensors", unused).parent.name == "two"


@pytest.mark.parametrize("asked", ["example.org/other.pth", "", "example.org/weights"])
def test_what_is_not_there_is_told_as_it_was_asked_for(tmp_path: Path, asked: str) -> None:
    with pytest.raises(NotBrought) as refused:
        brought(tmp_path, "weights/net.pth").get(asked, unused)

    assert refused.value.asked == asked


def test_a_clone_is_found_by_the_repositorys_name(tmp_path: Path) -> None:
    source = brought(tmp_path, "a/b/Net/net.py", "external_repos/Net/net.py")

    assert source.clone("https://example.org/owner/Net.git", "1a2b") == tmp_path / "external_repos" / "Net"
    with pytest.raises(NotBrought, match=r"example\.org/owner/Other at 1a2b"):
        source.clone("https://example.org/owner/Other", "1a2b")


def test_an_address_is_known_by_host_and_path() -> None:
    assert url_source("https://example.org/a%20b/net.pth?download=true#x") == "example.org/a b/net.pth"


def test_of_several_names_that_were_tried_the_checkpoint_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ["a/net/config.json", "a/net/model.safetensors", "a/net/pytorch_model.bin", "b/other/model.bin"]
    monkeypatch.setattr("scoring.sandboxed.missing.MISSED", asked)

    assert missed_by([OSError("a/net does not appear to have a file")]) == "a/net/model.safetensors"
    assert missed_by([OSError("something else")]) is None


def test_what_an_exception_itself_says_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scoring.sandboxed.missing.MISSED", [])

    assert missed_by([ValueError("x"), NotBrought("b/scale.json")]) == "b/scale.json"
