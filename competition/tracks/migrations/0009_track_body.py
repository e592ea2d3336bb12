"""Tracks keep their document as one value; what the database asks about stays a column."""

from django.db import migrations, models

import django.core.validators

TEXTS = ("summary", "rules", "private_scores", "formats", "metric", "extra_metrics")
SECTIONS = {
    "input": {
        "reader": "reader",
        "shape": "input_shape",
        "dtype": "input_dtype",
        "low": "input_low",
        "high": "input_high",
        "channel_order": "channel_order",
        "fit": "input_fit",
        "mean": "input_mean",
        "std": "input_std",
        "frame_rate": "frame_rate",
        "sample_rate": "sample_rate",
    },
    "output": {
        "kind": "output_kind",
        "width": "output_width",
        "classes": "output_classes",
        "box_layout": "box_layout",
        "class_names": "class_names",
    },
    "budgets": {
        name: name for name in ("max_parameters", "max_macs", "max_package_bytes", "max_latency_ms")
    },
    "quantisation": {name: name for name in ("precision", "calibration_samples", "max_drop_points")},
    "archive_limits": {
        name: name
        for name in ("max_entry_bytes", "max_unpacked_bytes", "max_files", "max_depth", "max_ratio")
    },
    "run_limits": {
        name: name
        for name in (
            "max_memory_bytes",
            "max_processes",
            "max_file_bytes",
            "max_tmp_bytes",
            "max_log_bytes",
            "measure_timeout_s",
            "predict_timeout_s",
            "threads",
            "batch_size",
            "seed",
        )
    },
}
COLUMNS = [*TEXTS, *(column for places in SECTIONS.values() for column in places.values())]
MAY_BE_EMPTY = {"box_layout", "precision"}
"""Columns of text that say "" where the document says nothing."""


def gather(apps, schema_editor):
    """Bring the columns of each track into its body."""
    for track in apps.get_model("tracks", "Track").objects.all():
        track.body = {name: getattr(track, name) for name in TEXTS}
        for section, places in SECTIONS.items():
            values = {name: getattr(track, column) for name, column in places.items()}
            stated = {name: value for name, value in values.items() if value is not None and value != ""}
            if section != "quantisation" or "precision" in stated:
                track.body[section] = stated
        track.save(update_fields=["body"])


def spread(apps, schema_editor):
    """Go back: bring what the body says into columns, which have their defaults by now."""
    Track = apps.get_model("tracks", "Track")
    for track in Track.objects.all():
        for name in TEXTS:
            setattr(track, name, track.body.get(name, getattr(track, name)))
        for section, places in SECTIONS.items():
            stated = track.body.get(section, {})
            for name, column in places.items():
                missing = "" if column in MAY_BE_EMPTY else getattr(track, column)
                setattr(track, column, stated.get(name, missing))
        track.save(update_fields=COLUMNS)


class Migration(migrations.Migration):
    dependencies = [("tracks", "0008_class_names_and_quantisation")]

    operations = [
        migrations.AddField(
            model_name="track",
            name="body",
            field=models.JSONField(
                default=dict, editable=False, help_text="The rest of the track document, as it was checked."
            ),
        ),
        migrations.RunPython(gather, spread),
        *(migrations.RemoveField(model_name="track", name=column) for column in COLUMNS),
        migrations.AlterField(
            model_name="dataset",
            name="truth",
            field=models.CharField(
                default="classes",
                editable=False,
                help_text="What is true of each sample: a class, a mask or boxes.",
                max_length=20,
            ),
        ),
    ]
