"""The packages whose versions decide scores: pinned in env.txt, installed, and told apart."""

import sys
from importlib import metadata
from pathlib import Path

import pytest

from scoring import environment
from scoring.contracts import digest_of
from scoring.environment import (
    DECISIVE,
    OF_THE_CHILD,
    canonical,
    entry_environment,
    installed_environment,
    known,
    lack_of,
    missing_among,
    package_of,
    pins,
    unfit_pins,
    unpinned_packages,
    used_in,
    why_not_here,
)
from tests.environments import pretend_installed
from tests.test_import_rules import files_below, imports_of

PINS = "\n".join(f"{name}==1.{number}" for number, name in enumerate(DECISIVE))


@pytest.fixture
def env_txt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of an env.txt that is not there yet, with no other environment."""
    file = tmp_path / "env.txt"
    monkeypatch.setattr(environment, "ENV_FILE", file)
    monkeypatch.setattr(environment, "SHIPPED", tmp_path / "shipped")
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


def test_of_a_module_that_is_lacking_it_is_told_which_list_has_its_package(env_txt: Path) -> None:
    env_txt.write_text("numpy==2.0\n")
    environment.SHIPPED.mkdir()
    (environment.SHIPPED / "large-1.txt").write_text("scikit_image==0.26\n")

    assert lack_of("skimage", "default") == {
        "module": "skimage",
        "at": "",
        "why": "they can import what env.txt lists (tracks with the environment large-1 have scikit-image 0.26)",
    }
    assert lack_of("numpy", "large-1")["why"] == (
        "they can import what large-1.txt lists (tracks without an environment have numpy 2.0)"
    )


def test_each_package_is_known_by_a_module_that_is_imported_of_it() -> None:
    """Packages whose module has another name are in a table: found here by what is installed."""
    pinned = set(pins() or {})
    imported = {
        (module, canonical(package))
        for module, packages in metadata.packages_distributions().items()
        for package in packages
    }

    known = {package for module, package in imported if package_of(module) == package}

    assert pinned & {package for _, package in imported} - known == set()


def test_without_env_txt_the_environment_is_what_is_installed(env_txt: Path) -> None:
    assert entry_environment() == installed_environment()


def test_what_env_txt_pins_is_installed_here() -> None:
    assert set(used_in("default", entry_environment())) == set(DECISIVE)
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


# --- environments of their own -------------------------------------------------------------------

OWN = "gpu-2027.1"


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch, env_txt: Path, tmp_path: Path) -> None:
    """Let env.txt pin the one package that our child needs."""
    monkeypatch.setattr(environment, "OF_THE_CHILD", ("torch",))
    monkeypatch.setenv("PODIUM_ENVIRONMENTS", str(tmp_path / "environments"))
    env_txt.write_text("torch==2.13.0\nnumpy==2.4.6\n")


def pin(text: str, name: str = OWN) -> None:
    environment.folder().mkdir(exist_ok=True)
    (environment.folder() / f"{name}.txt").write_text(text)


def install(**versions: str) -> None:
    pretend_installed(environment.home_of(OWN), versions)


@pytest.mark.usefixtures("child")
class TestOwn:
    """Environments beside the default one."""

    def test_without_any_there_is_the_default_one(self) -> None:
        assert known() == ()
        assert why_not_here("default") == ""
        assert pins("default") == {"torch": "2.13.0", "numpy": "2.4.6"}

    def test_it_is_named_after_its_file(self) -> None:
        pin("torch==2.13.0\n")
        pin("torch==2.13.0\n", name="Not A Name")

        assert known() == (OWN,)
        assert pins(OWN) == {"torch": "2.13.0"}

    def test_what_ships_with_podium_cannot_be_replaced(self) -> None:
        environment.SHIPPED.mkdir()
        (environment.SHIPPED / f"{OWN}.txt").write_text("torch==2.13.0\neinops==0.8.2\n")
        pin("torch==2.13.0\n")

        assert pins(OWN) == {"torch": "2.13.0", "einops": "0.8.2"}

    @pytest.mark.parametrize("name", ["../secret", "a/b", "..", "", "Upper", "a b", "-a"])
    def test_a_name_leads_to_no_other_file(self, name: str, tmp_path: Path) -> None:
        (tmp_path / "secret.txt").write_text("torch==2.13.0\n")
        environment.folder().mkdir()

        assert environment.file_of(name) is None
        assert pins(name) is None

    def test_it_is_ready_where_exactly_what_is_pinned_is_installed(self) -> None:
        pin("torch==2.13.0\neinops==0.8.2\n")
        install(torch="2.13.0+cpu", einops="0.8.2")

        assert why_not_here(OWN) == ""
        assert f"{OWN}.txt" in installed_environment()

    def test_what_torch_brings_for_its_hardware_is_no_difference(self) -> None:
        pin("torch==2.13.0\n")
        install(**{"torch": "2.13.0", "nvidia-cublas-cu13": "13.1", "triton": "3.5"})

        assert why_not_here(OWN) == ""

    @pytest.mark.parametrize(
        ("versions", "why"),
        [
            ({"torch": "2.13.0"}, "einops 0.8.2 is pinned, no version is installed"),
            ({"torch": "2.13.0", "einops": "0.7.0"}, "einops 0.8.2 is pinned, 0.7.0 is installed"),
            ({"torch": "2.13.0", "einops": "0.8.2", "extra": "1"}, "extra 1 is installed and not pinned"),
        ],
    )
    def test_it_serves_nobody_where_it_is_not_as_pinned(self, versions: dict[str, str], why: str) -> None:
        pin("torch==2.13.0\neinops==0.8.2\n")
        install(**versions)

        assert why_not_here(OWN) == (
            f"the environment “{OWN}” is not as pinned: {why}; run `podium environment install {OWN}` again"
        )
        assert f"{OWN}.txt" not in installed_environment()

    def test_one_that_is_not_installed_names_the_command(self) -> None:
        pin("torch==2.13.0\n")

        assert f"run `podium environment install {OWN}`" in why_not_here(OWN)
        assert f"{OWN}.txt" in entry_environment()
        assert f"{OWN}.txt" not in installed_environment()

    def test_one_that_is_not_known_names_the_list_that_is_needed(self) -> None:
        assert f"run `podium environment install {OWN} --from FILE`" in why_not_here(OWN)

    def test_one_made_with_another_python_is_not_as_pinned(self) -> None:
        pin("torch==2.13.0\n")
        environment.home_of(OWN).mkdir()

        assert "it was not made with Podium's Python" in why_not_here(OWN)

    @pytest.mark.parametrize(
        ("text", "found"), [("torch==2.9.1\n", "2.9.1"), ("einops==0.8.2\n", "leave it out")]
    )
    def test_it_pins_what_the_child_needs_as_env_txt_does(self, text: str, found: str) -> None:
        pin(text)

        assert why_not_here(OWN) == (
            f"the environment “{OWN}” does not fit this release of Podium: "
            f"it must pin torch==2.13.0, as env.txt does, not {found}"
        )

    def test_without_env_txt_the_child_needs_what_is_installed(self, env_txt: Path) -> None:
        env_txt.unlink()

        (why,) = unfit_pins({"torch": "0.1"})

        assert f"torch=={installed_environment()['torch']}" in why

    def test_its_digest_stands_for_what_is_pinned_and_nothing_else(self) -> None:
        pin("torch==2.13.0\neinops==0.8.2\n")
        before = entry_environment()[f"{OWN}.txt"]
        pin("# Of the spring.\nEinops==0.8.2\ntorch==2.13.0\n")
        same = entry_environment()[f"{OWN}.txt"]
        pin("torch==2.13.0\neinops==0.8.3\n")

        assert before == same == digest_of({"einops": "0.8.2", "torch": "2.13.0"})
        assert entry_environment()[f"{OWN}.txt"] != before

    def test_a_track_depends_on_its_own_environment_alone(self) -> None:
        versions = {"torch": "2.13.0", f"{OWN}.txt": "sha256:1", "other.txt": "sha256:2"}

        assert used_in(OWN, versions) == {"torch": "2.13.0", f"{OWN}.txt": "sha256:1"}
        assert used_in("default", versions) == {"torch": "2.13.0"}

    def test_of_packages_and_environments_the_missing_environments_are_named(self) -> None:
        pin("torch==2.13.0\n")

        assert list(missing_among(["torch", f"{OWN}.txt"])) == [f"{OWN}.txt"]


def test_each_environment_that_ships_can_run_entries_and_has_what_env_txt_has() -> None:
    shipped = [environment.pins_of(file.read_text("utf-8")) for file in environment.SHIPPED.glob("*.txt")]

    assert shipped
    for pinned in shipped:
        assert unfit_pins(pinned) == ()
        assert dict(pins() or {}).items() <= pinned.items()


def test_the_child_s_packages_are_those_that_its_code_imports() -> None:
    modules = {
        name.partition(".")[0] for file in files_below("scoring/sandboxed") for name in imports_of(file)
    }
    foreign = modules - set(sys.stdlib_module_names) - {"scoring", "qai_hub_models", "outside"}
    distributions = {canonical(metadata.packages_distributions()[module][0]) for module in foreign}

    assert distributions <= set(OF_THE_CHILD)
