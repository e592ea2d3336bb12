from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import pytest
from django.urls import reverse

from competition.tracks.starter_kit import folder_for
from scoring.contracts import Format, OutputContract, OutputKind
from scoring.tracks import load_track

pytestmark = pytest.mark.django_db


@pytest.fixture
def kit_track(make_track):
    return make_track("cvpr2022-track1", formats=[Format.CVPR_ZIP.value])


def address(track) -> str:
    return reverse("starter-kit", args=[track.slug])


def test_the_kit_of_a_track_is_a_zip_with_an_entry_and_how_to_check_it(client, kit_track):
    response = client.get(address(kit_track))

    names = zipfile.ZipFile(io.BytesIO(response.content)).namelist()
    assert response.headers["Content-Type"] == "application/zip"
    assert {"README.md", "entry/model.py", "sample-data/labels.csv"} <= set(names)


def test_the_kit_is_the_same_bytes_each_time(client, kit_track):
    assert client.get(address(kit_track)).content == client.get(address(kit_track)).content


def test_the_page_of_the_track_links_the_kit(client, kit_track):
    assert address(kit_track) in client.get(kit_track.get_absolute_url()).content.decode()


def test_a_kit_may_be_named_for_the_first_format(client, make_track, settings, tmp_path):
    settings.BASE_DIR = tmp_path
    kit = tmp_path / "docs" / "starter-kits" / "onnx"
    kit.mkdir(parents=True)
    (kit / "net.onnx").write_bytes(b"net")

    response = client.get(address(make_track("my-own", formats=["onnx", "cvpr-zip"])))

    assert zipfile.ZipFile(io.BytesIO(response.content)).namelist() == ["net.onnx"]


@pytest.mark.parametrize(
    "preset", ["gasbench-image", "gasbench-onnx-image", "byom-anomaly", "cvpr2022-track2"]
)
def test_a_track_that_asks_for_what_a_preset_asks_for_has_its_kit(preset):
    spec = load_track(preset).spec
    own = replace(spec, slug="my-own", output=replace(spec.output, class_names=()))

    assert folder_for(own).name == preset


@pytest.mark.parametrize(
    "other", [{"formats": (Format.ONNX,)}, {"output": OutputContract(kind=OutputKind.LOGITS, width=101)}]
)
def test_a_kit_of_another_contract_is_not_offered(other):
    spec = replace(load_track("cvpr2022-track1").spec, slug="my-own", **other)

    assert folder_for(spec) is None


def test_a_track_without_a_kit_says_so_and_offers_none(client, make_track):
    track = make_track("my-own", output__width=101)

    assert client.get(address(track)).status_code == 404
    assert "starter-kit.zip" not in client.get(track.get_absolute_url()).content.decode()


def test_an_installation_without_the_docs_offers_none(client, kit_track, settings, tmp_path):
    settings.BASE_DIR = tmp_path

    assert client.get(address(kit_track)).status_code == 404


def test_the_kit_of_a_track_that_is_not_open_cannot_be_fetched(client, kit_track):
    kit_track.is_open = False
    kit_track.save()

    assert client.get(address(kit_track)).status_code == 404


def test_a_kit_is_only_read(client, kit_track):
    assert client.post(address(kit_track)).status_code == 405
