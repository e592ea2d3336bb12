from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from competition.leaderboard import standings
from competition.submissions import lifecycle
from competition.submissions.models import Submission
from competition.submissions.workers import Sign, show
from competition.tracks.models import Track
from scoring.contracts import Breakdown, Finding, Share, ShownBreakdown, Stage, Status
from scoring.environment import installed_environment
from scoring.errors import Rejected
from tests.examples import START, new_benchmark, rewrite, scored_report, tried_before

pytestmark = pytest.mark.django_db
JSON = {"Accept": "application/json"}


@pytest.fixture
def as_alice(client, alice):
    client.force_login(alice)
    return client


@pytest.fixture
def submit_url(track):
    return reverse("submit", args=[track.slug])


@pytest.fixture
def lease(evaluation):
    return lifecycle.claim(evaluation.pk, owner="test", now=timezone.now())


def entry(content=b"PK entry", name="entry.zip"):
    return {"entry": SimpleUploadedFile(name, content)}


def page_of(client, evaluation, **query):
    return client.get(evaluation.submission.get_absolute_url(), query)


def text_of(client, evaluation):
    return page_of(client, evaluation).content.decode()


# --- uploading -----------------------------------------------------------------------------------


def test_the_upload_page_needs_a_sign_in(client, submit_url):
    assert client.get(submit_url)["Location"].startswith("/accounts/login/")


def test_an_upload_becomes_a_submission_and_leads_to_its_page(as_alice, submit_url):
    response = as_alice.post(submit_url, entry())

    assert response["Location"] == Submission.objects.get().get_absolute_url()


def test_the_script_gets_the_new_page_as_json(as_alice, submit_url):
    response = as_alice.post(submit_url, entry(), headers=JSON)

    assert response.status_code == 201
    assert response.json() == {"location": Submission.objects.get().get_absolute_url()}


@pytest.mark.parametrize("fields", [{}, {"entry": ""}, entry(b"")], ids=["nothing", "text", "empty"])
def test_an_upload_without_bytes_is_refused_with_its_code(as_alice, submit_url, fields):
    response = as_alice.post(submit_url, fields, headers=JSON)

    assert response.status_code == 422
    assert [finding["code"] for finding in response.json()["findings"]] == ["empty_upload"]


def test_without_the_script_a_refusal_is_a_page_with_code_message_and_hint(as_alice, submit_url):
    as_alice.post(submit_url, entry())

    response = as_alice.post(submit_url, entry())

    assert response.status_code == 422
    assert "already_submitted" in response.content.decode()
    assert "Open that submission" in response.content.decode()
    assert f'<a href="{Submission.objects.get().get_absolute_url()}">Open it</a>' in response.content.decode()


def test_a_file_one_byte_above_the_limit_is_refused(as_alice, submit_url, settings):
    settings.MAX_UPLOAD_BYTES = 10

    response = as_alice.post(submit_url, entry(b"x" * 11), headers=JSON)

    assert [finding["code"] for finding in response.json()["findings"]] == ["upload_too_large"]
    assert as_alice.post(submit_url, entry(b"x" * 10)).status_code == 302


def test_a_much_larger_upload_is_refused_without_reading_its_body(alice, submit_url, settings):
    settings.MAX_UPLOAD_BYTES = 10
    strict = Client(enforce_csrf_checks=True)  # whose check of the form token would read the body
    strict.force_login(alice)

    response = strict.post(submit_url, entry(b"x" * 100_000), headers=JSON)

    assert response.status_code == 413
    assert not response.wsgi_request._read_started


def fill_quota(track, participant, make_evaluation):
    """Leave the participant no slot."""
    Track.objects.update(quota_submissions=1)
    make_evaluation(participant, track, at=timezone.now())


def test_with_a_used_up_quota_an_upload_is_refused_without_reading_its_body(
    alice, track, make_evaluation, submit_url
):
    fill_quota(track, alice, make_evaluation)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)

    response = strict.post(submit_url, entry(b"x" * 100_000), headers=JSON)

    assert [finding["code"] for finding in response.json()["findings"]] == ["quota_used_up"]
    assert not response.wsgi_request._read_started


def test_the_script_is_told_what_to_send_an_upload_with(as_alice, alice, submit_url):
    answer = as_alice.get(submit_url, {"bytes": 1000}, headers=JSON)

    assert answer.status_code == 200
    assert answer.json()["participant"] == alice.pk
    assert answer.json()["csrf_token"]


def test_the_script_is_told_before_it_sends_that_no_slot_is_left(
    as_alice, alice, track, make_evaluation, submit_url
):
    fill_quota(track, alice, make_evaluation)

    answer = as_alice.get(submit_url, {"bytes": 1_000_000}, headers=JSON)

    assert [finding["code"] for finding in answer.json()["findings"]] == ["quota_used_up"]


@pytest.mark.parametrize("size", ["", "-1", "many", "9" * 30])
def test_a_question_without_a_size_is_answered_all_the_same(as_alice, submit_url, size):
    assert as_alice.get(submit_url, {"bytes": size}, headers=JSON).status_code == 200


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_script_whose_session_ended_is_told_so_and_where_to_sign_in(client, submit_url, method):
    answer = getattr(client, method)(submit_url, headers=JSON)

    assert answer.status_code == 401
    assert answer.json()["findings"][0]["code"] == "session_ended"
    assert answer.json()["findings"][0]["link"] == f"{reverse('account_login')}?next={submit_url}"


def test_an_upload_without_its_form_token_is_refused(alice, submit_url):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)

    assert strict.post(submit_url, entry()).status_code == 403
    assert not Submission.objects.exists()


def test_a_closed_track_refuses_and_says_why(as_alice, track, submit_url):
    track.closes_at = timezone.now() - timedelta(minutes=1)
    track.save()

    response = as_alice.post(submit_url, entry(), headers=JSON)

    assert [finding["code"] for finding in response.json()["findings"]] == ["track_not_open"]


# --- who sees a submission -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["submission", "submission-live"])
def test_others_cannot_tell_that_a_submission_exists(client, bob, evaluation, name):
    client.force_login(bob)

    assert client.get(reverse(name, args=[evaluation.submission_id])).status_code == 404
    assert client.get(reverse(name, args=[uuid4()])).status_code == 404


def test_others_cannot_cancel(client, bob, evaluation):
    client.force_login(bob)

    assert client.post(reverse("submission-cancel", args=[evaluation.submission_id])).status_code == 404
    evaluation.refresh_from_db()
    assert evaluation.status == Status.QUEUED


def test_staff_see_everybodys_submissions(client, staff, evaluation):
    client.force_login(staff)

    assert page_of(client, evaluation).status_code == 200


def test_visitors_are_sent_to_the_sign_in(client, evaluation):
    assert page_of(client, evaluation).status_code == 302


# --- the live part -------------------------------------------------------------------------------


def test_a_waiting_submission_shows_its_place_and_asks_again(as_alice, evaluation):
    text = text_of(as_alice, evaluation)

    assert "Position <strong>1</strong> in the queue" in text
    assert 'hx-trigger="every 2s"' in text


def test_a_submission_that_waits_for_a_new_benchmark_version_says_so(as_alice, evaluation):
    type(evaluation.benchmark).objects.update(environment={"torch": "1.5"})

    text = text_of(as_alice, evaluation)

    assert "as soon as the organisers publish a new version" in text
    assert 'data-announcement="Waiting for the organisers to publish a new benchmark version."' in text


def test_a_submission_that_no_worker_is_there_for_says_since_when(as_alice, evaluation):
    sign = Sign(name="a:1", machine="a", version="1", queues=("cpu",), environment=installed_environment())
    never = text_of(as_alice, evaluation)
    show(replace(sign, started_at=START), now=START)

    text = text_of(as_alice, evaluation)

    assert "No worker for this track has been seen yet. Your entry keeps its place." in never
    assert 'No worker for this track since <time class="nowrap" datetime="2026-03-01T12:00:00+00:00"' in text
    assert "Waiting, position 1 in the queue. No worker is there for this track." in text


def test_a_worker_with_other_packages_is_none_for_the_submission(as_alice, evaluation):
    sign = Sign(name="a:1", machine="a", version="1", started_at=START, queues=("cpu",))
    show(replace(sign, environment={"torch": "1.5"}), now=timezone.now())
    without = text_of(as_alice, evaluation)
    show(replace(sign, environment=installed_environment()), now=timezone.now())

    assert "has been seen yet" in without
    assert "No worker" not in text_of(as_alice, evaluation)


def test_what_ended_under_older_packages_waits_for_nothing(as_alice, evaluation, lease):
    lifecycle.record_scored(lease, scored_report(), now=timezone.now(), place=standings.place)
    type(evaluation.benchmark).objects.update(environment={"torch": "1.5"})

    assert "organisers publish" not in text_of(as_alice, evaluation)


def test_a_running_submission_shows_its_stage(as_alice, evaluation, lease):
    lifecycle.note_stage(lease, Stage.MEASURE, now=timezone.now())

    fragment = as_alice.get(reverse("submission-live", args=[evaluation.submission_id])).content.decode()

    assert 'data-announcement="Running: Measure."' in fragment
    assert "<html" not in fragment


def test_a_scored_submission_shows_everything_and_asks_no_more(as_alice, evaluation, lease):
    lifecycle.record_scored(
        lease, scored_report(0.8125, log="hello from model.py"), now=timezone.now(), place=standings.place
    )

    text = text_of(as_alice, evaluation)

    assert "hx-trigger" not in text
    assert "0.8125" in text
    assert "95% interval 0.8025 to 0.8225" in text
    assert "hello from model.py" in text


def test_a_scored_submission_shows_where_it_was_right_and_wrong(as_alice, evaluation, lease):
    lifecycle.record_scored(lease, scored_report(), now=timezone.now(), place=standings.place)

    text = text_of(as_alice, evaluation)

    assert '<th scope="row">label 0</th><td>3</td><td>2</td><td>0.6667</td>' in text
    assert '<th scope="row">group night</th><td>1</td><td>1</td><td>1.0000</td>' in text
    assert '<th scope="row">0</th><td>2</td><td>1</td>' in text


def test_counts_stand_in_a_table_with_the_reason_for_one_that_is_far_off(as_alice, evaluation, lease):
    counts = {"graph": 1_000, "ptflops": 1_100, "fvcore": None}
    usage = replace(
        scored_report().usage, macs=1_000, macs_by_counter=counts, binding_counter="graph", captured=True
    )
    lifecycle.record_scored(
        lease, replace(scored_report(), usage=usage), now=timezone.now(), place=standings.place
    )

    text = text_of(as_alice, evaluation)

    assert 'the captured graph<span class="you">applies</span>' in text
    assert '<td class="num">1,100<span class="why muted small">+10.0%</span></td>' in text
    assert "ptflops adds biases" in text
    assert "could not count" in text
    assert "from the graph that predicts" in text


def test_an_entry_that_was_not_captured_says_that_it_was_counted_by_running_it(as_alice, evaluation, lease):
    usage = replace(scored_report().usage, captured=False, not_captured="<b>numpy</b>")
    lifecycle.record_scored(
        lease, replace(scored_report(), usage=usage), now=timezone.now(), place=standings.place
    )

    text = text_of(as_alice, evaluation)

    assert "by running it, because it could not be captured as a graph: &lt;b&gt;numpy&lt;/b&gt;" in text


def test_a_track_with_prizes_shows_no_breakdown_and_says_so(as_alice, evaluation, lease, track):
    lifecycle.record_scored(lease, scored_report(), now=timezone.now(), place=standings.place)
    rewrite(track, prizes=True)

    text = text_of(as_alice, evaluation)

    assert "Public split by label" not in text
    assert "does not show which labels and groups an entry gets right" in text


def test_a_breakdown_in_steps_is_in_quarters_without_counts(as_alice, evaluation, lease, track):
    large = {"0": Share(samples=40, correct=31, accuracy=31 / 40)}
    breakdown = Breakdown(by_label=large, by_group={}, confusion=())
    lifecycle.record_scored(
        lease, replace(scored_report(), breakdown=breakdown), now=timezone.now(), place=standings.place
    )
    rewrite(track, breakdown=ShownBreakdown.STEPS)

    text = text_of(as_alice, evaluation)

    assert '<th scope="row">label 0</th><td>40</td><td>75% or more</td></tr>' in text


def test_a_breakdown_without_parts_is_left_out(as_alice, evaluation, lease):
    nothing = Breakdown(by_label={}, by_group={}, confusion=())
    lifecycle.record_scored(
        lease, replace(scored_report(), breakdown=nothing), now=timezone.now(), place=standings.place
    )

    assert "Public split by label" not in text_of(as_alice, evaluation)


def test_what_was_applied_to_a_package_is_shown_as_text(as_alice, evaluation, lease):
    applied = {"channel_order": "BGR", "architecture": "<b>net</b>"}
    lifecycle.record_scored(
        lease, replace(scored_report(), applied=applied), now=timezone.now(), place=standings.place
    )

    text = text_of(as_alice, evaluation)

    assert "<dt>Channel order</dt><dd>BGR</dd>" in text
    assert "&lt;b&gt;net" in text


def test_labels_and_calls_have_the_names_of_their_classes(as_alice, evaluation, lease, track):
    names = ["cat", *(f"class {number}" for number in range(1, track.spec().output.width))]
    rewrite(track, output__class_names=names)
    lifecycle.record_scored(lease, scored_report(), now=timezone.now(), place=standings.place)

    text = as_alice.get(evaluation.submission.get_absolute_url()).content.decode()

    cat = '0 <span class="class-name">cat</span></th>'
    assert f'<th scope="row">label {cat}' in text
    assert f'<th scope="col">{cat}' in text
    assert f'<th scope="row">{cat}' in text


def test_private_scores_stay_hidden_until_the_track_closes(as_alice, evaluation, lease, track):
    lifecycle.record_scored(
        lease, scored_report(0.8, private=0.1357), now=timezone.now(), place=standings.place
    )
    before = text_of(as_alice, evaluation)
    track.closes_at = timezone.now()
    track.save()

    assert "0.1357" not in before
    assert "0.1357" in text_of(as_alice, evaluation)


def test_a_rejection_shows_code_numbers_hint_and_bar(as_alice, evaluation, lease):
    finding = Finding(code="parameters_over_budget", facts={"found": 86_567_656, "allowed": 30_000_000})
    lifecycle.record_rejected(lease, Rejected(finding), now=timezone.now())

    text = text_of(as_alice, evaluation)

    assert "parameters_over_budget" in text
    assert "86,567,656" in text
    assert "Every parameter and floating-point buffer counts" in text
    assert "bar bar-over" in text
    assert "over budget" in text


def test_what_an_entry_printed_or_was_named_is_text_and_not_html(as_alice, evaluation, lease):
    attack = "<script>alert(1)</script>"
    Submission.objects.update(entry_name=attack)
    lifecycle.record_rejected(
        lease,
        Rejected(Finding(code="load_failed", path=attack, facts={"why": attack}), log=attack),
        now=timezone.now(),
    )

    assert attack not in text_of(as_alice, evaluation)


def test_a_fault_shows_its_reference_and_hides_its_detail(as_alice, evaluation, staff):
    tried_before(evaluation)
    lease = lifecycle.claim(evaluation.pk, owner="test", now=timezone.now())
    lifecycle.record_fault(lease, reference="abcd1234", detail="OSError: /secret/path", now=timezone.now())

    text = text_of(as_alice, evaluation)
    as_alice.force_login(staff)

    assert "abcd1234" in text
    assert "/secret/path" not in text
    assert "/secret/path" in text_of(as_alice, evaluation)


def test_the_page_shows_the_newest_benchmark_version_and_leads_to_the_older(as_alice, evaluation, track):
    newer = new_benchmark(track)
    evaluation.submission.evaluations.create(benchmark=newer, queued_at=timezone.now())

    assert page_of(as_alice, evaluation).context["evaluation"].benchmark == newer
    assert page_of(as_alice, evaluation, version="1").context["evaluation"] == evaluation
    assert page_of(as_alice, evaluation, version="9").status_code == 404


# --- cancelling ----------------------------------------------------------------------------------


def test_the_owner_cancels(as_alice, evaluation):
    as_alice.post(reverse("submission-cancel", args=[evaluation.submission_id]))

    evaluation.refresh_from_db()
    assert evaluation.status == Status.CANCELLED


def test_what_has_ended_cannot_be_cancelled_and_the_page_says_so(as_alice, evaluation, lease):
    lifecycle.record_scored(lease, scored_report(), now=timezone.now(), place=standings.place)

    response = as_alice.post(reverse("submission-cancel", args=[evaluation.submission_id]), follow=True)

    assert "has already finished" in response.content.decode()


def test_a_link_cannot_cancel(as_alice, evaluation):
    assert as_alice.get(reverse("submission-cancel", args=[evaluation.submission_id])).status_code == 405


# --- lists ---------------------------------------------------------------------------------------


def test_the_list_is_ones_own_only(as_alice, bob, evaluation, make_evaluation, track):
    make_evaluation(bob, track)

    page = as_alice.get(reverse("my-submissions")).context["page"]

    assert [submission.pk for submission in page] == [evaluation.submission_id]


def test_the_list_is_filtered_by_track(as_alice, alice, evaluation, make_evaluation, make_track):
    other = make_evaluation(alice, make_track("other"))

    page = as_alice.get(reverse("my-submissions"), {"track": "other"}).context["page"]

    assert [submission.pk for submission in page] == [other.submission_id]


def test_the_empty_list_leads_to_the_tracks(as_alice):
    assert "See the tracks" in as_alice.get(reverse("my-submissions")).content.decode()


def test_the_list_asks_the_database_as_often_for_many_as_for_one(
    as_alice, alice, evaluation, make_evaluation, track, django_assert_max_num_queries
):
    for _ in range(10):
        make_evaluation(alice, track)

    with django_assert_max_num_queries(9):
        as_alice.get(reverse("my-submissions"))


def test_the_status_page_is_public(client, evaluation):
    assert "1 evaluation" in client.get(reverse("status")).content.decode()
