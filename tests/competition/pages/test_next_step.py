from datetime import timedelta

import pytest
from django.utils import timezone

from competition.leaderboard import standings
from competition.submissions import lifecycle
from competition.tracks.models import Track
from scoring.errors import reject
from tests.examples import START, rewrite, scored_report

pytestmark = pytest.mark.django_db


def told(client, track):
    """Return the part of the page that tells what to do next."""
    text = client.get(track.get_absolute_url()).content.decode()
    return text.partition('<section class="next-step')[2].partition("</section>")[0]


def finish(evaluation, value=None):
    lease = lifecycle.claim(evaluation.pk, owner="w", now=START)
    if value is None:
        lifecycle.record_rejected(lease, reject("empty_upload"), now=START)
    else:
        lifecycle.record_scored(lease, scored_report(value), now=START, place=standings.place)


def test_a_visitor_is_asked_to_sign_in_and_comes_back(client, track):
    assert f"?next={track.get_absolute_url()}" in told(client, track)


def test_who_never_submitted_uploads_a_first_entry(client, track, alice):
    client.force_login(alice)

    assert "Upload your first entry" in told(client, track)


def test_who_waits_follows_the_newest_submission(client, track, alice, make_evaluation):
    evaluation = make_evaluation(alice, track)
    client.force_login(alice)

    text = told(client, track)

    assert "Follow it" in text
    assert evaluation.submission.get_absolute_url() in text


def test_who_was_rejected_is_led_to_the_reason(client, track, alice, make_evaluation):
    evaluation = make_evaluation(alice, track)
    finish(evaluation)
    client.force_login(alice)

    text = told(client, track)

    assert "See what stopped it" in text
    assert evaluation.submission.get_absolute_url() in text


def test_who_has_a_score_sees_rank_and_value(client, track, alice, bob, make_evaluation):
    finish(make_evaluation(bob, track), 0.95)
    finish(make_evaluation(alice, track), 0.9)
    client.force_login(alice)

    text = told(client, track)

    assert "<strong>rank 2</strong> of 2" in text
    assert "0.9000" in text
    assert "Improve your result" in text


def test_who_used_the_quota_is_told_when_it_is_back(client, track, alice, make_evaluation):
    rewrite(track, quota_submissions=1)
    finish(make_evaluation(alice, track, at=timezone.now()), 0.9)
    client.force_login(alice)

    assert "You can submit again at" in told(client, track)


def test_before_the_opening_its_time_is_told(client, track):
    rewrite(track, opens_at=timezone.now() + timedelta(days=1))

    text = told(client, track)

    assert "This track opens" in text
    assert "Sign in" not in text


def test_after_the_end_it_is_the_leaderboard(client, track, alice):
    rewrite(track, closes_at=timezone.now() - timedelta(hours=1))
    client.force_login(alice)

    text = told(client, track)

    assert "This track ended on" in text
    assert "See the leaderboard" in text
    assert "Submit" not in text


def test_organisers_see_that_it_is_a_preview(client, track, staff):
    Track.objects.update(is_open=False)
    client.force_login(staff)

    assert "preview for organisers" in told(client, track)
