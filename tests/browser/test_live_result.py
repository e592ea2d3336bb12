from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from competition.leaderboard import standings
from competition.submissions import lifecycle
from competition.submissions.models import Evaluation
from scoring.contracts import Finding, Stage, Status
from scoring.errors import Rejected
from tests.browser.believable import report_of

ANNOUNCED = "#announcement"
PLACE_OF_STEPS = "document.querySelector('.steps').getBoundingClientRect().top"


def claim(submission):
    return lifecycle.claim(submission.evaluations.get().pk, owner="browser test", now=timezone.now())


def test_the_page_follows_an_evaluation_to_its_score_by_itself(as_me, scene, complaints):
    as_me.goto(scene.queued.get_absolute_url())
    expect(as_me.locator(".state")).to_have_text("Waiting")
    place = as_me.evaluate(PLACE_OF_STEPS)

    lease = claim(scene.queued)
    lifecycle.note_stage(lease, Stage.MEASURE, now=timezone.now())
    expect(as_me.locator("[aria-current=step]")).to_contain_text("Measure")
    expect(as_me.locator(ANNOUNCED)).to_have_text("Running: Measure.")
    assert as_me.evaluate(PLACE_OF_STEPS) == place

    lifecycle.note_stage(lease, Stage.PREDICT, now=timezone.now())
    expect(as_me.locator("[aria-current=step]")).to_contain_text("Predict")

    lifecycle.record_scored(lease, report_of(0.9876), now=timezone.now(), place=standings.place)
    expect(as_me.locator(ANNOUNCED)).to_have_text("Scored.")
    expect(as_me.locator(".score-value").first).to_have_text("0.9876")
    assert as_me.evaluate(PLACE_OF_STEPS) == place
    assert complaints == []


def test_the_page_stops_asking_once_the_result_is_final(as_me, scene):
    as_me.goto(scene.queued.get_absolute_url())
    lease = claim(scene.queued)
    lifecycle.record_rejected(
        lease, Rejected(Finding(code="missing_file", facts={"expected": "model.py"})), now=timezone.now()
    )

    expect(as_me.get_by_role("heading", name="Why it was rejected")).to_be_visible()
    expect(as_me.locator(".finding")).to_contain_text("model.py is missing.")
    expect(as_me.locator("#live[hx-trigger]")).to_have_count(0)


def test_a_waiting_submission_is_cancelled_by_its_button(as_me, scene, complaints):
    as_me.goto(scene.queued.get_absolute_url())

    as_me.get_by_role("button", name="Cancel").click()

    expect(as_me.locator(".state")).to_have_text("Cancelled")
    expect(as_me.get_by_role("button", name="Cancel")).to_have_count(0)
    assert Evaluation.objects.get(submission=scene.queued).status == Status.CANCELLED
    assert complaints == []


def test_a_running_submission_waits_for_its_worker_to_stop(as_me, scene):
    as_me.goto(scene.running.get_absolute_url())

    as_me.get_by_role("button", name="Cancel").click()

    expect(as_me.get_by_text("Cancelling …")).to_be_visible()


def test_ones_own_row_stands_out_on_the_leaderboard(as_me, scene):
    as_me.goto(reverse("leaderboard", args=[scene.track.slug]))

    expect(as_me.locator("#own-row")).to_have_count(1)
    expect(as_me.locator("#own-row")).to_contain_text("ines.castro")
    expect(as_me.locator("#own-row")).to_contain_text("you")
    expect(as_me.get_by_text("Your rank:")).to_contain_text("4 of 16")


def test_an_entry_that_was_counted_by_running_it_is_marked_on_the_board(as_me, scene):
    as_me.goto(reverse("leaderboard", args=[scene.track.slug]))

    row = as_me.locator("tbody tr", has_text="numpy_in_forward")
    expect(row).to_contain_text("counted by running it")
    expect(as_me.get_by_text("counted by running it")).to_have_count(1)


def test_a_new_score_appears_on_the_board(as_me, scene):
    lifecycle.record_scored(claim(scene.queued), report_of(0.9991), now=timezone.now(), place=standings.place)

    as_me.goto(reverse("leaderboard", args=[scene.track.slug]))

    expect(as_me.locator("tbody tr").first).to_contain_text("ines.castro")
    expect(as_me.locator("tbody tr").first).to_contain_text("0.9991")


def test_the_list_of_submissions_is_filtered_by_choosing_a_track(as_me, scene):
    as_me.goto(reverse("my-submissions"))

    as_me.get_by_label("Track").select_option(scene.second_track.slug)

    expect(as_me.locator("tbody tr")).to_have_count(2)
