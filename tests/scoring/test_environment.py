"""The packages whose versions decide scores: pinned in env.txt, installed, and told apart."""

from pathlib import Path

import pytest

from scoring import environment
from scoring.environment import DECISIVE, entry_environment, installed_environment, unpinned_packages

PINS = "\n".join(f"{name}==1.{number}" for number, name in enumerate(DECISIVE))


@pytest.fixture
def env_txt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of an env.txt that is not there yet."""
    file = tmp_path / "env.txt"
    monkeypatch.setattr(environment, "ENV_FILE", file)
    return file


def test_the_environment_holds_the_decisive_pins_alone(env_txt: Path) -> None:
    env_txt.write_text(f"# packages\nDjango==5.2\n{PINS}\n")

    assert entry_environment() == {name: f"1.{number}" for number, name in enumerate(DECISIVE)}


def test_names_are_compared_as_pip_compares_them(env_txt: Path) -> None:
    env_txt.write_text("OpenCV_python.headless==5.0\n")

    assert entry_environment() == {"opencv-python-headless": "5.0"}


def test_a_local_label_names_a_build_of_the_same_release(env_txt: Path) -> None:
    env_txt.write_text("torch==2.13.0+cpu\n")

    assert entry_environment() == {"torch": "2.13.0"}


def test_without_env_txt_the_environment_is_what_is_installed(env_txt: Path) -> None:
    assert entry_environment() == installed_environment()


def test_what_env_txt_pins_is_installed_here() -> None:
    assert set(entry_environment()) == set(DECISIVE)
    assert unpinned_packages() == ()


def test_another_installed_version_is_named(env_txt: Path) -> None:
    env_txt.write_text("numpy==0.0.1\n")

    assert unpinned_packages() == (
        f"env.txt pins numpy 0.0.1; {installed_environment()['numpy']} is installed",
    )


def test_a_package_that_is_not_installed_is_named(env_txt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env_txt.write_text("numpy==0.0.1\n")
    monkeypatch.setattr(environment, "installed", lambda name: None)

    assert unpinned_packages() == ("env.txt pins numpy 0.0.1; nothing is installed",)
