"""Tracks in the API."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from competition.submissions.models import Evaluation
from competition.tracks.models import Competition, Track

MakeTrack = Callable[..., Track]


def slugs(answer: Any) -> list[str]:
    return [row["slug"] for row in answer.json()["results"]]


def test_a_track_that_is_not_open_is_hidden_from_participants(
    as_alice: APIClient, as_staff: APIClient, make_track: MakeTrack
) -> None:
    Track.objects.filter(pk=make_track("hidden").pk).update(is_open=False)

    assert as_alice.get("/api/tracks/hidden/").status_code == 404
    assert as_staff.get("/api/tracks/hidden/").status_code == 200


def test_tracks_of_a_hidden_competition_are_not_listed(anonymous: APIClient, track: Track) -> None:
    Competition.objects.update(is_public=False)

    assert slugs(anonymous.get("/api/tracks/")) == []


@pytest.mark.parametrize("path", ["/api/tracks/", "/", "/competitions/cvpr2022/"])
def test_a_track_whose_fields_do_not_fit_any_more_hides_no_other(
    anonymous: APIClient, make_track: MakeTrack, path: str
) -> None:
    make_track("fine")
    unfit = make_track("unfit")
    Track.objects.filter(pk=unfit.pk).update(body={**unfit.body, "input": {"shape": [3, 0, 0]}})

    answer = anonymous.get(path)

    assert answer.status_code == 200
    assert b"fine" in answer.content


def test_the_list_is_cut_into_pages_of_the_size_asked_for(
    anonymous: APIClient, make_track: MakeTrack
) -> None:
    for slug in ("a", "b", "c"):
        make_track(slug)

    first = anonymous.get("/api/tracks/?page_size=2")
    second = anonymous.get(first.json()["next"])

    assert (first.json()["count"], slugs(first), slugs(second)) == (3, ["a", "b"], ["c"])


def test_a_page_beyond_the_last_is_not_found(anonymous: APIClient, track: Track) -> None:
    assert anonymous.get("/api/tracks/?page=9").json()["code"] == "not_found"


def test_tracks_are_filtered_by_whether_they_take_submissions_now(
    anonymous: APIClient, make_track: MakeTrack
) -> None:
    now = timezone.now()
    make_track("past", closes_at=now - timedelta(hours=1))
    make_track("future", opens_at=now + timedelta(hours=1))
    make_track("present", opens_at=now - timedelta(hours=1), closes_at=now + timedelta(hours=1))
    make_track("ever")

    assert slugs(anonymous.get("/api/tracks/?is_taking_submissions=true")) == ["ever", "present"]
    assert slugs(anonymous.get("/api/tracks/?is_taking_submissions=false")) == ["future", "past"]


def test_a_filter_that_cannot_be_read_is_refused(anonymous: APIClient, track: Track) -> None:
    answer = anonymous.get("/api/tracks/?metric=beauty")

    assert answer.status_code == 400
    assert answer.json()["findings"][0]["path"] == "metric"


def test_a_track_tells_what_an_entry_must_satisfy(anonymous: APIClient, make_track: MakeTrack) -> None:
    make_track(
        "t",
        budgets__max_parameters=7,
        budgets__max_macs=None,
        output__width=10,
        run_limits__predict_timeout_s=9.5,
    )

    body = anonymous.get("/api/tracks/t/").json()

    assert body["budgets"] == {
        "max_parameters": 7,
        "max_macs": None,
        "macs_counter": "exact",
        "capture": "required",
        "max_package_bytes": None,
        "max_latency_ms": None,
    }
    assert body["output"] == {
        "kind": "logits",
        "width": 10,
        "classes": 0,
        "box_layout": None,
        "class_names": [],
    }
    assert body["quantisation"] is None
    assert body["input"]["shape"] == [3, 224, 224]
    assert body["run_limits"]["predict_timeout_s"] == 9.5
    assert body["metric"]["higher_is_better"] is True
    assert body["urls"]["track_yaml"] == "http://testserver/tracks/t/track.yaml"


def test_a_track_tells_its_class_names_and_its_second_score(
    anonymous: APIClient, make_track: MakeTrack
) -> None:
    asked = {"precision": "w8a8", "calibration_samples": 50, "max_drop_points": 2.5, "sensitive_percent": 10}
    make_track("t", output__width=2, output__class_names=["cat", "dog"], quantisation=asked)

    body = anonymous.get("/api/tracks/t/").json()

    assert body["output"]["class_names"] == ["cat", "dog"]
    assert body["quantisation"] == asked


@pytest.mark.parametrize(("site", "track_bytes", "expected"), [(100, 50, 50), (40, 50, 40)])
def test_the_smaller_of_the_sites_and_the_tracks_limit_binds_an_upload(
    anonymous: APIClient,
    make_track: MakeTrack,
    settings: Settings,
    site: int,
    track_bytes: int,
    expected: int,
) -> None:
    settings.MAX_UPLOAD_BYTES = site
    make_track("t", archive_limits__max_entry_bytes=track_bytes)

    assert anonymous.get("/api/tracks/t/").json()["max_upload_bytes"] == expected


def test_only_a_caller_who_is_known_sees_a_quota(
    anonymous: APIClient,
    as_alice: APIClient,
    make_evaluation: Callable[..., Evaluation],
    alice: Any,
    track: Track,
) -> None:
    make_evaluation(alice, track, at=timezone.now())

    assert anonymous.get(f"/api/tracks/{track.slug}/").json()["quota"] is None
    assert as_alice.get(f"/api/tracks/{track.slug}/").json()["quota"] == {
        "used": 1,
        "allowed": track.quota_submissions,
        "window_hours": track.quota_window_hours,
        "next_slot_at": None,
        "free_rejections": 20,
        "free_rejections_used": 0,
    }


def test_a_list_takes_as_many_queries_for_many_tracks_as_for_one(
    anonymous: APIClient, make_track: MakeTrack, django_assert_max_num_queries: Any
) -> None:
    for slug in ("a", "b", "c", "d"):
        make_track(slug)

    with django_assert_max_num_queries(3):  # the count, the page, and PostgreSQL's time
        anonymous.get("/api/tracks/")
