"""An index for how names begin, whatever their case: a large board is searched by it."""

from django.conf import settings
from django.db import migrations

NAME = "auth_user_name_begins"


def make(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return  # a site on SQLite is small
    schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}")  # what was cut short left
    schema_editor.execute(
        f"CREATE INDEX CONCURRENTLY {NAME} ON auth_user (UPPER(username::text) text_pattern_ops)"
    )


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}")


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('accounts', '0001_access_tokens'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [migrations.RunPython(make, drop)]
