"""The secret key that is made at the first start, when several processes start together."""

from __future__ import annotations

import stat

from competition import settings


def test_the_key_is_made_before_its_file_appears(tmp_path, monkeypatch):
    """A process that finds the file reads the whole key."""
    monkeypatch.setattr(settings, "HOME", tmp_path / "home")
    monkeypatch.setattr(settings.env, "str", lambda name, default="": default)
    there = []

    def made(length):
        there.append((tmp_path / "home/secret.key").exists())
        return "k" * length

    monkeypatch.setattr(settings.secrets, "token_urlsafe", made)

    assert settings._secret_key() == "k" * 50
    assert there == [False]


def test_of_two_processes_that_start_together_the_first_decides(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "HOME", tmp_path)
    monkeypatch.setattr(settings.env, "str", lambda name, default="": default)

    def made_too_late(length):
        (tmp_path / "secret.key").write_text("the first")
        return "the second"

    monkeypatch.setattr(settings.secrets, "token_urlsafe", made_too_late)

    assert settings._secret_key() == "the first"


def test_nobody_else_can_read_the_key(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "HOME", tmp_path)
    monkeypatch.setattr(settings.env, "str", lambda name, default="": default)

    key = settings._secret_key()

    assert len(key) >= 50
    assert key == settings._secret_key()
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["secret.key"]
