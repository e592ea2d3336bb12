"""An entry comes back to its owner and to organisers, as it was uploaded, and the log says to whom."""

import base64
import hashlib
import logging

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db
ROUTES = ("submission-entry", "api-entry")


@pytest.fixture(params=ROUTES)
def address(request, evaluation):
    return reverse(request.param, args=[evaluation.submission_id])


def body(answer):
    return b"".join(answer.streaming_content)


def test_the_owner_gets_what_was_uploaded(client, alice, address, evaluation):
    client.force_login(alice)

    answer = client.get(address)

    content = body(answer)
    assert hashlib.sha256(content).hexdigest() == evaluation.submission.sha256
    assert answer.headers["Content-Disposition"] == 'attachment; filename="entry.zip"'
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    assert answer.headers["Repr-Digest"] == f"sha-256=:{digest}:"
    assert "no-store" in answer.headers["Cache-Control"]


def test_the_log_says_who_took_it(client, staff, address, evaluation, caplog):
    caplog.set_level(logging.INFO)
    client.force_login(staff)

    body(client.get(address))

    taken = [record.fields for record in caplog.records if record.message == "entry_downloaded"]
    assert taken == [{"submission": str(evaluation.submission_id), "user": staff.username}]


def test_another_participant_does_not_learn_that_there_is_one(client, bob, address):
    client.force_login(bob)

    assert client.get(address).status_code == 404


def test_a_page_of_a_submission_leads_there(client, alice, evaluation):
    client.force_login(alice)

    page = client.get(reverse("submission", args=[evaluation.submission_id])).content.decode()

    assert reverse("submission-entry", args=[evaluation.submission_id]) in page
