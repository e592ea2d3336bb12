"""The report as the API shows it: what the command line prints with --json, and how the submission stands."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from competition.api import choices


class FindingOutput(serializers.Serializer[Any]):
    """One thing found in an entry."""

    code = serializers.CharField()
    path = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField()
    warning = serializers.BooleanField()


class UsageOutput(serializers.Serializer[Any]):
    """What was measured."""

    parameters = serializers.IntegerField()
    trainable_parameters = serializers.IntegerField()
    macs = serializers.IntegerField(help_text="The count that applies, that of `binding_counter`.")
    macs_by_counter = serializers.DictField(
        child=serializers.IntegerField(allow_null=True),
        help_text="By counter: `graph` of the captured graph, `static` of an ONNX file, `dispatch` of a run; "
        "`ptflops` and `fvcore` as second opinions. Null where one failed.",
    )
    binding_counter = serializers.CharField(
        help_text="Whose count applies; empty in reports from before there was a choice."
    )
    captured = serializers.BooleanField(
        allow_null=True,
        help_text="Whether the graph that was counted is what predicts. False: counted by running the entry's code. "
        "Null: nobody tried.",
    )
    not_captured = serializers.CharField(help_text="Why no graph could be captured; empty if one was.")
    uncounted_ops = serializers.ListField(child=serializers.CharField())
    package_bytes = serializers.IntegerField()
    cpu_s_per_sample = serializers.FloatField(allow_null=True)
    latency_p50_ms = serializers.FloatField(
        allow_null=True, help_text="Only if the track has a latency gate."
    )
    latency_p95_ms = serializers.FloatField(allow_null=True)


class ScoreOutput(serializers.Serializer[Any]):
    """One score with its 95% confidence interval."""

    value = serializers.FloatField()
    ci = serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2)
    higher_is_better = serializers.BooleanField()
    version = serializers.CharField()
    details = serializers.DictField(child=serializers.FloatField())


class ShareOutput(serializers.Serializer[Any]):
    """How many samples of one part were called right."""

    samples = serializers.IntegerField()
    correct = serializers.IntegerField(
        allow_null=True, help_text="Null where the track tells shares in steps."
    )
    accuracy = serializers.FloatField()


class BreakdownOutput(serializers.Serializer[Any]):
    """Where an entry is right and wrong on the public split."""

    by_label = serializers.DictField(child=ShareOutput())
    by_group = serializers.DictField(child=ShareOutput())
    confusion = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField()),
        help_text="Rows are labels, columns are predictions; empty if there are many classes.",
    )


class QuantisedOutput(serializers.Serializer[Any]):
    """What the same entry scores with its graph quantised."""

    precision = serializers.ChoiceField(choices=choices.PRECISIONS)
    calibration_samples = serializers.IntegerField()
    share_in_8_bits = serializers.FloatField(
        help_text="Share of the MACs with two factors in the precision's bits: 8 in w8a8, at most 16 in the others."
    )
    drop_points = serializers.FloatField(
        help_text="How much lower the ranking metric is on the public split, in points (hundredths)."
    )
    max_drop_points = serializers.FloatField()
    scores = serializers.DictField(child=ScoreOutput())
    private_scores = serializers.DictField(child=ScoreOutput())


class ReportOutput(serializers.Serializer[Any]):
    """The report that the command line prints with --json, with `status` and `stage`."""

    status = serializers.ChoiceField(choices=choices.STATUSES)
    stage = serializers.CharField()
    verdict = serializers.ChoiceField(choices=choices.VERDICTS, allow_null=True)
    code = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField()
    findings = FindingOutput(many=True)
    format = serializers.CharField(allow_null=True)
    not_formats = serializers.DictField(
        child=serializers.CharField(), help_text="Why each other format was not recognised."
    )
    track = serializers.CharField()
    benchmark = serializers.CharField(allow_null=True)
    plan = serializers.CharField(
        allow_null=True, help_text="Digest of the sample plan of a benchmark run; null for evaluations."
    )
    usage = UsageOutput(allow_null=True)
    max_latency_ms = serializers.FloatField(
        allow_null=True,
        help_text="The track's gate: `usage.latency_p50_ms` may be at most this. Null if it has none.",
    )
    scores = serializers.DictField(child=ScoreOutput())
    private_scores = serializers.DictField(
        child=ScoreOutput(), help_text="Empty until the track shows them. Organisers see them at once."
    )
    quantised = QuantisedOutput(allow_null=True, help_text="Null unless the track has a second score.")
    breakdown = BreakdownOutput(allow_null=True)
    class_names = serializers.ListField(
        child=serializers.CharField(),
        help_text="Names of the labels in `breakdown`, by number; may be empty.",
    )
    samples = serializers.IntegerField()
    timings_s = serializers.DictField(child=serializers.FloatField())
    applied = serializers.DictField(
        child=serializers.CharField(),
        help_text="Which of the package's own pre- and postprocessing was applied, for formats that state any.",
    )
    isolated = serializers.BooleanField(allow_null=True)
    reference = serializers.CharField()
    fault = serializers.CharField(required=False, help_text="For organisers only.")
