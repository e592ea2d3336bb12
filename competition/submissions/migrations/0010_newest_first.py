from django.db import migrations, models

from competition.migrating import AddIndexBesideWriters


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("submissions", "0009_lane_without_index")]

    operations = [
        AddIndexBesideWriters(
            model_name="submission",
            index=models.Index(fields=["participant", "-created_at"], name="submission_newest_first"),
        )
    ]
