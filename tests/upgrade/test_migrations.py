"""The migrations since the last release keep to the rule, and the rule refuses what it should."""

from __future__ import annotations

import pytest
from django.db import NotSupportedError, connection, migrations, models
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from competition.migrating import AddIndexBesideWriters
from tests.upgrade.rule import EXCUSED, RELEASED, unsafe_in, unsafe_operations

INDEX = models.Index(fields=["entry_bytes"], name="tried_index")


@pytest.fixture
def state(db: None) -> ProjectState:
    return MigrationExecutor(connection).loader.project_state()


def why(operation: Operation, state: ProjectState, *, atomic: bool = True) -> list[str]:
    migration = migrations.Migration("9999_tried", "submissions")
    migration.operations, migration.atomic = [operation], atomic
    return list(unsafe_in(migration, state, {("submissions", "fresh")}))


def test_the_site_of_the_last_release_survives_the_migrations_since() -> None:
    assert list(unsafe_operations()) == []


def test_the_last_release_is_one_that_was() -> None:
    numbers = {(app, int(name[:4])) for app, name in MigrationLoader(None).graph.nodes if app in RELEASED}

    assert set(RELEASED.items()) <= numbers
    assert all(EXCUSED.values())


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddField("submission", "tried", models.IntegerField(null=True)),
        migrations.AddField("submission", "tried", models.IntegerField(default=0, db_default=0)),
        migrations.CreateModel("Other", [("id", models.BigAutoField(primary_key=True))]),
        migrations.AddIndex("fresh", INDEX),
        migrations.AlterField("evaluation", "code", models.CharField(max_length=80, blank=True, default="")),
        migrations.RunPython(migrations.RunPython.noop, migrations.RunPython.noop),
    ],
)
def test_what_only_adds_is_allowed(operation: Operation, state: ProjectState) -> None:
    migrations.CreateModel("fresh", [("id", models.BigAutoField(primary_key=True))]).state_forwards(
        "submissions", state
    )

    assert why(operation, state) == []


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddField("submission", "tried", models.IntegerField(default=0)),
        migrations.AddIndex("submission", INDEX),
        migrations.RemoveField("submission", "entry_name"),
        migrations.RenameField("submission", "entry_name", "name"),
        migrations.DeleteModel("Score"),
        migrations.AlterField("evaluation", "code", models.CharField(max_length=10)),
        migrations.AlterField("evaluation", "code", models.IntegerField()),
        migrations.AlterField("evaluation", "started_at", models.DateTimeField()),
        migrations.AddConstraint("score", models.UniqueConstraint(fields=["metric"], name="tried")),
        migrations.RunPython(migrations.RunPython.noop),
        migrations.RunSQL("SELECT 1"),
    ],
)
def test_what_the_release_before_would_not_survive_is_refused(
    operation: Operation, state: ProjectState
) -> None:
    assert len(why(operation, state)) == 1


def test_an_index_beside_writers_is_allowed_where_it_can_be_made(state: ProjectState) -> None:
    operation = AddIndexBesideWriters("submission", INDEX)

    assert why(operation, state.clone(), atomic=False) == []
    assert len(why(operation, state.clone(), atomic=True)) == 1


# --- the index itself ----------------------------------------------------------------------------


def indexes() -> set[str]:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "submissions_submission")
    return {name for name, constraint in found.items() if constraint["index"]}


@pytest.mark.django_db(transaction=True)
def test_an_index_is_made_beside_writers_again_if_need_be_and_taken_back(state: ProjectState) -> None:
    operation = AddIndexBesideWriters("submission", INDEX)
    after = state.clone()
    operation.state_forwards("submissions", after)

    for _ in range(2 if connection.vendor == "postgresql" else 1):
        with connection.schema_editor(atomic=False) as editor:
            operation.database_forwards("submissions", editor, state, after)
    made = indexes()
    with connection.schema_editor(atomic=False) as editor:
        operation.database_backwards("submissions", editor, after, state)

    assert "tried_index" in made
    assert "tried_index" not in indexes()


@pytest.mark.django_db(transaction=True)
def test_within_a_transaction_it_says_what_the_migration_lacks(state: ProjectState) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite makes an index within a transaction")
    operation = AddIndexBesideWriters("submission", INDEX)

    with connection.schema_editor(atomic=True) as editor, pytest.raises(NotSupportedError, match="atomic"):
        operation.database_forwards("submissions", editor, state, state)
