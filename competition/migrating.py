"""Operations for migrations that run beside a site that is being used."""

from __future__ import annotations

from typing import Any

from django.db import NotSupportedError
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AddIndex
from django.db.migrations.state import ProjectState


class AddIndexBesideWriters(AddIndex):
    """Add an index without keeping anybody from writing, where the database can: `CONCURRENTLY` on PostgreSQL.

    The migration says `atomic = False`. One that was cut short is run again: what it left is dropped first.
    """

    atomic = False

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Add the index."""
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        if schema_editor.connection.in_atomic_block:
            raise NotSupportedError(f"the migration that adds {self.index.name} must say `atomic = False`")
        model: Any = to_state.apps.get_model(app_label, self.model_name)
        schema_editor.execute(
            f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(str(self.index.name))}"
        )
        schema_editor.add_index(model, self.index, concurrently=True)  # type: ignore[call-arg]  # PostgreSQL's takes it

    def describe(self) -> str:
        """Say what it does."""
        return f"Beside writers: {super().describe()}"
