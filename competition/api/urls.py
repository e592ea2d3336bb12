"""Addresses of the API."""

from django.urls import path, re_path

from competition.api import accounts, schema
from competition.tracks import api as tracks

urlpatterns = [
    path("tracks/", tracks.ListTracks.as_view(), name="api-tracks"),
    path("tracks/<slug:slug>/", tracks.ShowTrack.as_view(), name="api-track"),
    path("token/", accounts.CreateToken.as_view(), name="api-token"),
    path("accounts/", accounts.CreateAccount.as_view(), name="api-accounts"),
    path("schema/", schema.SchemaView.as_view(), name="api-schema"),
    path("docs/", schema.DocsView.as_view(), name="api-docs"),
    re_path(r"^.*$", schema.UnknownAddress.as_view(), name="api-unknown"),
]
