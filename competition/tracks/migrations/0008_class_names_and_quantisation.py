import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tracks', '0007_latency_gate'),
    ]

    operations = [
        migrations.AddField(
            model_name='track',
            name='calibration_samples',
            field=models.PositiveIntegerField(default=100, help_text='Samples that the quantised graph is calibrated on.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(10000)]),
        ),
        migrations.AddField(
            model_name='track',
            name='class_names',
            field=models.JSONField(blank=True, default=list, help_text='For people: one name a class. They change no score.'),
        ),
        migrations.AddField(
            model_name='track',
            name='max_drop_points',
            field=models.FloatField(default=10.0, help_text='Inclusive, in points of a hundred of the ranking metric.', validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(100)]),
        ),
        migrations.AddField(
            model_name='track',
            name='precision',
            field=models.CharField(blank=True, choices=[('w8a8', 'w8a8')], help_text='Entries are scored a second time, quantised so. Empty: they are not.', max_length=20),
        ),
    ]
