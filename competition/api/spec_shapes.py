"""The parts of a track document as the API shows them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from competition.api import choices


class InputOutput(serializers.Serializer[Any]):
    """What the model receives."""

    reader = serializers.ChoiceField(choices=choices.READERS)
    shape = serializers.ListField(
        child=serializers.IntegerField(), help_text="Of one sample, without the batch."
    )
    dtype = serializers.ChoiceField(choices=choices.DTYPES)
    low = serializers.FloatField()
    high = serializers.FloatField()
    channel_order = serializers.ChoiceField(choices=choices.CHANNEL_ORDERS)


class OutputOutput(serializers.Serializer[Any]):
    """What the model returns."""

    kind = serializers.ChoiceField(choices=choices.OUTPUT_KINDS)
    width = serializers.IntegerField(help_text="0 for class maps and boxes.")
    classes = serializers.IntegerField(help_text="Of class maps and boxes, else 0.")
    box_layout = serializers.ChoiceField(choices=choices.BOX_LAYOUTS, allow_null=True)
    class_names = serializers.ListField(
        child=serializers.CharField(),
        help_text="In the order of the classes' numbers; empty if none are given.",
    )


class BudgetsOutput(serializers.Serializer[Any]):
    """What a package may use; null means no limit."""

    max_parameters = serializers.IntegerField(allow_null=True, help_text="Inclusive.")
    max_macs = serializers.IntegerField(allow_null=True, help_text="Strict; multiply-adds of one sample.")
    max_package_bytes = serializers.IntegerField(allow_null=True, help_text="Inclusive; unpacked.")
    max_latency_ms = serializers.FloatField(
        allow_null=True,
        help_text="Inclusive gate on the median time of one sample; beyond it nobody is ranked.",
    )


class QuantisationOutput(serializers.Serializer[Any]):
    """A second score of the same entry, with its graph quantised."""

    precision = serializers.ChoiceField(choices=choices.PRECISIONS)
    calibration_samples = serializers.IntegerField()
    max_drop_points = serializers.FloatField(
        help_text="Inclusive; points of a hundred of the ranking metric that it may lose."
    )


class ArchiveLimitsOutput(serializers.Serializer[Any]):
    """Bounds on unpacking."""

    max_entry_bytes = serializers.IntegerField()
    max_unpacked_bytes = serializers.IntegerField()
    max_files = serializers.IntegerField()
    max_depth = serializers.IntegerField()
    max_ratio = serializers.FloatField()


class RunLimitsOutput(serializers.Serializer[Any]):
    """Bounds on a run."""

    max_memory_bytes = serializers.IntegerField()
    max_processes = serializers.IntegerField()
    max_file_bytes = serializers.IntegerField()
    max_tmp_bytes = serializers.IntegerField()
    max_log_bytes = serializers.IntegerField()
    measure_timeout_s = serializers.FloatField()
    predict_timeout_s = serializers.FloatField()
    threads = serializers.IntegerField()
    batch_size = serializers.IntegerField()
    seed = serializers.IntegerField()
