"""The wheel that the site serves: whole, of the site's own code, and small enough to install in a moment."""

import hashlib
import os
import subprocess
import sys
import zipfile
from base64 import urlsafe_b64decode
from importlib import metadata
from io import BytesIO

import pytest
from django.urls import reverse

from competition.client_wheel import ROOT, client_wheel


@pytest.fixture(scope="module")
def archive():
    return zipfile.ZipFile(BytesIO(client_wheel().content))


def test_every_file_has_the_digest_that_the_record_says(archive):
    record = next(name for name in archive.namelist() if name.endswith("/RECORD"))
    rows = [line.rsplit(",", 2) for line in archive.read(record).decode().splitlines()]

    assert {name for name, *_ in rows} == set(archive.namelist())
    for name, digest, size in rows:
        if name != record:
            body = archive.read(name)
            padded = digest.removeprefix("sha256=") + "="
            assert (urlsafe_b64decode(padded), int(size)) == (hashlib.sha256(body).digest(), len(body))


def test_equal_code_gives_equal_bytes_and_names_its_version(archive):
    first = client_wheel()
    client_wheel.cache_clear()

    assert client_wheel() == first
    described = next(name for name in archive.namelist() if name.endswith("/METADATA"))
    version = first.filename.split("-")[1]
    assert f"\nVersion: {version}\n" in archive.read(described).decode()


def test_what_a_build_left_in_the_checkout_serves_as_well(archive, tmp_path, monkeypatch):
    installed = metadata.distribution("podium")
    left = tmp_path / "podium.egg-info"
    left.mkdir()
    (left / "PKG-INFO").write_text(installed.metadata.as_string())
    (left / "entry_points.txt").write_text(
        "".join(f"[{point.group}]\n{point.name} = {point.value}\n" for point in installed.entry_points)
    )
    monkeypatch.setattr(
        "competition.client_wheel.metadata.distribution", lambda name: metadata.PathDistribution(left)
    )
    client_wheel.cache_clear()

    with zipfile.ZipFile(BytesIO(client_wheel().content)) as made:
        described = next(name for name in made.namelist() if name.endswith("/METADATA"))
        assert b"\nVersion: " in made.read(described)
        assert b"podium = " in made.read(described.replace("METADATA", "entry_points.txt"))
    client_wheel.cache_clear()


def test_it_has_the_presets_and_no_part_of_the_site(archive):
    names = archive.namelist()

    assert any(name.startswith("scoring/presets/") for name in names)
    assert [
        name for name in names if name.startswith(("competition", "scoring/worker")) or "pycache" in name
    ] == []


def test_pip_installs_it_and_the_command_runs(tmp_path):
    made = client_wheel()
    (tmp_path / made.filename).write_bytes(made.content)
    target = tmp_path / "installed"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
    ]
    subprocess.run([*pip, "--target", target, tmp_path / made.filename], check=True, timeout=120)

    told = subprocess.run(
        [sys.executable, "-P", target / "bin" / "podium", "submit", "--help"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(target)},
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert "Upload an entry" in told.stdout, told.stderr
    assert (target / "scoring").is_dir()
    assert target != ROOT


@pytest.mark.django_db
def test_the_site_serves_it_under_the_name_that_pip_wants(client):
    made = client_wheel()

    answer = client.get(reverse("wheel", args=[made.filename]))

    assert answer.content == made.content
    assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.django_db
@pytest.mark.parametrize("filename", ["podium-0.0.1-py3-none-any.whl", "x.whl", "..%2Fsettings.py"])
def test_another_version_is_not_found(client, filename):
    assert client.get(f"/pip/{filename}").status_code == 404
