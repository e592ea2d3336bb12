"""requirements.txt of a qaihub package, read as pip reads it and compared with env.txt."""

from importlib import metadata
from pathlib import Path

import pytest

from scoring.contracts import Finding
from scoring.packages.qaihub import requirements

INSTALLED = metadata.version("PyYAML")


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of an env.txt that is not there yet."""
    file = tmp_path / "env.txt"
    monkeypatch.setattr("scoring.environment.ENV_FILE", file)
    return file


def read(folder: Path, text: str) -> tuple[Finding, ...]:
    (folder / "requirements.txt").write_text(text, "utf-8")
    return requirements.read(folder)


def reasons(found: tuple[Finding, ...]) -> list[str]:
    return [str(finding.facts["why"]) for finding in found if finding.code == "unpinned_requirement"]


def differences(found: tuple[Finding, ...]) -> list[dict[str, object]]:
    return [dict(finding.facts) for finding in found if finding.code == "pins_differ"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"PyYAML=={INSTALLED}\t# a tab", id="tab before a comment"),
        pytest.param(f"\ufeffPyYAML=={INSTALLED}\n", id="byte order mark"),
        pytest.param(f"PyYAML\\\n=={INSTALLED}\n", id="line that goes on"),
        pytest.param(f"PyYAML=={INSTALLED} \\", id="line that goes on at the end"),
        pytest.param(f"PyYAML=={INSTALLED}\npyyaml=={INSTALLED}.0\n", id="one version twice"),
        pytest.param(f"PyYAML=={INSTALLED}\nPyYAML==0.1; sys_platform == 'cp/m'\n", id="for another system"),
    ],
)
def test_what_pip_reads_as_a_pin_is_one(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == ()


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("torch==2.13.0 --hash=sha256:aa\n", [1]),
        ("\ntorch==2.13.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\ntorch\n", [2, 5]),
        ("-r other.txt\n", [1]),
    ],
)
def test_options_are_one_finding_a_line(tmp_path: Path, text: str, lines: list[int]) -> None:
    found = reasons(read(tmp_path, text))

    assert [why.partition(":")[0] for why in found] == [f"line {number}" for number in lines]
    assert "option" in found[0]


def test_two_versions_of_a_package_contradict_each_other(tmp_path: Path) -> None:
    found = read(tmp_path, "Some_Package==1.0\nother==1\nsome-package==1.1\n")

    assert reasons(found) == ["some-package is pinned to 1.0 and 1.1; keep only one"]


@pytest.mark.parametrize(
    "line", ["torch>=2", "torch", "torch @ https://example.org/torch.whl", "git+https://example.org/torch"]
)
def test_a_line_that_is_no_pin_is_a_warning(tmp_path: Path, line: str) -> None:
    (found,) = read(tmp_path, f"{line}\n")

    assert (found.code, found.facts["why"]) == (
        "unpinned_requirement",
        f"line 1: “{line}” does not pin one version with ==",
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"\xff\xfe", "it is not UTF-8 text"), (b"#" * 65_537, "it is longer than 65,536 bytes")],
)
def test_a_file_that_cannot_be_read_is_a_warning(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "requirements.txt").write_bytes(content)

    assert reasons(requirements.read(tmp_path)) == [why]


def test_pins_are_compared_with_env_txt_and_not_with_what_is_installed(
    tmp_path: Path, environment: Path
) -> None:
    environment.write_text("# packages\npyyaml==0.0.1\nUn_installed.Package==3\n")

    found = read(tmp_path, f"PyYAML=={INSTALLED}\nun-installed-package==3\nnumpy==1.0\n")

    assert differences(found) == [
        {"asked": f"PyYAML=={INSTALLED}", "found": "PyYAML 0.0.1"},
        {"asked": "numpy==1.0", "found": "without it"},
    ]


@pytest.mark.parametrize(("build", "differs"), [("cpu", False), ("cu126", True)])
def test_a_build_is_compared_with_the_installed_one_of_the_same_release(
    tmp_path: Path, environment: Path, monkeypatch: pytest.MonkeyPatch, build: str, differs: bool
) -> None:
    environment.write_text("torch==2.13.0\n")
    monkeypatch.setattr(metadata, "version", {"torch": "2.13.0+cpu"}.__getitem__)

    assert bool(read(tmp_path, f"torch==2.13.0+{build}\n")) is differs


def test_without_env_txt_the_installed_versions_stand_in_and_the_note_says_so(
    tmp_path: Path, environment: Path
) -> None:
    found = read(tmp_path, f"PyYAML=={INSTALLED}\nnumpy==0.0.1\nno-such-package-anywhere==1\n")

    assert not environment.exists()
    assert [str(facts["found"]).partition(" (")[2] for facts in differences(found)] == [
        "as installed on this machine)"
    ] * 2
