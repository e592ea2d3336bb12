from pathlib import Path

import pytest

from scoring.cli import doctor


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
