"""Addresses of the pages."""

from django.urls import path

from competition.pages import accounts, client, leaderboard, submissions, tracks, upload

urlpatterns = [
    path("", tracks.home, name="home"),
    path("competitions/<slug:slug>/", tracks.competition, name="competition"),
    path("tracks/<slug:slug>/", tracks.track, name="track"),
    path("tracks/<slug:slug>/track.yaml", tracks.track_yaml, name="track-yaml"),
    path("tracks/<slug:slug>/starter-kit.zip", tracks.starter_kit_zip, name="starter-kit"),
    path("tracks/<slug:slug>/env.txt", tracks.track_environment, name="track-environment"),
    path("env.txt", tracks.environment, name="environment"),
    path("tracks/<slug:slug>/submit/", upload.submit, name="submit"),
    path("submissions/", submissions.my_submissions, name="my-submissions"),
    path("submissions/<uuid:submission_id>/", submissions.submission, name="submission"),
    path("submissions/<uuid:submission_id>/live/", submissions.submission_live, name="submission-live"),
    path("submissions/<uuid:submission_id>/entry/", submissions.submission_entry, name="submission-entry"),
    path("submissions/<uuid:submission_id>/queue/", submissions.submission_queue, name="submission-queue"),
    path("submissions/<uuid:submission_id>/cancel/", submissions.submission_cancel, name="submission-cancel"),
    path("submissions/<uuid:submission_id>/change/", submissions.submission_change, name="submission-change"),
    path(
        "submissions/<uuid:submission_id>/baseline/",
        submissions.submission_baseline,
        name="submission-baseline",
    ),
    path("pip/<str:filename>", client.wheel, name="wheel"),
    path("status/", submissions.status, name="status"),
    path("tracks/<slug:slug>/leaderboard/", leaderboard.leaderboard, name="leaderboard"),
    path("tracks/<slug:slug>/leaderboard/charts/", leaderboard.leaderboard_charts, name="leaderboard-charts"),
    path(
        "tracks/<slug:slug>/leaderboard/compare/", leaderboard.leaderboard_compare, name="leaderboard-compare"
    ),
    path("tracks/<slug:slug>/leaderboard.csv", leaderboard.leaderboard_csv, name="leaderboard-csv"),
    path("tracks/<slug:slug>/leaderboard.json", leaderboard.leaderboard_json, name="leaderboard-json"),
    path("account/", accounts.account, name="account"),
    path("account/tokens/", accounts.make_token, name="make-token"),
    path("account/tokens/<int:pk>/revoke/", accounts.revoke_token, name="revoke-token"),
]
