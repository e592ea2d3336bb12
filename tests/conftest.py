"""Fixtures that every part shares: a database of this run's own, people, a track, and the time."""

import gc
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import cache
from itertools import count
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.signals import setting_changed
from django.db import transaction
from pytest_django import DjangoDbBlocker, Settings

from competition.celery import app
from competition.submissions import lifecycle
from competition.submissions.counts import count_submission
from competition.submissions.models import Evaluation, Submission
from competition.tracks.columns import columns_of
from competition.tracks.models import Competition, Dataset, Track
from scoring.environment import ENV_FILE
from scoring.tracks import load_track
from tests import database
from tests.examples import START, Clock, new_benchmark, rewrite
from tests.processor_time import ProcessorTime, is_slow

# A busy machine must not fail a test.
hypothesis.settings.register_profile("podium", deadline=None)
hypothesis.settings.load_profile("podium")

DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--processor-time", metavar="FILE", help="write the processor time of each test function here"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Tell what tests cost wherever the slowest are asked for."""
    if config.getoption("durations") or config.getoption("processor_time"):
        config.pluginmanager.register(ProcessorTime(config))


@cache
def sandbox_failure() -> str:
    """Say why no sandbox works here; empty where one does."""
    from scoring.sandbox.trial import trial_failure

    return trial_failure("bubblewrap")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what reads or writes a database, to be run on another one alone, and what the list of slow tests names."""
    for item in items:
        if is_slow(item):
            item.add_marker("slow")
        if item.get_closest_marker("django_db") or DATABASE_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("database")


def pytest_collection_finish() -> None:
    """Let the collector leave alone what lives as long as this process, and come less often: a tenth of all time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what is marked as needing a sandbox, where none works, before its fixtures are made."""
    if item.get_closest_marker("sandbox") and sandbox_failure():
        pytest.skip(f"no working sandbox here: {sandbox_failure()}")


@pytest.fixture
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Return the name of an environment that this machine knows, and has not installed."""
    folder = tmp_path / "environments"
    folder.mkdir()
    (folder / "own-1.0.txt").write_text(ENV_FILE.read_text("utf-8") + "einops==0.8.2\n")
    monkeypatch.setenv("PODIUM_ENVIRONMENTS", str(folder))
    return "own-1.0"


@pytest.fixture
def quick_backends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands that open a sandbox by its name get one for tests in which isolation is not what is tested."""
    from scoring.sandbox import BACKENDS, Backend

    quick = Backend(module="tests.forked.sandbox", name="quick_sandbox", for_strangers=True)
    for name in BACKENDS:
        monkeypatch.setitem(BACKENDS, name, quick)


@pytest.fixture(scope="session")
def kept_database(request: pytest.FixtureRequest) -> Path | None:
    """Say where a migrated database is kept: it takes seconds to make; None for a server's, or without a cache."""
    cache = getattr(request.config, "cache", None)
    is_file = django_settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
    return database.kept(cache.mkdir("database")) if cache and is_file else None


@pytest.fixture(scope="session")
def django_db_keepdb(kept_database: Path | None) -> bool:
    """Let Django begin with a database that is there, where one is kept."""
    return kept_database is not None


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    tmp_path_factory: pytest.TempPathFactory, kept_database: Path | None
) -> None:
    """Give this run a test database of its own: a file on SQLite, so that threads share it as in production."""
    default = django_settings.DATABASES["default"]
    if default["ENGINE"].endswith("sqlite3"):
        name = tmp_path_factory.mktemp("database") / "test.sqlite3"
        if kept_database:
            database.take(kept_database, to=name)
    else:
        name = f"test_podium_{os.getpid()}"
        # Most tests are one transaction from their beginning to their end, however long that takes.
        default["OPTIONS"]["options"] += " -c idle_in_transaction_session_timeout=0"
    default.setdefault("TEST", {})["NAME"] = str(name)


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, kept_database: Path | None
) -> None:
    """Keep the database once it is made."""
    if kept_database and not kept_database.exists():
        with django_db_blocker.unblock():
            database.keep(kept_database)


@pytest.fixture(scope="session", autouse=True)
def _plain_and_quick() -> None:
    """Serve static files under their own names, hash passwords quickly, and keep wake-ups in this process."""
    # No test runs collectstatic first.
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    django_settings.STORAGES["staticfiles"] = plain
    # A safe hash takes long by design.
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Whoever asked for them earlier, while tests were collected, has the others.
    for name in ("STORAGES", "PASSWORD_HASHERS"):
        setting_changed.send(sender=None, setting=name, value=getattr(django_settings, name), enter=True)
    app.conf.broker_url = "memory://localhost/"


@pytest.fixture(scope="session")
def _folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Name folders that nobody has made yet: most tests keep no file."""
    root = tmp_path_factory.mktemp("kept")
    return (root / str(number) for number in count())


@pytest.fixture(autouse=True)
def _own_files(settings: Settings, _folders: Iterator[Path]) -> None:
    """Keep uploads and prepared inputs in folders of this test's own."""
    own = next(_folders)
    settings.MEDIA_ROOT = own / "files"
    settings.CACHE_DIR = own / "cache"
    settings.FILE_UPLOAD_TEMP_DIR = str(own / "uploads")
    (own / "uploads").mkdir(parents=True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def now() -> datetime:
    return START


@pytest.fixture
def make_user(db: None) -> Callable[[str], User]:
    """Return a function that makes a participant."""
    return lambda name: get_user_model().objects.create_user(username=name, email=f"{name}@example.org")


@pytest.fixture
def alice(make_user: Callable[[str], User]) -> User:
    return make_user("alice")


@pytest.fixture
def bob(make_user: Callable[[str], User]) -> User:
    return make_user("bob")


@pytest.fixture
def staff(competition: Competition) -> User:
    """An organiser of the competition, without any permission in the admin."""
    user = get_user_model().objects.create_user("staff", "staff@example.org", is_staff=True)
    competition.organisers.add(user)
    return user


@pytest.fixture
def competition(db: None) -> Competition:
    return Competition.objects.create(slug="cvpr2022", name="CVPR 2022")


@pytest.fixture
def dataset(db: None) -> Dataset:
    return Dataset.objects.create(
        name="Digits", archive="datasets/none.zip", digest="sha256:" + "d" * 64, samples=4, highest_label=3
    )


@pytest.fixture
def make_track(competition: Competition, dataset: Dataset) -> Callable[..., Track]:
    """Return a function that makes an open track with a benchmark version."""

    def make(slug: str, **fields: object) -> Track:
        document = load_track("cvpr2022-track1")
        # Without prizes, reports tell all that they can.
        document = replace(document, page=replace(document.page, prizes=False))
        columns = columns_of(document) | {"slug": slug, "name": slug.title()}
        track = Track(competition=competition, dataset=dataset, **columns)
        rewrite(track, **fields)
        new_benchmark(track)
        track.is_open = True
        track.save()
        return track

    return make


@pytest.fixture
def track(make_track: Callable[..., Track]) -> Track:
    return make_track("track-one")


@pytest.fixture
def make_evaluation(db: None) -> Callable[..., Evaluation]:
    """Return a function that makes a queued evaluation of a new submission, its entry in storage."""

    def make(participant: User, track: Track, *, at: datetime = START, **fields: object) -> Evaluation:
        content = f"entry {Submission.objects.count()}".encode()
        submission = Submission(
            track=track,
            participant=participant,
            entry_name="entry.zip",
            entry_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            created_at=at,
        )
        submission.entry.save("entry", ContentFile(content), save=False)
        submission.save()
        with transaction.atomic():
            count_submission(submission)
        evaluation = Evaluation(
            submission=submission, benchmark=track.benchmark, **{"queued_at": at, **fields}
        )
        lifecycle.enter([evaluation])
        return evaluation

    return make


@pytest.fixture
def evaluation(make_evaluation: Callable[..., Evaluation], alice: User, track: Track) -> Evaluation:
    return make_evaluation(alice, track)
