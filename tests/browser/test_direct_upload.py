"""The upload page where entries go straight into a store that speaks the S3 protocol, with CORS as a store has it."""

import hashlib

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from competition.submissions.models import PartialUpload, Submission
from competition.submissions.resuming import parts
from tests.competition.storage.test_s3 import server, store_in  # noqa: F401

PART_BYTES = 5 * 2**20  # S3 takes no smaller one but the last


@pytest.fixture(autouse=True)
def _direct(scene, server, settings, monkeypatch):  # noqa: F811  # the scene's own files lie in a folder
    store_in(server, settings, monkeypatch)
    settings.S3_UPLOAD_ENDPOINT = server
    monkeypatch.setattr(parts, "LEAST_PART_BYTES", PART_BYTES)
    parts._client_at.cache_clear()


@pytest.fixture
def entry(tmp_path):
    path = tmp_path / "entry.zip"
    path.write_bytes(b"PK" + bytes(2 * PART_BYTES))
    return path


def test_after_a_store_that_broke_off_and_a_reload_the_other_parts_are_sent(as_me, scene, entry):
    page = as_me
    page.goto(reverse("submit", args=[scene.track.slug]))
    page.route("**partNumber=2**", lambda route: route.abort())
    page.get_by_label("Drop the file here, or choose it").set_input_files(entry)
    page.get_by_role("button", name="Upload and submit").click()
    expect(page.locator("#upload-progress-text")).to_have_text("The connection is lost. Trying again …")

    page.unroute_all()
    page.reload()
    expect(page.locator("#upload-unfinished")).to_contain_text("The upload of “entry.zip” stopped at 49%")
    sent = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "PUT" else None)
    page.get_by_label("Drop the file here, or choose it").set_input_files(entry)
    page.get_by_role("button", name="Upload and submit").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("entry.zip")
    assert [("partNumber=1&" in url) for url in sent] == [False, False]
    submission = Submission.objects.get(entry_name="entry.zip")
    assert submission.sha256 == hashlib.sha256(entry.read_bytes()).hexdigest()
    assert submission.pk == PartialUpload.objects.get().pk
