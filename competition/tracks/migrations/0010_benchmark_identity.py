"""Benchmark versions remember the versions of reader and packages.

The versions that exist were made under the values below, whatever is installed where this runs; their
digests and their boards stay.
"""

from django.db import migrations, models

READER_VERSION = "1"
ENVIRONMENT = {
    "torch": "2.13.0",
    "torchvision": "0.28.0",
    "timm": "1.0.31",
    "onnxruntime": "1.31.1",
    "numpy": "2.4.6",
    "opencv-python-headless": "5.0.0.93",
    "av": "18.1.0",
}


def fill_in(apps, schema_editor):
    versions = apps.get_model("tracks", "BenchmarkVersion").objects.using(schema_editor.connection.alias)
    for version in versions.iterator():
        reader = version.spec.get("input", {}).get("reader", "image")
        version.reader_version = f"{reader}={READER_VERSION}"
        version.environment = ENVIRONMENT
        version.save(update_fields=["reader_version", "environment"])


class Migration(migrations.Migration):
    dependencies = [
        ("tracks", "0009_track_body"),
    ]

    operations = [
        migrations.AddField(
            model_name="benchmarkversion",
            name="reader_version",
            field=models.CharField(default="", max_length=40),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="benchmarkversion",
            name="environment",
            field=models.JSONField(
                default=dict, editable=False, help_text="Versions of the packages that decide scores."
            ),
            preserve_default=False,
        ),
        migrations.RunPython(fill_in, migrations.RunPython.noop),
    ]
