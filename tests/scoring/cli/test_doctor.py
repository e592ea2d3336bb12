from pathlib import Path

import pytest

from scoring import environment
from scoring.cli import doctor
from tests.environments import pretend_installed


def named(name: str) -> doctor.Condition:
    return next(check for check in doctor.examine() if check.name == name)


def test_everything_is_looked_at_and_each_failure_has_a_remedy() -> None:
    checks = doctor.examine()

    names = [check.name for check in checks]
    assert {"bubblewrap", "sandbox", "system call filter", "memory watcher", "torch"} <= set(names)
    assert len(set(names)) == len(names)
    assert all(check.remedy for check in checks if not check.ok)


def test_a_machine_without_bubblewrap_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    check = named("bubblewrap")

    assert not check.ok
    assert "apt install bubblewrap" in check.remedy
    assert not named("sandbox").ok


def test_a_bubblewrap_that_fails_is_told_in_its_own_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    check = named("sandbox")

    assert not check.ok
    assert "No permissions to create new namespace" in check.found


def test_a_package_of_another_version_than_participants_read_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "env.txt").write_text("numpy==0.0.1\n")
    monkeypatch.setattr("scoring.environment.ENV_FILE", tmp_path / "env.txt")

    check = named("numpy")

    assert not check.ok
    assert "0.0.1 in env.txt" in check.found


def test_a_machine_that_works_for_no_site_has_no_database_to_compare_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)

    assert {"clock", "database"}.isdisjoint(check.name for check in doctor.examine())


@pytest.mark.parametrize(("minutes", "word"), [(0, ""), (5, "ahead of"), (-5, "behind")])
def test_a_clock_that_is_not_the_database_s_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, minutes: int, word: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "from datetime import timedelta\n"
        "from django.utils import timezone\n"
        "right = timezone.now\n"
        f"timezone.now = lambda: right() + timedelta(minutes={minutes})\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'site.sqlite3'}")

    check = named("clock")

    assert check.ok == (minutes == 0)
    assert check.found.startswith(("299", "300") if minutes else "0.")
    assert word in check.found


def test_a_database_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://nobody@%2Fnowhere/none")

    assert not named("database").ok


def test_an_environment_that_is_not_installed_is_told_and_no_failure(own_environment: str) -> None:
    check = named(f"environment {own_environment}")

    assert check.ok
    assert f"`podium environment install {own_environment}`" in check.found


def test_an_environment_that_is_not_as_pinned_fails(own_environment: str) -> None:
    pretend_installed(environment.home_of(own_environment), {"torch": "0.1"})

    check = named(f"environment {own_environment}")

    assert not check.ok
    assert "0.1 is installed" in check.found
    assert f"podium environment install {own_environment}" in check.remedy


def test_an_environment_that_is_installed_is_told_with_its_packages(own_environment: str) -> None:
    pinned = environment.pins(own_environment)
    pretend_installed(environment.home_of(own_environment), pinned)

    check = named(f"environment {own_environment}")

    assert check.ok
    assert check.found == f"{len(pinned)} packages in {environment.home_of(own_environment)}"
