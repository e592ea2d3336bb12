"""`podium environment`: real virtual environments, filled by pip from wheels that the test writes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from scoring import environment
from scoring.cli.app import app
from tests.environments import site_packages, write_wheel

pytestmark = pytest.mark.slow

NAME = "tiny-1.0"


@pytest.fixture(autouse=True)
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that pip finds all packages in; our child needs none of them."""
    monkeypatch.setattr(environment, "OF_THE_CHILD", ())
    monkeypatch.setattr(environment, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setenv("PODIUM_ENVIRONMENTS", str(tmp_path / "environments"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    write_wheel(tmp_path / "wheels", "colours", "1.0", source="RED = 'red'")
    write_wheel(tmp_path / "wheels", "shades", "2.0", source="import colours", requires=["colours"])
    return tmp_path / "wheels"


@pytest.fixture
def pins(tmp_path: Path) -> Path:
    """Return a list that pins all that its packages need."""
    file = tmp_path / "list.txt"
    file.write_text("# Colours.\nshades==2.0\ncolours==1.0\n")
    return file


def podium(*words: object) -> Result:
    return CliRunner().invoke(app, ["environment", *map(str, words)])


def test_a_list_becomes_an_environment_that_this_machine_knows(pins: Path) -> None:
    result = podium("install", NAME, "--from", pins)

    assert result.exit_code == 0, result.output
    assert environment.known() == (NAME,)
    assert environment.why_not_here(NAME) == ""
    python = environment.home_of(NAME) / "bin" / "python"
    told = subprocess.run(
        [python, "-c", "import shades, sys; print(shades.colours.RED, sys.prefix)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert told.split() == ["red", str(environment.home_of(NAME))]
    assert list(site_packages(environment.home_of(NAME)).glob("__pycache__/shades.*.pyc"))


def test_a_known_list_needs_no_file(pins: Path) -> None:
    environment.SHIPPED.mkdir()
    shutil.copyfile(pins, environment.SHIPPED / f"{NAME}.txt")

    assert podium("install", NAME).exit_code == 0
    assert environment.why_not_here(NAME) == ""
    assert not (environment.folder() / f"{NAME}.txt").exists()


def test_what_was_changed_by_hand_is_made_anew(pins: Path) -> None:
    podium("install", NAME, "--from", pins)
    shutil.rmtree(site_packages(environment.home_of(NAME)) / "colours-1.0.dist-info")
    assert environment.why_not_here(NAME)

    assert podium("install", NAME).exit_code == 0
    assert environment.why_not_here(NAME) == ""
    assert sorted(path.name for path in environment.folder().iterdir()) == [NAME, f"{NAME}.txt"]


def test_what_is_installed_as_pinned_is_left_alone(pins: Path) -> None:
    podium("install", NAME, "--from", pins)
    before = environment.home_of(NAME).stat()

    result = podium("install", NAME)

    assert "is installed as pinned" in result.output
    assert environment.home_of(NAME).stat() == before


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("shades==2.0\n", "has to pin all that its packages need: colours 1.0 is installed and not pinned"),
        ("colours==3.0\n", "No matching distribution found for colours==3.0"),
    ],
)
def test_a_list_that_cannot_be_installed_leaves_nothing_behind(pins: Path, text: str, why: str) -> None:
    pins.write_text(text)

    result = podium("install", NAME, "--from", pins)

    assert result.exit_code in {2, 3}
    assert why in result.output
    assert list(environment.folder().iterdir()) == []


def test_a_list_that_the_child_cannot_run_in_is_refused(pins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "OF_THE_CHILD", ("torch",))

    result = podium("install", NAME, "--from", pins)

    assert result.exit_code == 2
    assert "it must pin torch==" in result.output


@pytest.mark.parametrize("name", ["default", "../up", "Upper"])
def test_a_name_that_none_can_have_is_refused(pins: Path, name: str) -> None:
    assert podium("install", name, "--from", pins).exit_code == 2


def test_a_name_that_is_not_known_is_refused() -> None:
    result = podium("install", NAME)

    assert result.exit_code == 2
    assert f"no list named “{NAME}”" in result.output


def test_another_list_needs_another_name(pins: Path) -> None:
    podium("install", NAME, "--from", pins)
    pins.write_text("colours==1.0\n")

    result = podium("install", NAME, "--from", pins)

    assert result.exit_code == 2
    assert "pins other packages" in result.output


def test_the_list_of_environments_says_which_can_be_used(pins: Path) -> None:
    environment.folder().mkdir()
    shutil.copyfile(pins, environment.folder() / "ready.txt")
    shutil.copyfile(pins, environment.folder() / "waiting.txt")
    podium("install", "ready")

    told = podium("list").output

    assert "ready: installed, 2 packages" in told
    assert "run `podium environment install waiting`" in told
    assert "default: installed" in told
