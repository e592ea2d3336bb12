"""What a migration may do while the site of the release before it goes on: expand, never contract."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED, Field

from competition.migrating import AddIndexBesideWriters

RELEASED = {"tracks": 12, "submissions": 1, "leaderboard": 2}
"""The last migrations of the release before this one."""
EXCUSED: dict[str, str] = {
    "submissions.0005_counts: Create index submission_newest_first on field(s) participant, -created_at of model "
    "submission": "it is made in the transaction that counts the table's rows, a second for a million of them",
}
"""What the rule refuses and may stay: also what takes something away that the release before no longer uses."""


def unsafe_operations() -> Iterator[str]:
    """Yield what the migrations since the release do that its site would not survive, or would wait for."""
    loader = MigrationLoader(None)
    added: set[tuple[str, str]] = set()
    for key in sorted(loader.graph.nodes, key=lambda key: (key[1], key[0])):
        migration = loader.graph.nodes[key]
        if is_new(migration):
            added |= {
                (key[0], o.name_lower) for o in migration.operations if isinstance(o, operations.CreateModel)
            }
    for key, migration in sorted(loader.graph.nodes.items()):
        if is_new(migration):
            yield from unsafe_in(migration, loader.project_state(key, at_end=False), added)


def is_new(migration: Migration) -> bool:
    is_ours = type(migration).__module__.startswith("competition.")
    return is_ours and int(migration.name[:4]) > RELEASED.get(migration.app_label, 0)


def unsafe_in(migration: Migration, state: ProjectState, added: set[tuple[str, str]]) -> Iterator[str]:
    """Yield what one migration does; `added` are the models that the release before does not know."""
    for operation in migration.operations:
        name = f"{migration.app_label}.{migration.name}: {operation.describe()}"
        why = why_unsafe(operation, migration, state, added)
        if why and name not in EXCUSED:
            yield f"{name}: {why}"
        operation.state_forwards(migration.app_label, state)


def why_unsafe(
    operation: Operation, migration: Migration, state: ProjectState, added: set[tuple[str, str]]
) -> str:
    """Return why the site of the release before must not meet what the operation does; empty if it may."""
    model = getattr(operation, "model_name_lower", "") or getattr(operation, "name_lower", "")
    if (migration.app_label, model) in added or isinstance(operation, operations.CreateModel):
        return ""
    if isinstance(operation, AddIndexBesideWriters):
        return "the migration must say `atomic = False`" if migration.atomic else ""
    if isinstance(operation, operations.AddIndex):
        return "nobody can write while it is made; use AddIndexBesideWriters"
    if isinstance(operation, operations.AddField):
        return why_unsafe_to_add(operation.field)
    if isinstance(operation, operations.AlterField):
        before = state.models[migration.app_label, model].fields[operation.name]
        return why_unsafe_to_alter(before, operation.field)
    if isinstance(operation, operations.RunPython):
        return "" if operation.reversible else "it cannot be taken back"
    if isinstance(operation, operations.AlterModelOptions | operations.AlterModelManagers):
        return ""
    return "it takes away, renames or constrains what the site of the release before uses"


def why_unsafe_to_add(field: Field) -> str:
    is_filled = field.null or field.many_to_many or field.db_default is not NOT_PROVIDED
    return (
        ""
        if is_filled
        else "the release before adds rows without it: let it be null, or give it a db_default"
    )


def why_unsafe_to_alter(before: Field, after: Field) -> str:
    if before.null and not after.null:
        return "the release before writes nulls"
    if (before.max_length or 0) > (after.max_length or 0):
        return "the release before writes longer values"
    kinds = {before.get_internal_type(), after.get_internal_type()}
    if len(kinds) > 1 or before.unique != after.unique or before.db_index != after.db_index:
        return "it rewrites the table, or constrains it"
    return "" if before.db_column == after.db_column else "it renames a column"
