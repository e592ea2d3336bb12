"""Competitions have organisers, and datasets belong to competitions.

The next migration gives them out: PostgreSQL changes no table whose rows the same transaction changed.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("tracks", "0010_benchmark_identity"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="competition",
            name="organisers",
            field=models.ManyToManyField(
                blank=True, related_name="organised_competitions", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="competition",
            name="organiser_groups",
            field=models.ManyToManyField(
                blank=True,
                related_name="organised_competitions",
                to="auth.group",
                verbose_name="groups of organisers",
            ),
        ),
        migrations.AddField(
            model_name="competition",
            name="server_folder",
            field=models.CharField(
                blank=True,
                help_text="Organisers may import data folders that lie in this one, below PODIUM_IMPORT_ROOT. "
                "“.” stands for all of it; empty: only zips.",
                max_length=200,
            ),
        ),
        migrations.AlterField(
            model_name="competition",
            name="is_public",
            field=models.BooleanField(default=True, help_text="Only its organisers see a hidden competition."),
        ),
        migrations.AddField(
            model_name="dataset",
            name="competition",
            field=models.ForeignKey(
                editable=False,
                help_text="Whose organisers may use it; without one, only superusers.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="datasets",
                to="tracks.competition",
            ),
        ),
        migrations.AlterField(
            model_name="dataset",
            name="digest",
            field=models.CharField(
                db_index=True, editable=False, help_text="sha256 of the archive's bytes.", max_length=71
            ),
        ),
        migrations.AddConstraint(
            model_name="dataset",
            constraint=models.UniqueConstraint(
                fields=("competition", "digest"), name="dataset_is_once_in_a_competition"
            ),
        ),
    ]
