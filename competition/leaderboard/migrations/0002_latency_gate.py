from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("leaderboard", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="standing",
            name="latency_ms",
            field=models.FloatField(help_text="Median of one sample, where the track has a gate.", null=True),
        ),
        migrations.AddField(
            model_name="standing",
            name="inside_gate",
            field=models.BooleanField(default=True),
        ),
    ]
