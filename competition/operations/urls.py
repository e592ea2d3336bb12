"""Addresses for machines, and for those who run the site."""

from django.urls import path

from competition.operations import pages, views

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("metrics", views.metrics, name="metrics"),
    path("readyz", views.readyz, name="readyz"),
    path("operations/", pages.operations, name="operations"),
    path("operations/live/", pages.operations_live, name="operations-live"),
    path("operations/workers/<int:pk>/drain/", pages.drain_worker, name="drain-worker"),
    path("operations/workers/<int:pk>/resume/", pages.resume_worker, name="resume-worker"),
    path("tracks/<slug:slug>/pause/", pages.pause_track, name="pause-track"),
    path("tracks/<slug:slug>/resume/", pages.resume_track, name="resume-track"),
    path("submissions/<uuid:submission_id>/retry/", pages.retry_submission, name="retry-submission"),
    path(
        "submissions/<uuid:submission_id>/quarantine/",
        pages.quarantine_submission,
        name="quarantine-submission",
    ),
    path("submissions/<uuid:submission_id>/release/", pages.release_submission, name="release-submission"),
]
