"""A backup restored into an empty installation of its own gives the same site; a damaged one gives nothing."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from pytest_django import Settings

from competition.leaderboard import standings
from competition.submissions import lifecycle
from competition.submissions.models import Evaluation, Submission
from competition.tracks.models import Competition, Dataset, Track
from competition.upkeep import backup, rows
from competition.upkeep.restore import restore
from scoring.contracts import Finding
from scoring.errors import Rejected
from tests.examples import START, scored_report

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

ROOT = Path(__file__).parents[3]
ELSEWHERE = """
import json, sys
import django
django.setup()
from django.core.management import call_command
from django.test import Client
call_command("migrate", verbosity=0)
call_command("restore", sys.argv[1], stdout=sys.stderr)
call_command("audit", stdout=sys.stderr)
from tests.competition.upkeep.test_backup import contents, lives
shown = {path: json.loads(Client().get(path).getvalue()) for path in sys.argv[2:]}
print(json.dumps({"shown": shown, "lives": lives(), "contents": contents()}))
"""


def lives() -> list[list[object]]:
    """Return what became of each evaluation."""
    return sorted(map(list, Evaluation.objects.values_list("pk", "status", "code", "log")))


def contents() -> list[str]:
    """Return what each entry holds."""
    return sorted(Path(submission.entry.path).read_text() for submission in Submission.objects.all())


@pytest.fixture
def dataset(dataset: Dataset) -> Dataset:
    content = b"archive"
    dataset.digest = "sha256:" + backup.hashlib.sha256(content).hexdigest()
    dataset.archive_bytes = len(content)
    dataset.archive.save("data.zip", ContentFile(content))
    return dataset


@pytest.fixture
def board(
    make_user: Callable[[str], User], make_evaluation: Callable[..., Evaluation], track: Track
) -> list[Evaluation]:
    """A board of three, one rejected entry with a hostile log, and one that waits."""
    evaluations = [make_evaluation(make_user(f"user {number} é"), track) for number in range(5)]
    leases = [lifecycle.claim(each.pk, owner="w", now=START) for each in evaluations[:4]]
    for number, lease in enumerate(leases[:3]):
        report = scored_report(0.1 + number / 3, private=0.5, log="first\nsecond\u2028third")
        lifecycle.record_scored(lease, report, now=START, place=standings.place)
    refused = Rejected(
        Finding(code="missing_file", path="model.py", facts={"expected": "model.py"}), log="{}\n"
    )
    lifecycle.record_rejected(leases[3], refused, now=START)
    return evaluations


@pytest.fixture
def made(board: list[Evaluation], tmp_path: Path) -> Path:
    call_command("backup", tmp_path / "backup", stdout=io.StringIO())
    return tmp_path / "backup"


def environment(home: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PODIUM_HOME": str(home),
        "DATABASE_URL": "",
        "SECRET_KEY": "",
        "ALLOWED_HOSTS": "*",
    } | {"DJANGO_SETTINGS_MODULE": "competition.settings"}


def test_a_restored_site_shows_the_same_boards(made: Path, track: Track, tmp_path: Path) -> None:
    shown = {
        path: json.loads(Client().get(path).getvalue())
        for path in (f"/tracks/{track.slug}/leaderboard.json", f"/api/tracks/{track.slug}/leaderboard/")
    }
    env = {name: value for name, value in environment(tmp_path / "home").items() if value}

    elsewhere = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(made), *shown],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
    )

    assert elsewhere.returncode == 0, elsewhere.stderr
    told = json.loads(elsewhere.stdout)
    assert len(shown[f"/tracks/{track.slug}/leaderboard.json"]["rows"]) == 3
    assert json.dumps(told["shown"], sort_keys=True).replace("localhost", "testserver") == json.dumps(
        shown, sort_keys=True
    )
    assert (told["lives"], told["contents"]) == (lives(), contents())
    assert (tmp_path / "home/secret.key").read_text() == (made / backup.KEY).read_text()


def test_rows_come_back_as_they_were(made: Path) -> None:
    before = sorted(rows.dump())

    with gzip.open(made / backup.ROWS, "rt") as lines:
        assert rows.load(lines) == len(before)

    assert sorted(rows.dump()) == before


def test_numbers_go_on_after_those_that_came_back(made: Path, competition: Competition) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT setval(pg_get_serial_sequence('tracks_competition', 'id'), 1, false)")

    with gzip.open(made / backup.ROWS, "rt") as lines:
        rows.load(lines)

    assert Competition.objects.create(slug="new", name="New").pk > competition.pk


def test_nothing_is_restored_over_what_is_there(made: Path) -> None:
    before = sorted(rows.dump())

    with pytest.raises(backup.BackupProblem, match="not empty"):
        restore(made)

    assert sorted(rows.dump()) == before


def empty(settings: Settings, folder: Path) -> None:
    """Take all rows and files away."""
    rows.load([])
    settings.MEDIA_ROOT = folder


def cut_rows(made: Path) -> None:
    content = (made / backup.ROWS).read_bytes()
    (made / backup.ROWS).write_bytes(content[: len(content) // 2])


def change_a_file(made: Path) -> None:
    file = next(path for path in (made / backup.FOLDER).rglob("*") if path.is_file())
    file.write_bytes(file.read_bytes()[::-1])


def change_manifest(**fields: object) -> Callable[[Path], None]:
    def change(made: Path) -> None:
        told = asdict(backup.read_manifest(made)) | fields
        (made / backup.MANIFEST).write_text(json.dumps(told))

    return change


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (cut_rows, "damaged"),
        (change_a_file, "damaged"),
        (lambda made: (made / backup.MANIFEST).unlink(), "no whole backup"),
        (lambda made: (made / backup.MANIFEST).write_text("[]"), "no whole backup"),
        (change_manifest(format=2), "format 2"),
        (change_manifest(migrations=["tracks.0001_initial"]), "restore it with that release"),
        (change_manifest(rows=1), "rows were loaded"),
    ],
)
def test_a_damaged_backup_restores_no_row(
    made: Path, settings: Settings, tmp_path: Path, damage: Callable[[Path], None], says: str
) -> None:
    damage(made)
    empty(settings, tmp_path / "other")

    with pytest.raises(backup.BackupProblem, match=says):
        restore(made)

    assert list(rows.dump()) == []


def test_a_restore_that_was_cut_short_may_be_repeated(made: Path, settings: Settings, tmp_path: Path) -> None:
    empty(settings, tmp_path / "other")
    name = next(json.loads(line)["name"] for line in (made / backup.FILES).read_text().splitlines())
    default_storage.save(name, ContentFile((made / backup.FOLDER / name).read_bytes()))

    restore(made)

    assert Submission.objects.count() == 5


def test_a_backup_is_made_of_what_was_stored_or_not_at_all(board: list[Evaluation], tmp_path: Path) -> None:
    Path(board[0].submission.entry.path).write_bytes(b"another")

    with pytest.raises(CommandError, match="is not what was stored there"):
        call_command("backup", tmp_path / "backup")

    assert not (tmp_path / "backup" / backup.MANIFEST).exists()


def test_a_backup_overwrites_nothing(made: Path) -> None:
    with pytest.raises(CommandError, match="is not empty"):
        call_command("backup", made)


def test_a_backup_is_for_its_owner_alone(made: Path) -> None:
    assert (made.stat().st_mode & 0o777, (made / backup.KEY).stat().st_mode & 0o777) == (0o700, 0o600)


def test_a_backup_keeps_nobody_from_writing(track: Track) -> None:
    with rows.one_moment():
        before = sum(1 for _ in rows.dump())
        if connection.vendor == "sqlite":  # on PostgreSQL nobody waits for a reader
            assert connection.connection.in_transaction
        assert sum(1 for _ in rows.dump()) == before
