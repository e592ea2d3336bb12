"""How the page of a track tells to start: commands that can be typed, and the kit's own model.py."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse

from competition.client_wheel import client_wheel
from competition.tracks.documents import as_json
from competition.tracks.first_steps import example_of, first_steps
from competition.tracks.starter_kit import folder_for
from competition.tracks.templatetags.podium import command
from scoring.contracts import Format
from scoring.tracks import load_track

SERVER = "https://podium.example/"
WHEEL = "/pip/podium-1.0+abc-py3-none-any.whl"


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    folder = tmp_path / "kit"
    (folder / "entry").mkdir(parents=True)
    (folder / "entry" / "model.py").write_text("import torch  # <kit>\n")
    return folder


@pytest.fixture
def spec():
    return replace(load_track("gasbench-image").spec, slug="real-or-not")


def test_commands_carry_the_sites_own_addresses(spec, kit: Path) -> None:
    steps = first_steps(spec, kit, server=SERVER, wheel=WHEEL)

    assert steps.install == (
        f'pip install "podium[check] @ https://podium.example{WHEEL}" --constraint https://podium.example/env.txt',
    )
    assert steps.fetch == (
        "curl -fo real-or-not.yaml https://podium.example/tracks/real-or-not/track.yaml",
        "curl -fo real-or-not-starter-kit.zip https://podium.example/tracks/real-or-not/starter-kit.zip",
        "unzip real-or-not-starter-kit.zip -d real-or-not",
    )
    assert steps.attempt[0] == "podium check real-or-not/entry --track real-or-not.yaml"
    assert steps.upload == (
        "podium pack real-or-not/entry -o entry.zip",
        "podium login --server https://podium.example",
        "podium submit entry.zip --track real-or-not",
    )


def test_a_kit_with_samples_is_scored_on_them(spec, kit: Path) -> None:
    (kit / "sample-data").mkdir()

    steps = first_steps(spec, kit, server=SERVER, wheel=WHEEL)

    assert steps.attempt[1].endswith("--data real-or-not/sample-data")
    assert not steps.needs_data


def test_a_kit_without_samples_needs_data_of_ones_own(spec, kit: Path) -> None:
    steps = first_steps(spec, kit, server=SERVER, wheel=WHEEL)

    assert steps.attempt[1].endswith("--data DATA")
    assert steps.needs_data


def test_without_a_kit_the_entry_is_ones_own_folder(spec) -> None:
    steps = first_steps(spec, None, server=SERVER, wheel=WHEEL)

    assert len(steps.fetch) == 1
    assert steps.attempt[0] == "podium check entry --track real-or-not.yaml"


def test_the_first_format_says_what_is_uploaded(spec) -> None:
    byom = replace(spec, formats=(Format.BYOM, Format.ONNX))

    steps = first_steps(byom, None, server=SERVER, wheel=WHEEL)

    assert steps.upload[0] == "podium pack entry -o entry.tar.gz"
    assert steps.upload[2].startswith("podium submit entry.tar.gz ")


def test_the_example_is_the_kits_own_file(kit: Path) -> None:
    assert example_of(kit) == "import torch  # <kit>\n"


def test_a_kit_without_a_model_py_gives_no_example(kit: Path) -> None:
    (kit / "entry" / "model.py").unlink()

    assert (example_of(kit), example_of(None)) == ("", "")


@pytest.mark.django_db
@pytest.mark.parametrize("preset", ["gasbench-image", "gasbench-video", "gasbench-audio"])
def test_the_page_of_a_gasbench_track_shows_the_kits_model(client, make_track, preset: str) -> None:
    document = as_json(load_track(preset))
    track = make_track(document.pop("slug"), **document)

    response = client.get(track.get_absolute_url())

    own = Path(settings.BASE_DIR, "docs", "starter-kits", preset, "entry", "model.py").read_text("utf-8")
    assert folder_for(track.spec()) is not None
    assert response.context["example_model"] == own
    assert "def load_model" in response.content.decode()


@pytest.mark.django_db
def test_the_page_shows_the_commands(client, make_track) -> None:
    track = make_track("my-own", output__width=101)

    text = client.get(track.get_absolute_url()).content.decode()

    assert command("podium check entry --track my-own.yaml") in text
    assert command("podium login --server http://testserver") in text
    assert command("podium submit entry.zip --track my-own") in text
    assert client_wheel().filename in text
    assert reverse("track-yaml", args=[track.slug]) in text
