from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tracks', '0006_threshold_metrics'),
    ]

    operations = [
        migrations.AddField(
            model_name='track',
            name='max_latency_ms',
            field=models.FloatField(blank=True, help_text='Gate on the median time of one sample. Empty: nothing is timed.', null=True),
        ),
    ]
