"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("competition.tracks.urls")),
    path("", include("competition.submissions.urls")),
    path("", include("competition.leaderboard.urls")),
    path("", include("competition.accounts.urls")),
    path("api/", include("competition.api.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]
