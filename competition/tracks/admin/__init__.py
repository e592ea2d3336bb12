"""The admin of competitions, tracks and datasets."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin

from competition.tracks.admin.benchmark import BenchmarkVersionAdmin
from competition.tracks.admin.competition import CompetitionAdmin
from competition.tracks.admin.dataset import DatasetAdmin
from competition.tracks.admin.track import TrackAdmin

__all__ = ["BenchmarkVersionAdmin", "CompetitionAdmin", "DatasetAdmin", "TrackAdmin"]

admin.site.site_header = "Podium"
admin.site.site_title = "Podium"
admin.site.index_title = "Organisation"
# Django's own login knows no second factor: a stolen password would be enough for the admin.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # as allauth documents
