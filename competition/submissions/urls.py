"""Addresses of the pages about submissions."""

from django.urls import path

from competition.submissions import upload_view, views

urlpatterns = [
    path("tracks/<slug:slug>/submit/", upload_view.submit, name="submit"),
    path("submissions/", views.my_submissions, name="my-submissions"),
    path("submissions/<uuid:submission_id>/", views.submission, name="submission"),
    path("submissions/<uuid:submission_id>/live/", views.submission_live, name="submission-live"),
    path("submissions/<uuid:submission_id>/cancel/", views.submission_cancel, name="submission-cancel"),
    path("status/", views.status, name="status"),
]
