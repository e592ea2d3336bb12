"""Addresses of the API."""

from django.urls import path, re_path

from competition.api import (
    accounts,
    charts,
    competitions,
    leaderboard,
    operations,
    parts,
    schema,
    submission_choices,
    submissions,
    tracks,
    tus,
)

urlpatterns = [
    path("competitions/", competitions.ListCompetitions.as_view(), name="api-competitions"),
    path("competitions/<slug:slug>/", competitions.ShowCompetition.as_view(), name="api-competition"),
    path("tracks/", tracks.ListTracks.as_view(), name="api-tracks"),
    path("tracks/<slug:slug>/", tracks.ShowTrack.as_view(), name="api-track"),
    path("tracks/<slug:slug>/submissions/", submissions.CreateSubmission.as_view(), name="api-submit"),
    path("tracks/<slug:slug>/uploads/", tus.CreatePartialUpload.as_view(), name="api-uploads"),
    path("tracks/<slug:slug>/direct-uploads/", parts.CreateDirectUpload.as_view(), name="api-direct-uploads"),
    path("tracks/<slug:slug>/leaderboard/", leaderboard.ShowLeaderboard.as_view(), name="api-leaderboard"),
    path("tracks/<slug:slug>/leaderboard/charts/", charts.ShowCharts.as_view(), name="api-charts"),
    path("uploads/<uuid:id>/", tus.ContinuePartialUpload.as_view(), name="api-upload"),
    path("uploads/<uuid:id>/parts/", parts.ShowParts.as_view(), name="api-parts"),
    path("uploads/<uuid:id>/complete/", parts.CompleteDirectUpload.as_view(), name="api-complete"),
    path("submissions/", submissions.ListSubmissions.as_view(), name="api-submissions"),
    path("submissions/<uuid:id>/", submissions.ShowSubmission.as_view(), name="api-submission"),
    path("submissions/<uuid:id>/report/", submissions.ShowReport.as_view(), name="api-report"),
    path("submissions/<uuid:id>/entry/", submissions.DownloadEntry.as_view(), name="api-entry"),
    path("submissions/<uuid:id>/choices/", submission_choices.Choices.as_view(), name="api-choices"),
    path(
        "submissions/<uuid:id>/baseline/",
        submission_choices.SubmissionBaseline.as_view(),
        name="api-baseline",
    ),
    path("submissions/<uuid:id>/queue/", submissions.QueueSubmission.as_view(), name="api-queue"),
    path("submissions/<uuid:id>/cancel/", submissions.CancelSubmission.as_view(), name="api-cancel"),
    path("submissions/<uuid:id>/retry/", operations.RetrySubmission.as_view(), name="api-retry"),
    path(
        "submissions/<uuid:id>/quarantine/", operations.QuarantineSubmission.as_view(), name="api-quarantine"
    ),
    path("submissions/<uuid:id>/release/", operations.ReleaseSubmission.as_view(), name="api-release"),
    path("tracks/<slug:slug>/pause/", operations.PauseTrack.as_view(), name="api-pause"),
    path("tracks/<slug:slug>/resume/", operations.ResumeTrack.as_view(), name="api-resume"),
    path("operations/", operations.ShowOperations.as_view(), name="api-operations"),
    path("operations/workers/<int:pk>/drain/", operations.DrainWorker.as_view(), name="api-drain"),
    path("operations/workers/<int:pk>/resume/", operations.ResumeWorker.as_view(), name="api-resume-worker"),
    path("token/", accounts.CreateToken.as_view(), name="api-token"),
    path("tokens/", accounts.ListTokens.as_view(), name="api-tokens"),
    path("tokens/<int:pk>/", accounts.RevokeToken.as_view(), name="api-revoke-token"),
    path("accounts/", accounts.CreateAccount.as_view(), name="api-accounts"),
    path("schema/", schema.SchemaView.as_view(), name="api-schema"),
    path("docs/", schema.DocsView.as_view(), name="api-docs"),
    re_path("", schema.UnknownAddress.as_view(), name="api-unknown"),
]
