"""A site with a million submissions: a PostgreSQL database of its own, filled by itself and dropped at the end.

Rows are made by `generate_series`, so that a million submissions take a minute or two. They are what the
services would have written, as far as pages and the queue can tell; nothing is in storage.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

SERVER: Final = os.environ.get("PODIUM_TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
BUSIEST: Final = "participant1"
ORGANISER: Final = "organiser"
"""Has the large competition."""
EARLY: Final = "early_organiser"
"""Has a small competition, all of whose submissions came before the large one's."""
EARLY_SUBMISSIONS: Final = 200
ACTS: Final = 20_000
"""So many rows has the audit trail: it grows with what staff do, not with submissions."""
SUPERUSER: Final = "superuser"
SCORED_OF_TEN: Final = 9
"""Of ten evaluations that ended, so many were scored; the rest was rejected."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much there is. Submissions are spread over tracks and participants evenly; the newest ones wait.

    `BUSIEST` has `of_the_busiest` more, from the first to the last, whatever the size.
    """

    submissions: int
    queued: int
    participants: int = 10_000
    tracks: int = 4
    of_the_busiest: int = 100


@contextmanager
def database(name: str) -> Iterator[str]:
    """Make a database with Podium's tables, let Django use it, and drop it at the end.

    Django is set up here: nothing may have done so in this process before.
    """
    import psycopg

    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        server.execute(f'CREATE DATABASE "{name}"')
        try:
            url = urlunsplit(urlsplit(SERVER)._replace(path=f"/{name}"))
            _set_up(url)
            yield url
        finally:
            server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _set_up(url: str) -> None:
    os.environ["DATABASE_URL"] = url
    os.environ["DJANGO_SETTINGS_MODULE"] = "competition.settings"
    os.environ["DATABASE_STATEMENT_TIMEOUT_S"] = "0"  # the site gives up sooner than these statements take
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def fill(size: Size) -> None:
    """Write the rows, of an empty database or beside what an earlier call wrote, and let the planner look at them."""
    from django.db import connection, transaction

    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
    with transaction.atomic(), connection.cursor() as cursor:
        tracks = _tracks("large", size.tracks)
        # Rows refer to rows that this very transaction wrote: a million look-ups would prove nothing.
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in STATEMENTS:
            cursor.execute(statement, _numbers(size, tracks))
        _add_staff_and_what_they_see(cursor)
    for keep in _kept():
        keep()
    with connection.cursor() as cursor:
        # What helpers of a session compute would be missing from the time of its own process.
        cursor.execute("SELECT current_database()")
        cursor.execute(f'ALTER DATABASE "{cursor.fetchone()[0]}" SET max_parallel_workers_per_gather = 0')
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("RESET statement_timeout")


def _numbers(size: Size, tracks: Sequence[int]) -> dict[str, object]:
    return {
        "submissions": size.submissions,
        "queued": size.queued,
        "participants": size.participants,
        "tracks": list(tracks),
        "scored_of_ten": SCORED_OF_TEN,
        "of_the_busiest_each": size.submissions // size.of_the_busiest,
    }


def _add_staff_and_what_they_see(cursor: CursorWrapper) -> None:
    """Make organisers, a small early competition, and an audit trail."""
    from django.contrib.auth.models import User

    from competition.admin.organisers import organisers
    from competition.tracks.models import Competition

    tracks = _tracks("early", 1)
    cursor.execute(EARLY_SUBMISSION, {"tracks": tracks, "submissions": EARLY_SUBMISSIONS})
    early = {"submissions": EARLY_SUBMISSIONS, "queued": 0, "tracks": tracks, "scored_of_ten": SCORED_OF_TEN}
    for statement in (EVALUATIONS, SCORES, STANDINGS):
        cursor.execute(statement, early)
    for name, slug in ((ORGANISER, "large"), (EARLY, "early")):
        user = User.objects.create_user(name, f"{name}@example.org", is_staff=True)
        user.groups.add(organisers())
        Competition.objects.get(slug=slug).organisers.add(user)
    User.objects.create_superuser(SUPERUSER, f"{SUPERUSER}@example.org")
    for statement in (TRAIL, TOKENS):
        cursor.execute(statement, {"rows": ACTS})


def _tracks(slug: str, number: int) -> list[int]:
    """Make one competition with open tracks that have a benchmark version each."""
    from competition.tracks.columns import columns_of
    from competition.tracks.models import Competition, Dataset, Track
    from scoring.tracks import load_track
    from tests.examples import new_benchmark

    competition = Competition.objects.create(slug=slug, name=slug.capitalize())
    dataset = Dataset.objects.create(
        competition=competition,
        name="d",
        archive="none",
        digest=f"sha256:{slug}",
        samples=4,
        private_samples=2,
    )
    document = load_track("cvpr2022-track1")
    document = replace(document, page=replace(document.page, prizes=False))
    made = []
    for count in range(number):
        columns = columns_of(document) | {"slug": f"{slug}-{count}", "name": f"{slug} {count}"}
        track = Track.objects.create(competition=competition, dataset=dataset, **columns)
        new_benchmark(track)
        Track.objects.filter(pk=track.pk).update(is_open=True)
        made.append(track.pk)
    return made


def _kept() -> tuple[Callable[[], object], ...]:
    """Return what makes the rows that services keep beside those above: counts, and boards with their ranks."""
    from competition.submissions import lifecycle

    return lifecycle.rebuild_queue, _count_and_rank


def _count_and_rank() -> None:
    from competition.leaderboard import rankings
    from competition.submissions import counts
    from competition.tracks.models import BenchmarkVersion, Track
    from scoring.contracts import Split

    for track in Track.objects.all():
        counts.rebuild(track)
    for version in BenchmarkVersion.objects.all():
        for split in Split:
            rankings.rank_anew(version, split)


PARTICIPANTS: Final = """
    INSERT INTO auth_user (
        username, email, password, first_name, last_name, is_staff, is_superuser, is_active, date_joined)
    SELECT 'participant' || n, 'p' || n || '@example.org', '!', '', '', FALSE, FALSE, TRUE, now()
    FROM generate_series(1, %(participants)s) n
    ON CONFLICT DO NOTHING
"""
# Number n is of participant n and, once all have one, of the next track: everybody takes part in every track.
SUBMISSIONS: Final = """
    INSERT INTO submissions_submission (
        id, track_id, participant_id, entry, entry_name, entry_bytes, sha256, created_at)
    SELECT gen_random_uuid(),
           (%(tracks)s::bigint[])[1 + (n / %(participants)s) %% cardinality(%(tracks)s::bigint[])],
           users.id, 'entries/none/' || n, 'entry ' || n || '.zip', 1000 + n, md5(n::text) || md5((-n)::text),
           now() - (%(submissions)s - n) * interval '86400 seconds' * 90 / %(submissions)s
    FROM generate_series(0, %(submissions)s - 1) n
    JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM auth_user
          WHERE username LIKE 'participant%%') users
      ON users.place = CASE WHEN n %% %(of_the_busiest_each)s = 7 THEN 0 ELSE n %% %(participants)s END
"""
EVALUATIONS: Final = """
    INSERT INTO submissions_evaluation (
        submission_id, benchmark_id, priority, status, stage, code, queued_at, started_at, finished_at,
        cancel_requested, attempts, fence, lease_owner, findings, usage, report, log, reference, fault)
    SELECT id, benchmark_id, CASE WHEN status = 'queued' AND n %% 10 = 0 THEN 10 ELSE 0 END, status,
           CASE status WHEN 'queued' THEN '' ELSE 'metric' END,
           CASE status WHEN 'rejected' THEN 'parameters_over_budget' ELSE '' END,
           created_at,
           CASE WHEN status <> 'queued' THEN created_at + interval '5 seconds' END,
           CASE WHEN status <> 'queued' THEN created_at + interval '5 seconds' + (n %% 97) * interval '1 second' END,
           FALSE, (status <> 'queued')::int, (status <> 'queued')::int, '', '[]',
           CASE status WHEN 'scored' THEN jsonb_build_object(
               'parameters', n, 'trainable_parameters', n, 'macs', n, 'package_bytes', n, 'captured', TRUE,
               'macs_by_counter', jsonb_build_object('dispatch', n), 'cpu_s_per_sample', NULL,
               'latency_p50_ms', NULL, 'latency_p95_ms', NULL) END,
           CASE status WHEN 'scored' THEN
               '{"format": "cvpr-zip", "samples": 4, "timings_s": {"intake": 0.1}}'::jsonb END,
           '', '', ''
    FROM (
        SELECT s.id, t.benchmark_id, s.created_at, s.n,
               CASE WHEN s.n > %(submissions)s - %(queued)s THEN 'queued'
                    WHEN s.n %% 10 < %(scored_of_ten)s THEN 'scored' ELSE 'rejected' END AS status
        FROM (SELECT *, row_number() OVER (ORDER BY created_at) AS n
              FROM submissions_submission WHERE track_id = ANY(%(tracks)s)) s
        JOIN tracks_track t ON t.id = s.track_id
    ) numbered
"""
# Hundreds of thousands of values, so that hardly any tie; intervals as wide as those of a few hundred samples.
SCORES: Final = """
    INSERT INTO submissions_score (
        evaluation_id, metric, split, value, ci_low, ci_high, higher_is_better, version, details)
    SELECT id, metric, split, value, value - width, value + width, TRUE, '1', '{}'
    FROM (
        SELECT e.id, metric, split, 0.3 + 0.6 * random() AS value, 0.005 + 0.02 * random() AS width
        FROM submissions_evaluation e
        JOIN submissions_submission s ON s.id = e.submission_id
        CROSS JOIN (VALUES ('accuracy', 'public'), ('accuracy', 'private'), ('top5_accuracy', 'public'))
              kinds(metric, split)
        WHERE e.status = 'scored' AND s.track_id = ANY(%(tracks)s)
    ) drawn
"""
STANDINGS: Final = """
    INSERT INTO leaderboard_standing (
        benchmark_id, participant_id, split, evaluation_id, value, ci_low, ci_high, inside_gate, achieved_at)
    SELECT DISTINCT ON (e.benchmark_id, s.participant_id, c.split)
           e.benchmark_id, s.participant_id, c.split, e.id, c.value, c.ci_low, c.ci_high, TRUE, s.created_at
    FROM submissions_score c
    JOIN submissions_evaluation e ON e.id = c.evaluation_id
    JOIN submissions_submission s ON s.id = e.submission_id
    WHERE c.metric = 'accuracy' AND s.track_id = ANY(%(tracks)s)
    ORDER BY e.benchmark_id, s.participant_id, c.split, c.value DESC, s.created_at
"""
EARLY_SUBMISSION: Final = """
    INSERT INTO submissions_submission (
        id, track_id, participant_id, entry, entry_name, entry_bytes, sha256, created_at)
    SELECT gen_random_uuid(), (%(tracks)s::bigint[])[1], users.id, 'entries/none/early-' || n,
           'early ' || n || '.zip', 1000 + n, md5('early' || n) || md5('early' || -n),
           now() - interval '200 days' + n * interval '1 hour'
    FROM generate_series(1, %(submissions)s) n
    JOIN auth_user users ON users.username = 'participant' || (1 + n %% 50)
"""
TRAIL: Final = """
    INSERT INTO audit_auditrecord (
        at, actor_id, actor_name, act, object_type, object_id, object_name, competition_id, before, after, reason)
    SELECT now() - n * interval '60 seconds', users.id, users.username,
           CASE WHEN n %% 20 = 0 THEN 'track.edited' ELSE 'evaluation.cancelled' END,
           'submissions.evaluation', n::text, 'evaluation ' || n, competitions.id,
           '{"status": "queued"}', '{"status": "cancelled"}', ''
    FROM generate_series(1, %(rows)s) n, auth_user users, tracks_competition competitions
    WHERE users.username = 'organiser' AND competitions.slug = 'large'
"""
TOKENS: Final = """
    INSERT INTO accounts_accesstoken (user_id, name, digest, beginning, created_at)
    SELECT id, 'laptop', md5(username) || md5('-' || username), 'podium', date_joined FROM auth_user
"""
STATEMENTS: Final = (PARTICIPANTS, SUBMISSIONS, EVALUATIONS, SCORES, STANDINGS)
