"""What Django's admin shows: it looks for a module of this name in every app, and this is the only one."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.contrib.auth.models import User

from competition.admin.accounts import AccessTokenAdmin, AccountAdmin
from competition.admin.audit import AuditRecordAdmin
from competition.admin.leaderboard import StandingAdmin
from competition.admin.submissions.disqualifying import DisqualificationAdmin
from competition.admin.submissions.evaluation import EvaluationAdmin
from competition.admin.submissions.quarantine import QuarantineAdmin
from competition.admin.submissions.submission import SubmissionAdmin
from competition.admin.tracks.benchmark import BenchmarkVersionAdmin
from competition.admin.tracks.competition import CompetitionAdmin
from competition.admin.tracks.dataset import DatasetAdmin
from competition.admin.tracks.track import TrackAdmin

__all__ = [
    "AccessTokenAdmin",
    "AuditRecordAdmin",
    "BenchmarkVersionAdmin",
    "CompetitionAdmin",
    "DatasetAdmin",
    "DisqualificationAdmin",
    "EvaluationAdmin",
    "QuarantineAdmin",
    "StandingAdmin",
    "SubmissionAdmin",
    "TrackAdmin",
]

# Django's own login knows no second factor: a stolen password would be enough for the admin.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # as allauth documents

admin.site.unregister(User)
admin.site.register(User, AccountAdmin)
