from django.db import migrations, models

from competition.migrating import AddIndexBesideWriters


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('leaderboard', '0005_sorting'),
    ]

    operations = [
        AddIndexBesideWriters(
            model_name='standing',
            index=models.Index(fields=['benchmark', 'split', 'value', 'participant'], name='standing_by_value'),
        ),
    ]
