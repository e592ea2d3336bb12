"""An organiser sets up a competition in the admin, in a real browser."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from pytest_django.live_server_helper import LiveServer

from competition.admin.organisers import organisers
from competition.tracks.models import Track
from tests.browser.chromium import executable, launch

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(executable() is None, reason="no Chromium on this machine"),
    pytest.mark.django_db(transaction=True),
]

PASSWORD = "a-long-password"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c6360000000020001e221bc330000000049454e44ae426082"
)
WIDTHS = (1280, 360)


@pytest.fixture
def site(settings, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """Serve the site with static files as they lie in their folders; playwright runs an event loop."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    storages = {**settings.STORAGES}
    storages["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = storages
    return live_server.url


@pytest.fixture
def organiser(db) -> User:
    user = User.objects.create_user("grace", password=PASSWORD, is_staff=True)
    user.groups.add(organisers())
    return user


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complains about: errors, and breaches of the Content-Security-Policy."""
    return []


@pytest.fixture
def page(site: str, organiser: User, complaints: list[str]) -> Iterator[object]:
    """A browser window in which the organiser is signed in."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, launch(playwright) as browser:
        window = browser.new_page(base_url=site, viewport={"width": 1280, "height": 900})
        window.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        window.on("pageerror", lambda error: complaints.append(str(error)))
        window.goto("/admin/")
        window.get_by_label("Login").fill(organiser.username)
        window.get_by_label("Password").fill(PASSWORD)
        window.get_by_role("button", name="Sign in").click()
        window.wait_for_url("**/admin/")
        yield window


@pytest.fixture
def dataset_zip(tmp_path: Path) -> Path:
    """Four images of two classes, as an organiser would zip them."""
    path = tmp_path / "hidden.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("labels.csv", "file,label\n0.png,0\n1.png,1\n2.png,0\n3.png,1\n")
        for number in range(4):
            archive.writestr(f"{number}.png", PNG)
    return path


def failed_checks(page) -> list[str]:
    page.locator(".podium-checks").wait_for()
    return page.locator(".podium-checks .is-failed strong").all_inner_texts()


def fill_track(page) -> None:
    page.goto("/admin/tracks/track/add/")
    page.get_by_label("Competition:").select_option(label="Winter challenge")
    page.get_by_label("Name:", exact=True).fill("Cats or dogs")
    page.get_by_label("onnx: one .onnx file").check()
    page.get_by_label("Output kind:").select_option("logits")
    page.get_by_label("Metric:", exact=True).select_option("accuracy")
    page.get_by_label("Output width:").fill("2")
    page.get_by_label("Max parameters:").fill("30M")
    page.locator("summary", has_text="Basics").press("Enter")
    page.get_by_label("Rules:").fill("One **model** each.")
    page.get_by_role("button", name="Save and continue editing").first.click()


def test_an_organiser_sets_up_a_track_from_nothing(page, complaints: list[str], dataset_zip: Path) -> None:
    page.goto("/admin/tracks/competition/add/")
    page.get_by_label("Name:").press_sequentially("Winter challenge")
    page.get_by_role("button", name="Save", exact=True).click()
    fill_track(page)
    lacking = failed_checks(page)

    page.get_by_role("link", name="Import dataset…").click()
    page.get_by_label("Zip:").set_input_files(dataset_zip)
    page.get_by_role("button", name="Import").click()
    ready = failed_checks(page)

    page.get_by_role("link", name="Open…").click()
    page.get_by_role("button", name="Open").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Export submissions (CSV)").click()

    track = Track.objects.get()
    assert (lacking, ready) == (["Dataset"], [])
    assert (track.slug, track.is_open, track.spec().budgets.max_parameters, track.dataset.samples) == (
        "cats-or-dogs",
        True,
        30_000_000,
        4,
    )
    with Path(download.value.path()).open(newline="", encoding="utf-8-sig") as stream:
        assert next(csv.reader(stream))[:2] == ["submission", "participant"]
    assert complaints == []


def test_an_organiser_shares_a_competition(page, complaints: list[str]) -> None:
    User.objects.create_user("eve", is_staff=True)
    page.goto("/admin/")
    waits = page.locator(".podium-waits")
    asked_to = waits.inner_text()

    waits.get_by_role("link", name="create a competition").click()
    page.get_by_label("Name:").press_sequentially("Winter challenge")
    page.get_by_role("button", name="Save and continue editing").click()
    page.get_by_label("Add organisers:").fill("eve")
    page.get_by_role("button", name="Save and continue editing").click()

    assert "grace" in asked_to
    assert [page.get_by_role("checkbox", name=name).is_checked() for name in ("grace", "eve")] == [True, True]
    assert waits.count() == 0
    assert complaints == []


def test_a_wrong_field_is_explained_beside_it(page, complaints: list[str]) -> None:
    page.goto("/admin/tracks/competition/add/")
    page.get_by_label("Name:").press_sequentially("Winter challenge")
    page.get_by_role("button", name="Save", exact=True).click()
    fill_track(page)
    page.get_by_label("Max parameters:").fill("a lot")
    page.get_by_role("button", name="Save", exact=True).first.click()

    assert "is not a number" in page.locator(".field-budgets_max_parameters .errorlist").inner_text()
    assert complaints == []


def shown(page, *names: str) -> list[bool]:
    return [page.locator(f"#id_{name}").is_visible() for name in names]


def test_what_means_nothing_for_the_chosen_kind_is_folded_away(page, complaints: list[str]) -> None:
    page.goto("/admin/tracks/track/add/")
    for summary in page.locator("summary").all():
        summary.press("Enter")
    boxes = ["input_shape_frames", "input_shape_height", "input_shape_samples"]
    others = ["input_frame_rate", "input_sample_rate", "input_fit"]
    seconds = ["quantisation_max_drop_points"]

    of_pictures = shown(page, *boxes, *others, *seconds)
    page.get_by_label("Reader:").select_option("video")
    of_video = shown(page, *boxes, *others)
    page.get_by_label("Reader:").select_option("audio")
    of_sound = shown(page, *boxes, *others)
    page.get_by_label("Output kind:").select_option("boxes")
    of_boxes = shown(page, "output_width", "output_classes", "output_box_layout")
    page.get_by_role("checkbox", name="Quantisation").check()

    assert of_pictures == [False, True, False, False, False, True, False]
    assert of_video == [True, True, False, True, False, True]
    assert of_sound == [False, False, True, False, True, False]
    assert of_boxes == [False, True, True]
    assert shown(page, *seconds) == [True]
    assert complaints == []


def test_the_boxes_of_a_shape_are_filled_with_the_keyboard(page, complaints: list[str]) -> None:
    page.goto("/admin/tracks/track/add/")
    height = page.get_by_role("group", name="Input shape").get_by_label("height")
    height.fill("64")
    height.press("Tab")

    assert page.evaluate("document.activeElement.name") == "input_shape_width"
    assert complaints == []


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_of_the_admin_fit_the_screen(page, complaints: list[str], width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    addresses = ("/admin/", "/admin/tracks/competition/add/", "/admin/tracks/track/", "/admin/tracks/track/add/",
                 "/admin/tracks/track/from-document/", "/admin/tracks/dataset/import/",
                 "/admin/submissions/evaluation/")  # fmt: skip

    widths = []
    for address in addresses:
        page.goto(address)
        widths.append(page.evaluate("document.documentElement.scrollWidth"))

    assert widths == [width] * len(addresses)
    assert complaints == []
