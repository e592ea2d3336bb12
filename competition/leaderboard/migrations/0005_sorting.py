from django.db import migrations, models
from django.db.models import F
from django.db.models.fields.json import KeyTextTransform, KeyTransform

from competition.migrating import AddIndexBesideWriters

ROWS_AT_ONCE = 1000
SORTED_BY = ("parameters", "macs", "format", "latency_ms", "achieved_at")


def fill(apps, schema_editor):
    """Tell each standing what its entry was measured with, a batch at a time: a board is sorted by it."""
    Standing = apps.get_model("leaderboard", "Standing")
    last = 0
    while rows := list(unfilled(Standing).filter(pk__gt=last).order_by("pk")[:ROWS_AT_ONCE]):
        for row in rows:
            row.parameters, row.macs, row.format = row.of_parameters, row.of_macs, row.of_format or ""
        Standing.objects.bulk_update(rows, ["parameters", "macs", "format"])
        last = rows[-1].pk


def unfilled(Standing):
    return Standing.objects.filter(parameters=None).annotate(
        of_parameters=KeyTransform("parameters", F("evaluation__usage")),
        of_macs=KeyTransform("macs", F("evaluation__usage")),
        of_format=KeyTextTransform("format", F("evaluation__report")),
    )


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('leaderboard', '0004_boards'),
    ]

    operations = [
        *(
            AddIndexBesideWriters(
                model_name='standing',
                index=models.Index(fields=['benchmark', 'split', name, 'participant'], name=f'standing_by_{name}'),
            )
            for name in SORTED_BY
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
