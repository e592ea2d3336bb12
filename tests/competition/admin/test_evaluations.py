"""Evaluations in the admin: found by their faults, acted on after a question, never written by hand."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from competition.submissions.models import Evaluation
from competition.tracks import services
from competition.tracks.models import Track
from scoring.contracts import Status
from tests.competition.admin.conftest import evaluate

pytestmark = pytest.mark.django_db


def test_evaluations_are_found_by_the_reference_of_their_fault(organiser: Client, track: Track) -> None:
    services.open_track(track=track)
    evaluation = evaluate(track, status=Status.FAILED)
    Evaluation.objects.update(reference="F00D", fault="Traceback: <b>disk full</b>")

    found = organiser.get(reverse("admin:submissions_evaluation_changelist"), {"q": "F00D"})
    page = organiser.get(reverse("admin:submissions_evaluation_change", args=[evaluation.pk]))

    assert found.context["cl"].result_count == 1
    assert b"&lt;b&gt;disk full" in page.content


def test_a_finding_with_a_code_of_another_release_is_shown(organiser: Client, track: Track) -> None:
    services.open_track(track=track)
    evaluation = evaluate(track, status=Status.REJECTED)
    Evaluation.objects.update(findings=[{"code": "of_another_release", "path": "model.py", "facts": {}}])

    page = organiser.get(reverse("admin:submissions_evaluation_change", args=[evaluation.pk]))

    assert "of_another_release" in page.content.decode()


def test_nothing_of_an_evaluation_can_be_posted(organiser: Client, track: Track) -> None:
    services.open_track(track=track)
    evaluation = evaluate(track)
    before = Evaluation.objects.values().get()

    organiser.post(
        reverse("admin:submissions_evaluation_change", args=[evaluation.pk]),
        {"status": "scored", "scores-TOTAL_FORMS": 0, "scores-INITIAL_FORMS": 0},
    )

    assert Evaluation.objects.values().get() == before


@pytest.mark.parametrize(
    ("name", "status", "after"),
    [
        ("cancel", Status.QUEUED, Status.CANCELLED),
        ("retry", Status.FAILED, Status.QUEUED),
        ("cancel", Status.SCORED, Status.SCORED),
    ],
)
def test_acts_on_evaluations_ask_first(
    organiser: Client, track: Track, name: str, status: Status, after: Status
) -> None:
    services.open_track(track=track)
    evaluation = evaluate(track, status=status)
    address = reverse("admin:submissions_evaluation_changelist")
    posted = {"action": name, "_selected_action": evaluation.pk}

    asked = organiser.post(address, posted)
    unchanged = Evaluation.objects.get().status
    organiser.post(address, {**posted, "confirmed": "yes"})

    assert asked.status_code == 200
    assert (unchanged, Evaluation.objects.get().status) == (status, after)
