"""The site of the last release, run against tables that were migrated for this one: the minutes of an upgrade."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
LAST_RELEASE = "af61eca4a1cfe4254cd1763f8b7d655d1eecc823"

PREPARE = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.contrib.auth import get_user_model
from competition.tracks.columns import columns_of
from competition.tracks.models import Competition, Dataset, Track
from scoring.tracks import load_track
from tests.examples import new_benchmark

get_user_model().objects.create_user("alice", "alice@example.org")
competition = Competition.objects.create(slug="cvpr2022", name="CVPR 2022")
dataset = Dataset.objects.create(
    name="D", archive="datasets/none.zip", digest="sha256:" + "d" * 64, samples=4, highest_label=3
)
columns = columns_of(load_track("cvpr2022-track1")) | {"slug": "track-one", "name": "Track one"}
track = Track.objects.create(competition=competition, dataset=dataset, **columns)
new_benchmark(track)
Track.objects.filter(pk=track.pk).update(is_open=True)
"""
MIGRATE = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
"""
OLD_SITE = """
import json
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from competition.submissions import lifecycle
from competition.submissions.models import Evaluation
from competition.leaderboard import standings
from django.contrib.auth import get_user_model
from django.utils import timezone
from tests.examples import scored_report

client = Client(raise_request_exception=True)
client.force_login(get_user_model().objects.get(username="alice"))
entries = [{"entry": SimpleUploadedFile("e.zip", content)} for content in (b"first", b"second")]
told = {"uploads": [client.post("/tracks/track-one/submit/", entry).status_code for entry in entries]}
first = Evaluation.objects.earliest("pk")
lease = lifecycle.claim(first.pk, owner="old", now=timezone.now())
lifecycle.record_scored(lease, scored_report(0.5), now=timezone.now(), place=standings.place)
pages = ("/", "/tracks/track-one/", "/tracks/track-one/leaderboard/", "/submissions/", "/status/", "/api/tracks/")
told["pages"] = [client.get(page).status_code for page in (*pages, first.submission.get_absolute_url())]
print(json.dumps(told))
"""
NEW_SITE = """
import io, json
from django.core.management import CommandError, call_command
from django.test import Client
try:
    call_command("audit", repair=True, stdout=io.StringIO())
except CommandError as exc:
    assert "left: 1" in str(exc)  # the dataset has no archive here
from competition.submissions import queue
from scoring.environment import installed_environment
from competition.clock import database_now
board = json.loads(b"".join(Client().get("/tracks/track-one/leaderboard.json")))
lease = queue.claim_next(owner="new", queues=("cpu",), environment=installed_environment(), now=database_now())
print(json.dumps({"rows": len(board["rows"]), "claimed": lease is not None}))
"""


@pytest.fixture
def last_release(tmp_path: Path) -> Path:
    """The code of the last release; its tests' helpers as well."""
    archive = subprocess.run(["git", "archive", LAST_RELEASE], cwd=ROOT, capture_output=True)
    if archive.returncode:
        pytest.skip("the history of this checkout does not reach back to the last release")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as code:
        code.extractall(tmp_path / "release", filter="data")
    return tmp_path / "release"


def run(program: str, *, code: Path, home: Path) -> str:
    """Run a program of Django with the code of a folder; return what it printed."""
    env = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "SECRET_KEY"}}
    env |= {"PODIUM_HOME": str(home), "DJANGO_SETTINGS_MODULE": "competition.settings", "ALLOWED_HOSTS": "*"}
    # No release has run collectstatic here.
    begin = f"""
import sys
sys.path.insert(0, {str(code)!r})
import django
from django.conf import settings
settings.STORAGES["staticfiles"] = {{"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
django.setup()
"""
    done = subprocess.run(
        [sys.executable, "-c", begin + program], cwd=code, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_last_site_goes_on_after_the_migrations_and_the_new_one_finds_what_it_did(
    last_release: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    run(PREPARE, code=last_release, home=home)
    run(MIGRATE, code=ROOT, home=home)

    old = json.loads(run(OLD_SITE, code=last_release, home=home))
    new = json.loads(run(NEW_SITE, code=ROOT, home=home))

    assert old == {"uploads": [302, 302], "pages": [200] * 7}
    assert new == {"rows": 1, "claimed": True}
