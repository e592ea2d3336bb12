"""The database itself refuses to change a row of the audit trail; PostgreSQL also refuses to delete one.

On SQLite rows may be deleted: tests empty its tables that way, and whoever has the file has all of it anyway.
Whatever rebuilds the table on SQLite must make the trigger again.
"""

from django.db import migrations

MAKE = {
    "postgresql": (
        """
        CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'restrict_violation'; END $$
        """,
        """
        CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON audit_auditrecord
        FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()
        """,
    ),
    "sqlite": (
        """
        CREATE TRIGGER audit_is_append_only BEFORE UPDATE ON audit_auditrecord
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END
        """,
    ),
}
DROP = {
    "postgresql": (
        "DROP TRIGGER audit_is_append_only ON audit_auditrecord",
        "DROP FUNCTION audit_is_append_only()",
    ),
    "sqlite": ("DROP TRIGGER audit_is_append_only",),
}


def make(apps, schema_editor):
    for statement in MAKE.get(schema_editor.connection.vendor, ()):
        schema_editor.execute(statement, params=None)


def drop(apps, schema_editor):
    for statement in DROP.get(schema_editor.connection.vendor, ()):
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [migrations.RunPython(make, drop)]
