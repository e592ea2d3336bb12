"""The track's fields, arranged for a person."""

from __future__ import annotations

from typing import Any, Final

FIELDSETS: Final[tuple[tuple[str | None, Any], ...]] = (
    (None, {"fields": ("competition", "name", "slug", "position", "summary", "rules")}),
    (
        "Window and quota",
        {"fields": ("opens_at", "closes_at", ("quota_submissions", "quota_window_hours"))},
    ),
    ("Formats", {"fields": ("formats",)}),
    (
        "Input: what a model receives",
        {
            "description": "A batch of N samples, of shape N x channels x height x width.",
            "fields": (
                "reader",
                "input_shape",
                "input_fit",
                ("input_mean", "input_std"),
                ("frame_rate", "sample_rate"),
                "input_dtype",
                ("input_low", "input_high"),
                "channel_order",
            ),
        },
    ),
    (
        "Output and metric",
        {
            "description": "A model returns N x width logits or confidences, N x classes x height x "
            "width for a class map, or boxes as their layout says.",
            "fields": (
                ("output_kind", "output_width"),
                ("output_classes", "box_layout"),
                "class_names",
                "metric",
                "extra_metrics",
            ),
        },
    ),
    (
        "Budgets",
        {
            "description": "Numbers may be written with a unit: 30M, 5G, 100 MB, 512 MiB.",
            "fields": ("max_parameters", "max_macs", "max_package_bytes", "max_latency_ms"),
        },
    ),
    (
        "Quantisation",
        {
            "description": "A second score of each entry, with its graph quantised. It changes what is "
            "scored, so a track with scores needs a new benchmark version.",
            "fields": ("precision", ("calibration_samples", "max_drop_points")),
        },
    ),
    ("Private scores", {"fields": ("private_scores",)}),
    ("Dataset and workers", {"fields": ("dataset", "queue")}),
    (
        "Limits on archives",
        {
            "classes": ("collapse",),
            "fields": ("max_entry_bytes", "max_unpacked_bytes", "max_files", "max_depth", "max_ratio"),
        },
    ),
    (
        "Limits on runs in the sandbox",
        {
            "classes": ("collapse",),
            "fields": (
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
            ),
        },
    ),
)
