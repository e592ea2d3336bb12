"""Who looks at the admin, and the tracks that its tests start from: ready, with data on disk."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from competition.admin.organisers import organisers
from competition.submissions.models import Evaluation, Submission
from competition.tracks.models import Competition, Track
from scoring.contracts import Status
from tests.competition.tracks.conftest import competition, dataset, files, folder, make_folder, track

__all__ = ["competition", "dataset", "files", "folder", "make_folder", "track"]


@pytest.fixture
def organiser(competition: Competition) -> Client:
    """A browser of an organiser of the competition."""
    user = User.objects.create_user("grace", is_staff=True)
    user.groups.add(organisers())
    competition.organisers.add(user)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def onlooker(competition: Competition) -> Client:
    """A browser of an organiser of the competition who may only look at tracks."""
    user = User.objects.create_user("linus", is_staff=True)
    competition.organisers.add(user)
    user.user_permissions.add(Permission.objects.get(codename="view_track"))
    client = Client()
    client.force_login(user)
    return client


def evaluate(track: Track, *, status: Status = Status.QUEUED, name: str = "ada") -> Evaluation:
    participant = User.objects.create(username=name, email=f"{name}@example.org")
    submission = Submission.objects.create(
        track=track, participant=participant, entry="x", entry_name="=1+1.zip", entry_bytes=1, sha256="0" * 64
    )
    ended = None if status in (Status.QUEUED, Status.RUNNING) else timezone.now()
    return Evaluation.objects.create(
        submission=submission, benchmark=track.benchmark, status=status, finished_at=ended
    )
