import re
from urllib.parse import urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse
from playwright.sync_api import expect

from competition.submissions.models import PartialUpload, Submission
from competition.tracks.models import Track
from tests.browser.believable import PASSWORD
from tests.line import Line


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


def is_piece(request):
    return request.method == "PATCH"


def test_an_upload_leads_to_the_submissions_page(upload_page, entry, complaints):
    choose(upload_page, entry)
    expect(upload_page.locator("#chosen-file")).to_have_text("entry.zip, 293 KiB")

    send(upload_page)

    expect(upload_page.get_by_role("heading", level=1)).to_have_text("entry.zip")
    expect(upload_page.locator(".state")).to_have_text("Waiting")
    assert Submission.objects.filter(entry_name="entry.zip", entry_bytes=300_002).exists()
    assert complaints == []


def test_progress_is_shown_and_the_upload_can_be_stopped(upload_page, entry):
    # The pieces are held back here, so the page stays in the middle of its upload for as long as the test looks.
    upload_page.route("**/api/uploads/**", lambda route: None)
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
    expect(problem.get_by_role("link", name="Open it")).to_have_attribute("href", re.compile(f"{first}$"))
    expect(problem).to_be_focused()
    expect(upload_page.locator("#upload-announcement")).to_be_empty()


def fill_quota(scene):
    """Leave the participant no slot."""
    Track.objects.filter(pk=scene.track.pk).update(quota_submissions=1)


def watch_sent(page):
    """Return the list that the methods of requests are added to."""
    sent = []
    page.on("request", lambda request: sent.append(request.method))
    return sent


def test_without_a_slot_the_form_is_closed_and_says_until_when(upload_page, scene, complaints):
    fill_quota(scene)

    upload_page.reload()

    shown = upload_page.locator("section[aria-labelledby=quota] time").inner_text()
    expect(upload_page.locator(".alert-warning")).to_contain_text(f"You can submit again at {shown}.")
    expect(upload_page.locator(".alert-warning")).to_contain_text("This form opens by itself then.")
    expect(upload_page.get_by_role("button", name="Upload and submit")).to_be_disabled()
    expect(upload_page.get_by_label("Drop the file here, or choose it")).to_be_disabled()
    assert complaints == []


def test_the_form_opens_by_itself_when_a_slot_is_free(upload_page, scene):
    fill_quota(scene)
    upload_page.clock.install()
    upload_page.reload()
    expect(upload_page.get_by_role("button", name="Upload and submit")).to_be_disabled()
    Track.objects.filter(pk=scene.track.pk).update(quota_submissions=9)

    upload_page.clock.fast_forward("25:00:00")

    expect(upload_page.get_by_role("button", name="Upload and submit")).to_be_enabled()


def test_a_slot_that_went_meanwhile_is_told_before_anything_is_sent(upload_page, scene, entry):
    fill_quota(scene)
    sent = watch_sent(upload_page)

    choose(upload_page, entry)
    send(upload_page)

    problem = upload_page.get_by_role("alert")
    expect(problem).to_contain_text("quota_used_up")
    told = problem.inner_text()
    upload_page.reload()
    shown = upload_page.locator("section[aria-labelledby=quota] time").inner_text()
    assert f"You can submit again at {shown}." in told
    assert "POST" not in sent


def test_a_file_of_another_kind_is_refused_in_place(upload_page, tmp_path):
    sent = watch_sent(upload_page)
    (tmp_path / "notes.txt").write_text("not a model")

    choose(upload_page, tmp_path / "notes.txt")
    send(upload_page)

    expect(upload_page.get_by_role("alert")).to_contain_text("unrecognised_format")
    expect(upload_page.get_by_role("alert")).to_contain_text("“notes.txt” does not end in .zip")
    assert "POST" not in sent


@pytest.fixture
def sign_in_in_a_new_tab(upload_page):
    """Return a function that follows the problem's link and signs in there."""

    def act(username):
        with upload_page.context.expect_page() as opened:
            upload_page.get_by_role("alert").get_by_role("link", name="Sign in").click()
        tab = opened.value
        tab.get_by_label("Login").fill(username)
        tab.get_by_label("Password").fill(PASSWORD)
        tab.get_by_role("main").get_by_role("button", name="Sign in").click()

    return act


def test_after_a_session_that_ended_signing_in_lets_the_upload_go_on(
    upload_page, scene, entry, sign_in_in_a_new_tab
):
    choose(upload_page, entry)
    Session.objects.all().delete()

    send(upload_page)

    expect(upload_page.get_by_role("alert")).to_contain_text("Your session ended.")
    expect(upload_page.locator("#chosen-file")).to_have_text("entry.zip, 293 KiB")
    sign_in_in_a_new_tab(scene.me.username)
    expect(upload_page.get_by_role("heading", level=1)).to_have_text("entry.zip")
    assert Submission.objects.filter(entry_name="entry.zip").count() == 1


def test_a_session_that_ends_during_the_upload_is_told_as_such(
    upload_page, scene, entry, sign_in_in_a_new_tab
):
    def end_the_session(route):
        Session.objects.all().delete()
        route.continue_()

    upload_page.route("**/uploads/", end_the_session, times=1)
    choose(upload_page, entry)

    send(upload_page)

    expect(upload_page.get_by_role("alert")).to_contain_text("session_ended")
    sign_in_in_a_new_tab(scene.me.username)
    expect(upload_page.get_by_role("heading", level=1)).to_have_text("entry.zip")


def test_an_upload_does_not_go_on_under_another_name(upload_page, scene, entry, sign_in_in_a_new_tab):
    choose(upload_page, entry)
    Session.objects.all().delete()
    send(upload_page)

    sign_in_in_a_new_tab("nadia")

    expect(upload_page.get_by_role("alert")).to_contain_text("Somebody else is signed in now.")
    assert not Submission.objects.filter(entry_name="entry.zip").exists()


def test_a_connection_that_breaks_off_is_reported(upload_page, entry):
    upload_page.route("**/submit/?bytes=*", lambda route: route.abort())
    choose(upload_page, entry)

    send(upload_page)

    expect(upload_page.get_by_role("alert")).to_contain_text("connection was lost")


def test_a_paused_upload_goes_on_when_told(upload_page, entry):
    upload_page.route("**/api/uploads/**", lambda route: None, times=1)
    choose(upload_page, entry)
    with upload_page.expect_request(is_piece):
        send(upload_page)

    upload_page.get_by_role("button", name="Pause").click()
    expect(upload_page.locator("#upload-announcement")).to_have_text("Upload paused")
    upload_page.get_by_role("button", name="Continue").click()

    expect(upload_page.get_by_role("heading", level=1)).to_have_text("entry.zip")


def test_a_stopped_upload_is_forgotten_by_the_site(upload_page, entry):
    upload_page.route(
        "**/api/uploads/**",
        lambda route: None if route.request.method == "PATCH" else route.continue_(),
    )
    choose(upload_page, entry)
    with upload_page.expect_request(is_piece):
        send(upload_page)
    assert PartialUpload.objects.exists()

    with upload_page.expect_response(lambda response: response.request.method == "DELETE"):
        upload_page.get_by_role("button", name="Stop upload").click()

    assert not PartialUpload.objects.exists()


def test_after_a_lost_connection_and_a_reload_the_rest_of_the_file_is_sent(
    open_page, live_server, scene, sign_in, entry
):
    with Line(urlsplit(live_server.url).port) as line:
        page = open_page(base_url=line.url)
        sign_in(page, scene.me.username)
        page.goto(reverse("submit", args=[scene.track.slug]))
        choose(page, entry)
        line.break_after(200_000)
        send(page)
        expect(page.locator("#upload-progress-text")).to_have_text("The connection is lost. Trying again …")

        line.mend()
        page.reload()
        expect(page.locator("#upload-unfinished")).to_contain_text("The upload of “entry.zip” stopped at")
        kept = PartialUpload.objects.get().received_bytes
        choose(page, entry)
        with page.expect_request(is_piece) as sent:
            send(page)
        expect(page.get_by_role("heading", level=1)).to_have_text("entry.zip")

    assert 100_000 < kept < 300_002
    assert sent.value.headers["upload-offset"] == str(kept)
    with Submission.objects.get(entry_name="entry.zip").entry.open() as stored:
        assert stored.read() == entry.read_bytes()


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
