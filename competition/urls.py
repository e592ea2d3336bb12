"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path

handler400 = "competition.failures.bad_request"
handler404 = "competition.failures.not_found"
handler500 = "competition.failures.server_error"

urlpatterns = [
    path("", include("competition.pages.urls")),
    path("", include("competition.operations.urls")),
    path("api/", include("competition.api.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]
