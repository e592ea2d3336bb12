"""Addresses of the pages."""

from django.urls import path

from competition.pages import (
    accounts,
    client,
    competitions,
    leaderboard,
    pictures,
    submissions,
    tracks,
    upload,
)

urlpatterns = [
    path("", competitions.home, name="home"),
    path("competitions/<slug:slug>/", competitions.overview, name="competition"),
    path("competitions/<slug:slug>/data/", competitions.about_data, name="competition-data"),
    path("competitions/<slug:slug>/rules/", competitions.rules, name="competition-rules"),
    path(
        "competitions/<slug:slug>/leaderboards/", competitions.leaderboards, name="competition-leaderboards"
    ),
    path("competitions/<slug:slug>/submissions/", competitions.submissions, name="competition-submissions"),
    path("competitions/<slug:slug>/news/", competitions.news, name="competition-news"),
    path("competitions/<slug:slug>/news.atom", competitions.news_feed, name="competition-feed"),
    path("competitions/<slug:slug>/cover.svg", pictures.cover, name="cover"),
    path("competitions/<slug:slug>/pictures/<slug:name>.webp", pictures.picture, name="picture"),
    path(
        "competitions/<slug:slug>/pictures/small/<slug:name>.webp",
        pictures.small_picture,
        name="small-picture",
    ),
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
