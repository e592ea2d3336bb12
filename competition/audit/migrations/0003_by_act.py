from django.db import migrations, models

from competition.migrating import AddIndexBesideWriters


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("audit", "0002_append_only")]

    operations = [AddIndexBesideWriters("auditrecord", models.Index(fields=["act", "at"], name="audit_by_act"))]
