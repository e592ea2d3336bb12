from django.db import migrations, models

from competition.migrating import AddIndexBesideWriters


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('submissions', '0006_lines'),
    ]

    operations = [
        AddIndexBesideWriters(
            model_name='evaluation',
            index=models.Index(fields=['finished_at'], name='evaluation_finished'),
        ),
        AddIndexBesideWriters(
            model_name='evaluation',
            index=models.Index(condition=models.Q(('status', 'queued')), fields=['lane', 'queued_at', 'id'], name='evaluation_in_lane'),
        ),
        AddIndexBesideWriters(
            model_name='evaluation',
            index=models.Index(condition=models.Q(('not_before__isnull', False), ('status', 'queued')), fields=['not_before'], name='evaluation_resting'),
        ),
        AddIndexBesideWriters(
            model_name='evaluation',
            index=models.Index(condition=models.Q(('lane__isnull', True), ('status__in', ('queued', 'running'))), fields=['id'], name='evaluation_without_lane'),
        ),
    ]
