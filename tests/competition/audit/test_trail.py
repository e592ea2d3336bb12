"""The audit trail: rows come with their act, go with it, and never change."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction

from competition.audit.models import Act, AuditRecord
from competition.audit.recording import columns_of, record, record_change
from competition.tracks.models import Competition, Track
from tests.examples import START

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(track: Track, alice: User) -> AuditRecord:
    return record(
        Act.TRACK_OPENED, track, by=alice, competition_id=track.competition_id, reason="It is time."
    )


def test_a_row_says_when_who_what_on_what_and_why(row: AuditRecord, track: Track, alice: User) -> None:
    stored = AuditRecord.objects.get()

    assert stored.at > START
    assert (stored.actor, stored.actor_name, stored.act) == (alice, "alice", "track.opened")
    assert (stored.object_type, stored.object_id) == ("tracks.track", str(track.pk))
    assert (stored.object_name, stored.competition) == (str(track), track.competition)
    assert stored.reason == "It is time."


def test_no_row_is_changed_or_deleted(row: AuditRecord) -> None:
    for act in (row.save, row.delete, AuditRecord.objects.all().delete):
        with pytest.raises(TypeError, match="append-only"):
            act()
    with pytest.raises(TypeError, match="append-only"):
        AuditRecord.objects.update(reason="another")


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_auditrecord SET reason = ''", "DELETE FROM audit_auditrecord"]
)
def test_the_database_refuses_as_well(row: AuditRecord, statement: str) -> None:
    if statement.startswith("DELETE") and connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL refuses to delete")
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)

    assert AuditRecord.objects.get().reason == "It is time."


def test_an_act_that_is_undone_leaves_no_row(track: Track) -> None:
    with transaction.atomic():
        record(Act.TRACK_CLOSED, track, by=None, competition_id=track.competition_id)
        transaction.set_rollback(True)

    assert AuditRecord.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_nothing_is_recorded_outside_a_transaction(track: Track) -> None:
    with pytest.raises(RuntimeError, match="outside the transaction"):
        record(Act.TRACK_CLOSED, track, by=None, competition_id=track.competition_id)


def test_only_what_differs_is_told_and_no_difference_is_no_row(track: Track) -> None:
    before = columns_of(track)
    record_change(Act.TRACK_EDITED, track, before, columns_of(track), by=None, competition_id=None)
    assert AuditRecord.objects.count() == 0

    after = {**before, "quota_submissions": 9, "metric": "loss"}
    record_change(Act.TRACK_EDITED, track, before, after, by=None, competition_id=None)

    row = AuditRecord.objects.get()
    assert row.before == {"quota_submissions": before["quota_submissions"], "metric": before["metric"]}
    assert row.after == {"quota_submissions": 9, "metric": "loss"}


def test_a_row_outlives_what_it_names(alice: User) -> None:
    gone = Competition.objects.create(slug="gone", name="Gone")
    record(Act.COMPETITION_CREATED, gone, by=alice, competition_id=gone.pk)
    gone.delete()
    alice.delete()

    row = AuditRecord.objects.select_related("competition", "actor").get()

    assert (row.object_name, row.actor_name, row.competition, row.actor) == ("Gone", "alice", None, None)
