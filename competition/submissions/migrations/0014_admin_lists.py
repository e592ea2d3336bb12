from django.db import migrations, models
from django.db.models import Q

from competition.migrating import AddIndexBesideWriters


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("submissions", "0013_operating")]

    operations = [
        AddIndexBesideWriters("evaluation", models.Index(fields=["queued_at"], name="evaluation_by_time")),
        AddIndexBesideWriters(
            "evaluation",
            models.Index(fields=["code", "benchmark"], condition=~Q(code=""), name="evaluation_by_code"),
        ),
        AddIndexBesideWriters(
            "evaluation",
            models.Index(fields=["reference"], condition=~Q(reference=""), name="evaluation_by_reference"),
        ),
        AddIndexBesideWriters("submission", models.Index(fields=["created_at"], name="submission_by_time")),
        AddIndexBesideWriters(
            "submission", models.Index(fields=["track", "created_at"], name="submission_by_track")
        ),
        AddIndexBesideWriters(
            "submission",
            models.Index(fields=["entry_name"], opclasses=["varchar_pattern_ops"], name="submission_by_name"),
        ),
    ]
