"""What Django's admin shows: it looks for a module of this name in every app, and this is the only one."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin

from competition.admin.accounts import AccessTokenAdmin
from competition.admin.leaderboard import StandingAdmin
from competition.admin.submissions.evaluation import EvaluationAdmin
from competition.admin.submissions.submission import SubmissionAdmin
from competition.admin.tracks.benchmark import BenchmarkVersionAdmin
from competition.admin.tracks.competition import CompetitionAdmin
from competition.admin.tracks.dataset import DatasetAdmin
from competition.admin.tracks.track import TrackAdmin

__all__ = [
    "AccessTokenAdmin",
    "BenchmarkVersionAdmin",
    "CompetitionAdmin",
    "DatasetAdmin",
    "EvaluationAdmin",
    "StandingAdmin",
    "SubmissionAdmin",
    "TrackAdmin",
]

# Django's own login knows no second factor: a stolen password would be enough for the admin.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # as allauth documents
