import re
from urllib.parse import urlsplit

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from competition.submissions.models import Submission
from competition.tracks.models import Track


@pytest.fixture
def upload_page(as_me, scene):
    as_me.goto(reverse("submit", args=[scene.track.slug]))
    return as_me


@pytest.fixture
def entry(tmp_path):
    path = tmp_path / "entry.zip"
    path.write_bytes(b"PK" + bytes(300_000))
    return path


def choose(page, path):
    page.get_by_label("Drop the file here, or choose it").set_input_files(path)


def send(page):
    page.get_by_role("button", name="Upload and submit").click()


def test_an_upload_leads_to_the_submissions_page(upload_page, entry, complaints):
    choose(upload_page, entry)
    expect(upload_page.locator("#chosen-file")).to_have_text("entry.zip, 293 KiB")

    send(upload_page)

    expect(upload_page.get_by_role("heading", level=1)).to_have_text("entry.zip")
    expect(upload_page.locator(".state")).to_have_text("Waiting")
    assert Submission.objects.filter(entry_name="entry.zip", entry_bytes=300_002).exists()
    assert complaints == []


def test_progress_is_shown_and_the_upload_can_be_stopped(upload_page, entry):
    # The request is held back here, so the page stays in the middle of its upload for as long as the test looks.
    upload_page.route("**/submit/", lambda route: None)
    choose(upload_page, entry)

    send(upload_page)

    expect(upload_page.get_by_role("progressbar", name="Upload")).to_be_visible()
    expect(upload_page.locator("#upload-announcement")).to_have_text(re.compile("^Upload"))
    expect(upload_page.get_by_role("button", name="Upload and submit")).to_be_disabled()
    upload_page.get_by_role("button", name="Stop upload").click()
    expect(upload_page.get_by_role("alert")).to_contain_text("You stopped the upload.")
    expect(upload_page.get_by_role("button", name="Upload and submit")).to_be_enabled()


def test_a_file_that_is_too_large_is_refused_before_anything_is_sent(upload_page, settings, entry):
    sent = []
    upload_page.on("request", lambda request: sent.append(request.method))
    settings.MAX_UPLOAD_BYTES = 200_000
    upload_page.reload()

    choose(upload_page, entry)
    send(upload_page)

    expect(upload_page.get_by_role("alert")).to_contain_text("upload_too_large")
    expect(upload_page.get_by_role("alert")).to_contain_text("293 KiB; at most 195.3 KiB")
    assert "POST" not in sent


def test_an_empty_file_is_refused_in_place(upload_page, tmp_path):
    (tmp_path / "empty.zip").touch()

    choose(upload_page, tmp_path / "empty.zip")

    expect(upload_page.get_by_role("alert")).to_contain_text("empty_upload")


def test_a_refusal_by_the_server_shows_code_message_and_hint_in_place(upload_page, entry, scene):
    choose(upload_page, entry)
    send(upload_page)
    expect(upload_page.get_by_role("heading", level=1)).to_have_text("entry.zip")
    first = urlsplit(upload_page.url).path
    upload_page.goto(reverse("submit", args=[scene.track.slug]))

    choose(upload_page, entry)
    send(upload_page)

    problem = upload_page.get_by_role("alert")
    expect(problem).to_contain_text("already_submitted")
    expect(problem).to_contain_text("this exact file")
    expect(problem).to_contain_text("Open that submission")
    expect(problem.get_by_role("link", name="Open it")).to_have_attribute("href", first)
    expect(problem).to_be_focused()
    expect(upload_page.locator("#upload-announcement")).to_be_empty()


def test_the_page_tells_one_time_of_the_next_slot_as_the_reader_counts(upload_page, scene, entry):
    Track.objects.filter(pk=scene.track.pk).update(quota_submissions=1)
    upload_page.reload()

    choose(upload_page, entry)
    send(upload_page)

    shown = upload_page.locator("section[aria-labelledby=quota] time").inner_text()
    expect(upload_page.get_by_role("alert")).to_contain_text(f"You can submit again at {shown}.")


def test_a_connection_that_breaks_off_is_reported(upload_page, entry):
    upload_page.route("**/submit/", lambda route: route.abort())
    choose(upload_page, entry)

    send(upload_page)

    expect(upload_page.get_by_role("alert")).to_contain_text("connection was lost")


def test_a_dropped_file_is_chosen(upload_page):
    upload_page.evaluate(
        """() => {
            const files = new DataTransfer();
            files.items.add(new File(["weights"], "dropped.onnx"));
            const drop = new DragEvent("drop", {dataTransfer: files, bubbles: true, cancelable: true});
            document.getElementById("dropzone").dispatchEvent(drop);
        }"""
    )

    expect(upload_page.locator("#chosen-file")).to_have_text("dropped.onnx, 7 bytes")


def test_the_form_works_without_javascript(open_page, scene, sign_in, entry):
    page = open_page(java_script_enabled=False)
    sign_in(page, scene.me.username)
    page.goto(reverse("submit", args=[scene.track.slug]))

    choose(page, entry)
    send(page)

    expect(page.get_by_role("heading", level=1)).to_have_text("entry.zip")


def test_the_form_can_be_used_by_keyboard_alone(upload_page, entry):
    file_input = upload_page.get_by_label("Drop the file here, or choose it")
    # The whole way is watched: watching from the last key on would race with the dialogue that it opens.
    with upload_page.expect_file_chooser() as chooser:
        while not file_input.evaluate("(input) => input === document.activeElement"):
            upload_page.keyboard.press("Tab")
        upload_page.keyboard.press("Enter")
    chooser.value.set_files(entry)

    upload_page.keyboard.press("Tab")
    expect(upload_page.get_by_role("button", name="Upload and submit")).to_be_focused()
    upload_page.keyboard.press("Enter")

    expect(upload_page.get_by_role("heading", level=1)).to_have_text("entry.zip")
